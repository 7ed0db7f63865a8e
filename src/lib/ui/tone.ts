/** What a colour says, never which colour it is. */
export type Tone = 'quiet' | 'accent' | 'good' | 'warn' | 'bad';
export const toneFill: Record<Tone, string> = {
  quiet: 'bg-line-strong',
  accent: 'bg-accent',
  good: 'bg-good',
  warn: 'bg-warn',
  bad: 'bg-bad',
};
