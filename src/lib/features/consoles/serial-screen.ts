/** A machine's serial line by xterm. Browser only. */
import { FitAddon } from '@xterm/addon-fit';
import { Terminal } from '@xterm/xterm';
import '@xterm/xterm/css/xterm.css';
import { TERMINAL_KEYS, withControl, type NamedKey } from './keys';

const SCROLLBACK_LINES = 5_000;

export interface SerialScreen {
  type(text: string, held?: NamedKey[]): void;
  press(key: NamedKey): void;
  /** Shows what comes from there, and sends what is typed. */
  attach(socket: WebSocket, opened: () => void): () => void;
  focus(): void;
  close(): void;
}

export function openSerialScreen(target: HTMLElement): SerialScreen {
  const font = getComputedStyle(target).fontFamily;
  const terminal = new Terminal({
    ...{ fontFamily: font, fontSize: 13, scrollback: SCROLLBACK_LINES, cursorBlink: true },
    // For screen readers: the text of the lines, announced as it comes.
    screenReaderMode: true,
    theme: { background: '#0d1110', foreground: '#e6ebe8', cursor: '#7cc4e8' },
  });
  const fit = new FitAddon();
  terminal.loadAddon(fit);
  terminal.open(target);
  fit.fit();
  const resized = new ResizeObserver(() => fit.fit());
  resized.observe(target);

  const encoder = new TextEncoder();
  let line: WebSocket | null = null;
  const send = (text: string): void => {
    if (line?.readyState === WebSocket.OPEN) line.send(encoder.encode(text));
  };
  terminal.onData(send);

  return {
    type: (text, held = []) =>
      send(
        held.includes('ControlLeft') ? withControl(text) : `${held.includes('AltLeft') ? '\x1b' : ''}${text}`,
      ),
    press: (key) => send(TERMINAL_KEYS[key] ?? ''),
    attach(socket, opened) {
      line = socket;
      socket.addEventListener('open', () => {
        // What was said before comes once more from there.
        terminal.reset();
        opened();
      });
      socket.addEventListener('message', ({ data }: MessageEvent<ArrayBuffer>) =>
        terminal.write(new Uint8Array(data)),
      );
      return () => {
        line = null;
      };
    },
    focus: () => terminal.focus(),
    close() {
      resized.disconnect();
      terminal.dispose();
    },
  };
}
