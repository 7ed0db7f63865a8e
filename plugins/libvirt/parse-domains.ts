/**
 * `virsh list --all --uuid --name`, `virsh list --with-managed-save --uuid` and `virsh domstats --state --raw`, one after the
 * other. The first has a line `<uuid> <name>` for each domain, the second one with its UUID for each whose memory is saved, the
 * third a block that is headed by the name. Pure.
 */
import type { VmReading, VmStatus } from '../../src/lib/plugin-api';

const LISTED = /^([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\s+(\S.*)$/;
const SAVED = /^([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\s*$/;
const HEADING = /^Domain: '(.*)'$/;
const FIELD = /^\s+([a-z][\w.]*)=(.*)$/;

/** virDomainState and virDomainShutoffReason (libvirt-domain.h). */
const SHUT_OFF = 5;
const CRASHED_REASON = 3;
const STATUSES: Record<number, VmStatus> = {
  1: 'running',
  2: 'running', // waits for a resource
  3: 'paused',
  4: 'stopping',
  [SHUT_OFF]: 'stopped',
  6: 'crashed',
  7: 'paused', // sleeps, as its own power management asked for
};

function statusOf(name: string, fields: Map<string, string>): VmStatus {
  const state = Number(fields.get('state.state'));
  if (state === SHUT_OFF && Number(fields.get('state.reason')) === CRASHED_REASON) return 'crashed';
  const status = STATUSES[state];
  if (!status) throw new Error(`the domain ${name} is in state ${fields.get('state.state') ?? 'none'}`);
  return status;
}

/** @throws Error for any line that is none of these */
export function parseDomains(text: string): VmReading[] {
  const listed = new Map<string, string>();
  const saved = new Set<string>();
  const blocks = new Map<string, Map<string, string>>();
  let block: Map<string, string> | null = null;
  for (const line of text.split('\n')) {
    if (line.trim() === '') continue;
    const heading = HEADING.exec(line);
    const field = FIELD.exec(line);
    const entry = LISTED.exec(line);
    const only = SAVED.exec(line);
    if (heading) blocks.set(heading[1] ?? '', (block = new Map<string, string>()));
    else if (block && field) block.set(field[1] ?? '', field[2] ?? '');
    else if (!block && entry) listed.set(entry[2] ?? '', entry[1] ?? '');
    else if (!block && only) saved.add(only[1] ?? '');
    else throw new Error(`the line ${JSON.stringify(line)}`);
  }
  // One that came or went between the two questions is in one answer only; its event has it read again.
  return [...listed].flatMap(([name, id]) => {
    const fields = blocks.get(name);
    if (!fields) return [];
    const status = statusOf(name, fields);
    // One that is on may still have the file that it has just been restored from.
    return [{ id, name, status: status === 'stopped' && saved.has(id) ? 'saved' : status }];
  });
}
