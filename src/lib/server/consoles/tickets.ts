/** One-time tickets: who may open which console, for moments. Nothing of them outlives the process. */
import { randomBytes } from 'node:crypto';
import type { ConsoleKind } from '$lib/plugin-api/vm';
import type { Actor } from '$lib/shared/wire/session';
import { sha256 } from '../auth/secrets';
import type { Clock } from '../clock';
import { AppError } from '../errors';

/** Long enough for a slow phone to open a socket. */
export const TICKET_MS = 30_000;
/** Of one person; more at once are a program that runs wild. */
const MAX_UNUSED = 50;

export interface Place {
  vmId: string;
  kind: ConsoleKind;
}
interface Entry {
  place: Place;
  holder: string;
  endsAt: number;
}
/** A key, or one session of a person: a ticket that is taken along to another browser opens nothing. */
const holderOf = ({ kind, id, sessionId }: Actor): string => `${kind} ${id} ${sessionId ?? ''}`;

export interface Tickets {
  issue(actor: Actor, place: Place): string;
  /** Whatever comes of it, the ticket is used up. @throws AppError console_ticket_invalid */
  redeem(ticket: string, actor: Actor): Place;
}

export function createTickets(clock: Clock): Tickets {
  const entries = new Map<string, Entry>();
  const refuseTooMany = (holder: string): void => {
    const now = clock.now();
    for (const [key, entry] of entries) if (entry.endsAt <= now) entries.delete(key);
    const unused = [...entries.values()].filter((entry) => entry.holder === holder).length;
    if (unused >= MAX_UNUSED) throw new AppError('throttled');
  };
  return {
    issue(actor, place) {
      const holder = holderOf(actor);
      refuseTooMany(holder);
      const ticket = randomBytes(24).toString('base64url');
      entries.set(sha256(ticket), { place, holder, endsAt: clock.now() + TICKET_MS });
      return ticket;
    },
    redeem(ticket, actor) {
      const key = sha256(ticket);
      const entry = entries.get(key);
      entries.delete(key);
      if (!entry || entry.endsAt <= clock.now() || entry.holder !== holderOf(actor))
        throw new AppError('console_ticket_invalid');
      return entry.place;
    },
  };
}
