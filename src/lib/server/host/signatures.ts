/**
 * What sits on a device node: blkid's low-level probe for what it means, wipefs for everything that is there, also
 * what blkid cannot decide between. Parsers are strict; output that is not understood is an error, never "nothing".
 * `-o udev` is the only output of blkid that keeps every label as it is: the others spell bytes beyond ASCII ambiguously.
 * Sources: blkid(8) -p, -o udev; wipefs(8) --json; sfdisk(8) --json; util-linux 2.38 and later.
 */
import { z } from 'zod';
import type { Signature } from '$lib/shared/wire/drives';
import { AppError } from '../errors';
import { readLocked, type Question, type Reply } from './locked-read';
import { PROGRAMS } from './programs';
import type { CommandRunner } from './types';

/** Exit codes of blkid -p: nothing recognised (or not readable, which it does not say), and several answers at once. */
const NOTHING = 2;
const AMBIVALENT = 8;

export type BlkidAnswer =
  | { kind: 'nothing' }
  | { kind: 'ambivalent' }
  | {
      kind: 'found';
      type: string | null;
      usage: string | null;
      uuid: string | null;
      label: string | null;
      tableType: string | null;
      tableUuid: string | null;
      /** Of the node itself, when it is a partition. */
      partitionUuid: string | null;
      partitionName: string | null;
    };

/** One signature as wipefs lists it: also the backup copy of a GPT and the protective MBR. */
export interface RawSignature {
  type: string;
  offset: string;
  uuid: string | null;
  label: string | null;
}
/** Everything on one node. */
export interface NodeContent {
  blkid: BlkidAnswer;
  signatures: Signature[];
  raw: RawSignature[];
  partitionUuid: string | null;
  partitionName: string | null;
}

const decoder = new TextDecoder();
/** blkid encodes everything that could hurt in a udev rule as \xHH, byte by byte. */
function unescaped(text: string): string {
  const bytes = text.split(/\\x([0-9a-f]{2})/i).map((part, index) =>
    // split with a group: every second part is a pair of digits
    index % 2 === 1 ? Buffer.from([parseInt(part, 16)]) : Buffer.from(part),
  );
  return decoder.decode(Buffer.concat(bytes));
}

const notUnderstood = (tool: string, output: string): AppError =>
  new AppError('parse_failed', `${tool} said something that is not understood.`, {
    details: { tool, output: output.slice(0, 500) },
  });

/** `-o udev`: a line `ID_FS_TYPE=value` each. @throws AppError parse_failed */
export function parseBlkid(output: string): BlkidAnswer & { kind: 'found' } {
  const values = new Map<string, string>();
  for (const line of output.split('\n').filter(Boolean)) {
    const match = /^(ID_[A-Z][A-Z0-9_]*)=(.*)$/.exec(line);
    if (!match?.[1]) throw notUnderstood('blkid', output);
    values.set(match[1], unescaped(match[2] ?? ''));
  }
  const value = (name: string): string | null => values.get(name) || null;
  return {
    kind: 'found',
    type: value('ID_FS_TYPE'),
    usage: value('ID_FS_USAGE'),
    uuid: value('ID_FS_UUID'),
    label: value('ID_FS_LABEL_ENC'),
    tableType: value('ID_PART_TABLE_TYPE'),
    tableUuid: value('ID_PART_TABLE_UUID'),
    partitionUuid: value('ID_PART_ENTRY_UUID'),
    partitionName: value('ID_PART_ENTRY_NAME'),
  };
}

const wipefsAnswer = z.object({
  signatures: z.array(
    z.object({
      device: z.string(),
      offset: z.string().regex(/^0x[0-9a-f]+$/),
      type: z.string().min(1),
      uuid: z.string().nullable(),
      label: z.string().nullable(),
    }),
  ),
});

/** `--json`; older versions say nothing at all when there is nothing. @throws AppError parse_failed */
export function parseWipefs(output: string): RawSignature[] {
  if (output.trim() === '') return [];
  const answer = wipefsAnswer.safeParse(parseJson('wipefs', output));
  if (!answer.success) throw notUnderstood('wipefs', output);
  return answer.data.signatures.map(({ type, offset, uuid, label }) => ({
    type,
    offset,
    uuid: uuid || null,
    label: label || null,
  }));
}

function parseJson(tool: string, output: string): unknown {
  try {
    return JSON.parse(output);
  } catch (cause) {
    throw new AppError('parse_failed', `${tool} said something that is not JSON.`, {
      details: { tool, output: output.slice(0, 500) },
      cause,
    });
  }
}

const sfdiskAnswer = z.object({
  partitiontable: z.object({
    label: z.string(),
    id: z.string().optional(),
    partitions: z
      .array(z.object({ node: z.string(), start: z.number(), size: z.number(), uuid: z.string().optional() }))
      .optional(),
  }),
});
export interface PartitionTable {
  label: string;
  id: string | null;
  /** `number` is null when the node's name does not end in one. */
  partitions: { number: number | null; uuid: string | null; startSector: number; sectors: number }[];
}

