/**
 * `virsh list --all --uuid --name`, `virsh list --with-managed-save --uuid` and `virsh domstats --state --raw`, one after the
 * other. The first has a line `<uuid> <name>` for each domain, the second one with its UUID for each whose memory is saved, the
 * third a block that is headed by the name. Pure.
 */
import type { VmReading, VmStatus, VmUsage } from '../../src/lib/plugin-api';

const LISTED = /^([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\s+(\S.*)$/;
const SAVED = /^([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\s*$/;
const HEADING = /^Domain: '(.*)'$/;
const FIELD = /^\s+([a-z][\w.-]*)=(.*)$/;

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

/** `event 'lifecycle' for domain 'web': Started Booted` (virsh-domain-event.c); the name itself may hold quotes. */
const LIFECYCLE = /^event 'lifecycle' for domain '(.+)': (\w+) (.+)$/;
/** What is not here may be one or the other: a process that was killed is told as Failed, as one is that could not start. */
const STOPPED: Record<string, VmStatus> = {
  Shutdown: 'stopped',
  Destroyed: 'stopped',
  Crashed: 'crashed',
  Saved: 'saved',
};
const TURNED: Record<string, VmStatus> = { Started: 'running', Resumed: 'running', Suspended: 'paused' };

export function hearsDomain(line: string): Pick<VmReading, 'name' | 'status'> | null {
  const [, name, event = '', detail = ''] = LIFECYCLE.exec(line) ?? [];
  const status = event === 'Stopped' ? STOPPED[detail] : TURNED[event];
  return name !== undefined && status !== undefined ? { name, status } : null;
}

interface Block {
  id: string;
  name: string;
  /** Its memory is kept in a file. */
  saved: boolean;
  fields: Map<string, string>;
}

/** @throws Error for any line that is none of these */
function parseBlocks(text: string): Block[] {
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
    return fields ? [{ id, name, fields, saved: saved.has(id) }] : [];
  });
}

export interface DomainState extends VmReading {
  /** It is on its way from one status to another: its memory is being saved or brought back, or its QEMU is starting. */
  turns: boolean;
}
/** virDomainPausedReason: why it stands still while libvirt works on it. */
const SAVING = 3;
const STARTING = 11;

export const parseStates = (text: string): DomainState[] =>
  parseBlocks(text).map(({ id, name, fields, saved }) => {
    const status = statusOf(name, fields);
    const reason = Number(fields.get('state.reason'));
    return {
      // One that is on may still have the file that it has just been restored from.
      ...{ id, name, status: status === 'stopped' && saved ? 'saved' : status },
      // libvirt removes the file once the memory is back, whatever reason it tells meanwhile (qemu_driver.c, qemuDomainObjStart).
      turns: status === 'paused' && (saved || reason === SAVING || reason === STARTING),
    };
  });
export const parseDomains = (text: string): VmReading[] =>
  parseStates(text).map(({ id, name, status }) => ({ id, name, status }));

const KIB = 1024;
function numberOf(fields: Map<string, string>, key: string): number | null {
  const text = fields.get(key);
  if (text === undefined) return null;
  const value = Number(text);
  if (text === '' || !Number.isFinite(value) || value < 0) throw new Error(`${key}=${text}`);
  return value;
}
/** Of every disk or card: `block.0.rd.bytes`, `block.1.rd.bytes`, ... */
function sum(fields: Map<string, string>, group: string, counter: string): number {
  let total = 0;
  for (const key of fields.keys())
    if (key.startsWith(`${group}.`) && /^\d+$/.test(key.split('.')[1] ?? '') && key.endsWith(`.${counter}`))
      total += numberOf(fields, key) ?? 0;
  return total;
}

/** The same with `--cpu-total --balloon --block --interface`. One that has just gone off tells nothing, and is left out. */
export const parseUsage = (text: string): VmUsage[] =>
  parseBlocks(text).flatMap(({ id, fields }) => {
    const cpuNs = numberOf(fields, 'cpu.time');
    const rss = numberOf(fields, 'balloon.rss');
    return cpuNs === null
      ? []
      : [
          {
            ...{ id, cpuNs, memoryBytes: rss === null ? null : rss * KIB },
            readBytes: sum(fields, 'block', 'rd.bytes'),
            writtenBytes: sum(fields, 'block', 'wr.bytes'),
            receivedBytes: sum(fields, 'net', 'rx.bytes'),
            sentBytes: sum(fields, 'net', 'tx.bytes'),
          },
        ];
  });
