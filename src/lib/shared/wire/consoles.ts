/** Consoles of machines: what is asked for, and how the socket to one is opened. */
import { z } from 'zod';

export const CONSOLE_PATH = '/console-ws';
/** Offered with `ticket-<ticket>` beside it: a ticket in the address would be in every log on the way. */
export const CONSOLE_PROTOCOL = 'cairn-console';
export const ticketProtocol = (ticket: string): string => `ticket-${ticket}`;

/** Why the server closes such a socket; 4000 and up are an application's own (RFC 6455, 7.4.2). */
export const CONSOLE_ENDED = 4404;

export const consoleRequest = z.strictObject({
  vmId: z.uuid().transform((value) => value.toLowerCase()),
  /** vnc: bytes of RFB (RFC 6143). serial: bytes of the line. */
  kind: z.enum(['vnc', 'serial']),
});
export interface ConsoleTicket {
  /** Opens the console once, for whoever asked for it. */
  ticket: string;
  expiresInMs: number;
}