/** `sfdisk --json`. @throws AppError parse_failed */
export function parseSfdisk(output: string): PartitionTable {
  const answer = sfdiskAnswer.safeParse(parseJson('sfdisk', output));
  if (!answer.success) throw notUnderstood('sfdisk', output);
  const { label, id, partitions = [] } = answer.data.partitiontable;
  return {
    label,
    id: id?.toLowerCase() ?? null,
    partitions: partitions.map(({ node, start, size, uuid }) => ({
      number: Number(/\d+$/.exec(node)?.[0] ?? Number.NaN) || null,
      uuid: uuid?.toLowerCase() ?? null,
      startSector: start,
      sectors: size,
    })),
  };
}

type Reader = Pick<CommandRunner, 'readers'>;

const BLKID: Question = {
  program: PROGRAMS.blkid,
  argv: ['-p', '-o', 'udev'],
  okExitCodes: [0, NOTHING, AMBIVALENT],
};
const WIPEFS: Question = { program: PROGRAMS.wipefs, argv: ['--json'], okExitCodes: [0] };
const SFDISK: Question = { program: PROGRAMS.sfdisk, argv: ['--json'], okExitCodes: [0, 1] };

async function ask(commands: Reader, path: string, question: Question): Promise<Reply> {
  const [reply] = await readLocked(commands, path, [question]);
  if (!reply) throw new AppError('bug', `${question.program} gave no answer.`);
  return reply;
}

function blkidAnswer({ stdout, exitCode }: Reply): BlkidAnswer {
  if (exitCode === NOTHING) return { kind: 'nothing' };
  if (exitCode === AMBIVALENT) return { kind: 'ambivalent' };
  return parseBlkid(stdout);
}

/** Never cached. @throws AppError command_failed | command_timeout | parse_failed */
export const askBlkid = async (commands: Reader, path: string): Promise<BlkidAnswer> =>
  blkidAnswer(await ask(commands, path, BLKID));

export const askWipefs = async (commands: Reader, path: string): Promise<RawSignature[]> =>
  parseWipefs((await ask(commands, path, WIPEFS)).stdout);

/** Null when sfdisk does not recognise a partition table (or what is there is damaged). */
export async function askSfdisk(commands: Reader, path: string): Promise<PartitionTable | null> {
  const { stdout, exitCode } = await ask(commands, path, SFDISK);
  return exitCode === 0 ? parseSfdisk(stdout) : null;
}

const TABLES = new Set(['gpt', 'dos', 'PMBR', 'atari', 'bsd', 'mac', 'sgi', 'sun']);
const usageOf = (type: string): Signature['usage'] => {
  if (TABLES.has(type)) return 'partition-table';
  if (/_member$|_raid/.test(type)) return 'raid';
  if (type.startsWith('crypto_')) return 'crypto';
  return type === 'swap' || type === 'swsuspend' ? 'other' : 'filesystem';
};
const BLKID_USAGE: Record<string, Signature['usage']> = {
  filesystem: 'filesystem',
  raid: 'raid',
  crypto: 'crypto',
  other: 'other',
};

/** Both answers as one list: each thing once, the protective MBR of a GPT and its backup copy left out. */
export function mergeSignatures(blkid: BlkidAnswer, raw: RawSignature[]): Signature[] {
  const found: Signature[] = [];
  const add = (signature: Signature): void => {
    const same = found.some(
      (other) => other.type === signature.type && (!signature.uuid || other.uuid === signature.uuid),
    );
    if (!same) found.push(signature);
  };
  if (blkid.kind === 'found') {
    const { type, usage, uuid, label, tableType, tableUuid } = blkid;
    if (type) add({ type, usage: BLKID_USAGE[usage ?? ''] ?? usageOf(type), uuid, label });
    if (tableType) add({ type: tableType, usage: 'partition-table', uuid: tableUuid, label: null });
  }
  const hasGpt = raw.some((signature) => signature.type === 'gpt');
  for (const { type, uuid, label } of raw)
    if (!(type === 'PMBR' && hasGpt)) add({ type, usage: usageOf(type), uuid, label });
  return found;
}

/** Everything on a drive or partition, read now. @throws AppError command_failed | command_timeout | parse_failed */
export async function readNode(commands: Reader, path: string): Promise<NodeContent> {
  const [first, second] = await readLocked(commands, path, [BLKID, WIPEFS]);
  if (!first || !second) throw new AppError('bug', `${path} was not read.`);
  const blkid = blkidAnswer(first);
  const raw = parseWipefs(second.stdout);
  return {
    blkid,
    signatures: mergeSignatures(blkid, raw),
    raw,
    partitionUuid: blkid.kind === 'found' ? blkid.partitionUuid : null,
    partitionName: blkid.kind === 'found' ? blkid.partitionName : null,
  };
}
