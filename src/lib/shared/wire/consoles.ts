/** Consoles of machines: what is asked for, and how the socket to one is opened. */
import { z } from 'zod';

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
