/** Consoles of machines: whether one can be opened, who may, and the stream that leads to it. */
import type { Duplex } from 'node:stream';
import type { ConsoleEndpoint, ConsoleKind } from '$lib/plugin-api/vm';
import type { Actor } from '$lib/shared/wire/session';
import type { Vm } from '$lib/shared/wire/vms';
import type { ConsoleTicket } from '$lib/shared/wire/consoles';
import { authorise } from '../auth/authorise';
import type { Clock } from '../clock';
import { AppError } from '../errors';
import type { Logger } from '../log';
import { createSerialLine, type SerialLine } from './serial-line';
import { createTickets, TICKET_MS, type Place } from './tickets';

const ON: readonly Vm['state'][] = ['running', 'paused', 'stopping', 'starting'];
const WORDS: Record<ConsoleKind, string> = { vnc: 'screen', serial: 'serial line' };

export interface Consoles {
  /** Looks whether it can be opened now. @throws AppError vm_not_found | vm_not_running | vm_gone | console_unavailable | throttled */
  ticket(actor: Actor, place: Place): Promise<ConsoleTicket>;
  /** Uses the ticket up. @throws AppError unauthenticated | forbidden | console_ticket_invalid, and those of `ticket` */
  open(actor: Actor | null, ticket: string): Promise<Duplex>;
  close(): void;
}

export function createConsoles(deps: {
  vms: { get(id: string): Vm };
  plugins: { consoleOf(plugin: string, vmId: string, kind: ConsoleKind): Promise<ConsoleEndpoint | null> };
  openLine: (endpoint: ConsoleEndpoint) => Promise<Duplex>;
  clock: Clock;
  log: Pick<Logger, 'info'>;
}): Consoles {
  const { vms, plugins, openLine, log } = deps;
  const tickets = createTickets(deps.clock);
  /** By machine; a promise, so that two who come at once share one. */
  const lines = new Map<string, Promise<SerialLine>>();
  const streams = new Set<Duplex>();

  async function endpointOf({ vmId, kind }: Place): Promise<ConsoleEndpoint> {
    const { name, state, plugin } = vms.get(vmId);
    if (state === 'missing' || state === 'failed-to-start' || state === 'removing')
      throw new AppError(
        'vm_gone',
        `"${name}" is not there to be looked at: it is ${state.replaceAll('-', ' ')}.`,
      );
    if (!ON.includes(state)) throw new AppError('vm_not_running', `"${name}" is not on.`);
    const endpoint = await plugins.consoleOf(plugin, vmId, kind);
    if (endpoint) return endpoint;
    throw new AppError('console_unavailable', `"${name}" has no ${WORDS[kind]} that can be shown here.`);
  }

  async function openSerial(vmId: string, endpoint: ConsoleEndpoint): Promise<SerialLine> {
    const line = await openLine(endpoint);
    return createSerialLine(line, () => lines.delete(vmId));
  }
  async function serialOf(vmId: string, endpoint: ConsoleEndpoint): Promise<Duplex> {
    const shared = lines.get(vmId) ?? openSerial(vmId, endpoint);
    lines.set(vmId, shared);
    try {
      return (await shared).view();
    } catch (error) {
      lines.delete(vmId);
      throw error;
    }
  }

  return {
    async ticket(actor, place) {
      await endpointOf(place);
      return { ticket: tickets.issue(actor, place), expiresInMs: TICKET_MS };
    },
    async open(actor, ticket) {
      authorise('operator', actor, 'vms.openConsole', 'acts');
      if (!actor) throw new AppError('unauthenticated');
      const place = tickets.redeem(ticket, actor);
      const endpoint = await endpointOf(place);
      const stream = await (place.kind === 'serial' ? serialOf(place.vmId, endpoint) : openLine(endpoint));
      streams.add(stream);
      stream.once('close', () => streams.delete(stream));
      log.info({ vm: place.vmId, console: place.kind, who: actor.name }, 'a console was opened');
      return stream;
    },
    close() {
      for (const stream of streams) stream.destroy();
      for (const line of lines.values())
        line.then(
          (one) => one.close(),
          () => undefined,
        );
    },
  };
}
