/** Somebody who looks at a machine's screen or serial line, over the sockets that a page uses. */
import { WebSocket } from 'ws';
import type { ConsoleKind } from '$lib/plugin-api/vm';
import { CONSOLE_PATH, CONSOLE_PROTOCOL, ticketProtocol } from '$lib/shared/console-protocol';
import type { Answer, Appliance } from './appliance';

export interface TicketAnswer {
  ticket: string;
  error?: { code: string };
}
export const askForTicket = (
  appliance: Appliance,
  vmId: string,
  kind: ConsoleKind,
): Promise<Answer<TicketAnswer>> => appliance.rest('POST', `/vms/${vmId}/console`, { kind });

export interface Viewer {
  socket: WebSocket;
  /** All that was shown so far. */
  text(): string;
  /** With the code of the end. */
  closed: Promise<number>;
}
/** @throws Error when there is no console, with the answer */
export async function viewConsole(appliance: Appliance, vmId: string, kind: ConsoleKind): Promise<Viewer> {
  const { status, body } = await askForTicket(appliance, vmId, kind);
  if (status !== 200) throw new Error(`no console: ${JSON.stringify(body)}`);
  const socket = new WebSocket(
    `${appliance.url.replace('http', 'ws')}${CONSOLE_PATH}`,
    [CONSOLE_PROTOCOL, ticketProtocol(body.ticket)],
    { headers: { 'x-api-key': appliance.apiKey } },
  );
  let text = '';
  socket.on('message', (data) => (text += (data as Buffer).toString('latin1')));
  const closed = new Promise<number>((resolve) => socket.on('close', resolve));
  await new Promise((resolve, reject) => {
    socket.once('open', resolve);
    socket.once('error', reject);
  });
  return { socket, text: () => text, closed };
}
