/** What may be asked of the host's networks. */
import { z } from 'zod';

/** `POST /api/v1/networks/bridges` */
export const bridgeRequest = z.strictObject({
  /** 2 to 15 lower-case letters, digits and dashes: `br0`. */
  name: z.string().max(100),
  /** A network card of the host; null: machines reach each other and the host. */
  port: z.string().max(100).nullable(),
  /** Only what the port carries with this tag, 1 to 4094; null: what it carries without one. */
  vlan: z.number().nullable(),
  /** So long somebody may say that the host can still be reached, where its own addresses move. */
  checkInSeconds: z.int().min(5).max(600).default(120),
});
export type BridgeRequest = z.output<typeof bridgeRequest>;

/** `DELETE /api/v1/networks/bridges/{name}` */
export const bridgeNameRequest = z.strictObject({
  name: z.string().max(100),
  checkInSeconds: bridgeRequest.shape.checkInSeconds,
});

/** Step of a change that would be taken back if nobody said that the host can still be reached. */
export const CHECK_IN = 'check-in';
