/** Dark, light or as the system has it. The tiny script in app.html applies the choice before the first paint. */
export type Theme = 'system' | 'light' | 'dark';
const KEY = 'cairn-theme';

let chosen = $state<Theme>('system');

export const theme = {
  get value(): Theme {
    return chosen;
  },
  /** Reads the kept choice; call it in the browser only. */
  load(): void {
    const kept = localStorage.getItem(KEY);
    chosen = kept === 'dark' || kept === 'light' ? kept : 'system';
  },
  set(next: Theme): void {
    chosen = next;
    if (next === 'system') {
      localStorage.removeItem(KEY);
      delete document.documentElement.dataset['theme'];
    } else {
      localStorage.setItem(KEY, next);
      document.documentElement.dataset['theme'] = next;
    }
  },
};
