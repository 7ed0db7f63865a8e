/** Where consoles of machines are, as plugins tell of them. */

/** vnc: its screen, keyboard and mouse, in RFB (RFC 6143). serial: its first serial line, byte for byte. */
export const CONSOLE_KINDS = ['vnc', 'serial'] as const;
export type ConsoleKind = (typeof CONSOLE_KINDS)[number];
/** Where a console is on this host. socket: of the UNIX kind, for as many as want to. terminal: the far end of a pseudo-terminal. */
export interface ConsoleEndpoint {
  at: 'socket' | 'terminal';
  /** Absolute. */
  path: string;
}
