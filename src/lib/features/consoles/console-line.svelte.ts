/** The line to one console: asked for, opened, and opened again for as long as somebody looks. Browser only. */
import { presentError, type PresentedError } from '$lib/client/present-error';
import { trpc } from '$lib/client/trpc';
import type { ConsoleKind } from '$lib/plugin-api/vm';
import { CONSOLE_PATH, CONSOLE_PROTOCOL, ticketProtocol } from '$lib/shared/console-protocol';

/** What asking again does not change. */
const FINAL = new Set<PresentedError['code']>(['forbidden', 'vm_not_found', 'console_unavailable']);
const waitMs = (failures: number): number => Math.min(3_000, 250 * 2 ** failures);

const address = (): string =>
  `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}${CONSOLE_PATH}`;

export type LineState = 'connecting' | 'open' | 'refused';

export class ConsoleLine {
  state = $state<LineState>('connecting');
  /** Why it did not open the last time. */
  error = $state<PresentedError | null>(null);
  private readonly place: { vmId: string; kind: ConsoleKind };
  private readonly attach: (socket: WebSocket, opened: () => void) => () => void;
  private socket: WebSocket | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private failures = 0;
  private closed = false;

  /** @param attach takes a socket that is being opened, says when its picture is there, and returns how to let go of it */
  constructor(
    place: { vmId: string; kind: ConsoleKind },
    attach: (socket: WebSocket, opened: () => void) => () => void,
  ) {
    this.place = place;
    this.attach = attach;
    void this.connect();
  }

  private async connect(): Promise<void> {
    try {
      const { ticket } = await trpc().vms.openConsole.mutate(this.place);
      if (this.closed) return;
      this.hold(new WebSocket(address(), [CONSOLE_PROTOCOL, ticketProtocol(ticket)]));
    } catch (thrown) {
      if (!this.closed) this.fail(presentError(thrown));
    }
  }
  private hold(socket: WebSocket): void {
    socket.binaryType = 'arraybuffer';
    this.socket = socket;
    const letGo = this.attach(socket, () => {
      this.state = 'open';
      this.error = null;
      this.failures = 0;
    });
    socket.addEventListener('close', () => {
      letGo();
      this.socket = null;
      if (!this.closed) this.fail(null);
    });
  }
  private fail(error: PresentedError | null): void {
    this.error = error;
    if (error && FINAL.has(error.code)) {
      this.state = 'refused';
      return;
    }
    this.state = 'connecting';
    this.timer = setTimeout(() => void this.connect(), waitMs(this.failures));
    this.failures += 1;
  }

  close(): void {
    this.closed = true;
    clearTimeout(this.timer);
    this.socket?.close();
  }
}
