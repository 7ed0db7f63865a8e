/** Between the password and the code: who gave the right password, for a few minutes and a few wrong codes, in memory. */
import { randomBytes } from 'node:crypto';
import type { Clock } from '../clock';

const MINUTES = 5;
const MOST = 1_000;

export function createSignInTickets(clock: Clock) {
  const tickets = new Map<string, { userId: string; until: number }>();
  return {
    give(userId: string): string {
      for (const [ticket, { until }] of tickets) if (until < clock.now()) tickets.delete(ticket);
      const [oldest] = tickets.keys();
      if (tickets.size >= MOST && oldest !== undefined) tickets.delete(oldest);
      const ticket = randomBytes(32).toString('base64url');
      tickets.set(ticket, { userId, until: clock.now() + MINUTES * 60_000 });
      return ticket;
    },
    userOf(ticket: string): string | null {
      const found = tickets.get(ticket);
      return found && found.until >= clock.now() ? found.userId : null;
    },
    drop: (ticket: string): void => void tickets.delete(ticket),
  };
}
