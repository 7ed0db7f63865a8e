/** A machine's screen and keyboard by noVNC. Browser only. */
import RFB from '@novnc/novnc';
import { charactersOf, keyFor, NAMED_KEYS, type Key, type NamedKey } from './keys';

/** A guest's keyboard remembers sixteen events: faster, and some would be lost. */
const KEY_GAP_MS = 25;
const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, KEY_GAP_MS));

export interface VncScreen {
  /** Characters that a US keyboard does not have are left out. */
  type(text: string, held?: NamedKey[]): Promise<void>;
  press(key: NamedKey, held?: NamedKey[]): Promise<void>;
  ctrlAltDel(): void;
  focus(): void;
  close(): void;
}

export function openVncScreen(target: HTMLElement, socket: WebSocket, opened: () => void): VncScreen {
  const rfb = new RFB(target, socket, { shared: true });
  rfb.scaleViewport = true;
  rfb.background = 'transparent';
  rfb.addEventListener('connect', opened);
  /** What is typed goes out in order, also when two ask at once. */
  let before: Promise<void> = Promise.resolve();

  async function stroke({ keysym, code, shift }: Key, held: NamedKey[]): Promise<void> {
    const around = [...held, ...(shift ? (['ShiftLeft'] as const) : [])].map((name) => NAMED_KEYS[name]);
    for (const key of around) rfb.sendKey(key.keysym, key.code, true);
    rfb.sendKey(keysym, code, true);
    rfb.sendKey(keysym, code, false);
    for (const key of around.toReversed()) rfb.sendKey(key.keysym, key.code, false);
    await pause();
  }
  function queue(keys: Key[], held: NamedKey[]): Promise<void> {
    before = before.then(async () => {
      for (const key of keys) await stroke(key, held);
    });
    return before;
  }

  return {
    type: (text, held = []) =>
      queue(
        charactersOf(text)
          .map(keyFor)
          .filter((key) => key !== null),
        held,
      ),
    press: (key, held = []) => queue([NAMED_KEYS[key]], held),
    ctrlAltDel: () => rfb.sendCtrlAltDel(),
    focus: () => rfb.focus(),
    close: () => rfb.disconnect(),
  };
}
