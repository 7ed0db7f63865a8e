/**
 * The core's looks: what is there now, compared with what a step wants. They change nothing, take nothing from a cache,
 * and never guess: a tool that fails or says something unknown is an error, not "absent".
 */
import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { Look, LookResult, LookStatus } from '$lib/plugin-api/plan';
import type { JsonObject } from '$lib/shared/json';
import type { Signature } from '$lib/shared/wire/drives';
import { AppError } from '../errors';
import { areasErased, areasSaved, areasWritten } from './area-looks';
import { BLANK } from './content-hash';
import { lookAtConversion } from './convert-look';
import { downloaded } from './download-look';
import * as files from './file-looks';
import { blinked, locateLit } from './identify';
import { immutable } from './immutable';
import { lookAtUser } from './end-process';
import { isDetaching, loopsOf } from './loops';
import { lookAtUnit, lookAtUnitLink } from './mount-units';
import { bridgeUp, checkIn, linkAddressed } from './network-looks';
import { selfTestEnded, selfTestStarted } from './self-test-looks';
import { askBlkid, askSfdisk, askWipefs, type RawSignature } from './signatures';
import { hasMomentaryUuid, readBtrfsMembers } from './sysfs';
import { kernelNameOf } from './system-drives';
import { lookAtLink, lookAtRunning } from './release-actions';
import { lookAtTree } from './tree-look';
import { lookAtTrial } from './trial-look';
import { lookAtRelease } from './unpack-release';
import type { BlockDrive, Host } from './types';

const NODE_WAIT_MS = 3_000;

const seen = (status: LookStatus, evidence: string): LookResult => ({ status, evidence });

const wantedFilesystem = { type: z.string(), uuid: z.string() };
const filesystemArguments = z.union([
  z.object({ drive: z.string(), partition: z.number(), ...wantedFilesystem }),
  z.object({ array: z.string(), ...wantedFilesystem }),
  z.object({ mapped: z.string(), ...wantedFilesystem }),
]);
const tableArguments = z.object({
  drive: z.string(),
  diskUuid: z.string(),
  partitionUuids: z.array(z.string()),
});
const partitionArguments = z.object({ drive: z.string(), partition: z.number() });
const blankArguments = z.object({ drive: z.string(), contentHash: z.string() });
const forgottenArguments = z.object({
  at: z.array(z.object({ drive: z.string(), partition: z.number().optional() })),
});
const pathArguments = z.object({ path: z.string() });
const mountedArguments = z.object({ path: z.string(), uuid: z.string() });
const mountedFromArguments = z.object({ path: z.string(), source: z.string() });

const same = (a: string | null | undefined, b: string): boolean => a?.toLowerCase() === b.toLowerCase();

/** GPT head, its backup copy and the protective MBR: what is left of a table when writing or erasing it was cut. */
const isTablePiece = (signature: RawSignature): boolean =>
  signature.type === 'gpt' || signature.type === 'PMBR';

type LookHost = Pick<Host, 'commands' | 'blockDevices' | 'mounts'>;
type CoreLook = (host: LookHost, args: JsonObject) => Promise<LookResult>;

const nameOf = ({ type, label }: Signature): string => (label ? `${type} "${label}"` : type);
/** What sits on a drive, in a few words. */
const contentText = (drive: BlockDrive): string =>
  [
    ...drive.signatures.map(nameOf),
    ...drive.partitions.map(
      ({ number, signatures }) => `partition ${number} (${signatures.map(nameOf).join(', ') || 'empty'})`,
    ),
  ].join(', ');

/** A drive has to be there; an array or a mapped device that is not running is seen as absent. */
function placeOf(
  host: LookHost,
  at: { drive: string; partition: number } | { array: string } | { mapped: string },
): { path: string | null; place: string } {
  if (!('drive' in at))
    return {
      path: host.blockDevices.pathOf(at),
      place: 'array' in at ? `array ${at.array}` : `device ${at.mapped}`,
    };
  const { drive, partition } = at;
  const whole = host.blockDevices.resolve({ drive });
  if (partition === 0) return { path: whole, place: drive };
  return {
    path: host.blockDevices.pathOf({ drive, partition }),
    place: `partition ${partition} of ${drive}`,
  };
}

async function filesystem(host: LookHost, args: JsonObject): Promise<LookResult> {
  const { type, uuid, ...at } = filesystemArguments.parse(args);
  const { path, place } = placeOf(host, at);
  if (path === null || !existsSync(path)) return seen('absent', `There is no ${place}.`);
  const answer = await askBlkid(host.commands, path);
  if (answer.kind === 'nothing') return seen('absent', `Nothing is on ${place}.`);
  if (answer.kind === 'ambivalent')
    return seen('foreign', `The signatures of several filesystems are on ${place}.`);
  const { type: foundType, uuid: foundUuid, tableType: table } = answer;
  if (foundType === type && same(foundUuid, uuid))
    return seen('done', `The ${type} filesystem ${uuid} is on ${place}.`);
  if (foundType)
    return seen('foreign', `Another filesystem is on ${place}: ${foundType} ${foundUuid ?? ''}`.trim() + '.');
  if (table) return seen('foreign', `A partition table (${table}) is on ${place}.`);
  return seen('absent', `Nothing is on ${place}.`);
}

async function partitionTable(host: LookHost, args: JsonObject): Promise<LookResult> {
  const { drive, diskUuid, partitionUuids } = tableArguments.parse(args);
  const path = host.blockDevices.resolve({ drive });
  const raw = await askWipefs(host.commands, path);
  if (raw.length === 0) return seen('absent', `No partition table is on ${drive}.`);
  const other = raw.find((signature) => !isTablePiece(signature));
  if (other) return seen('foreign', `Something else is on ${drive}: ${other.type}.`);
  if (!raw.some((signature) => signature.type === 'gpt'))
    return seen('partial', `Only a piece of a partition table is on ${drive}.`);
  const table = await askSfdisk(host.commands, path);
  if (!table) return seen('partial', `A damaged partition table is on ${drive}.`);
  if (table.label !== 'gpt' || !same(table.id, diskUuid))
    return seen(
      'foreign',
      `Another partition table is on ${drive}: ${table.label} ${table.id ?? ''}`.trim() + '.',
    );
  const found = table.partitions.map((partition) => partition.uuid ?? '').sort();
  const wanted = partitionUuids.map((uuid) => uuid.toLowerCase()).sort();
  return found.join() === wanted.join()
    ? seen('done', `The partition table ${diskUuid} is on ${drive}.`)
    : seen('partial', `The partition table ${diskUuid} is on ${drive}, with other partitions than wanted.`);
}

async function partitionNode(host: LookHost, args: JsonObject): Promise<LookResult> {
  const { drive, partition } = partitionArguments.parse(args);
  const until = performance.now() + NODE_WAIT_MS;
  for (;;) {
    host.blockDevices.resolve({ drive });
    const path = host.blockDevices.pathOf({ drive, partition });
    if (path === null) return seen('absent', `The kernel shows no partition ${partition} of ${drive}.`);
    // Kernel first, node a moment later where udev or devtmpfs is slow.
    if (existsSync(path)) return seen('done', `Partition ${partition} of ${drive} is ${path}.`);
    if (performance.now() >= until)
      return seen('partial', `The kernel shows partition ${partition} of ${drive}, but ${path} is missing.`);
    await sleep(10);
  }
}

async function blank(host: LookHost, args: JsonObject): Promise<LookResult> {
  const { drive, contentHash } = blankArguments.parse(args);
  const now = await host.blockDevices.inspect(drive);
  if (now.contentHash === BLANK) return seen('done', `Nothing is on ${drive}.`);
  if (now.contentHash === contentHash)
    return seen('absent', `On ${drive} is still what the plan erases: ${contentText(now)}.`);
  const raw = await askWipefs(host.commands, now.path);
  if (now.partitions.length === 0 && raw.length > 0 && raw.every(isTablePiece) && raw.length < 3)
    return seen('partial', `Only a piece of a partition table is left on ${drive}.`);
  return seen('foreign', `On ${drive} is something else than the plan was made for: ${contentText(now)}.`);
}

/** Like `blank`, but partition nodes that the kernel still shows do not count once nothing is on them. */
async function erased(host: LookHost, args: JsonObject): Promise<LookResult> {
  const { drive, contentHash } = blankArguments.parse(args);
  const now = await host.blockDevices.inspect(drive);
  const left = [now, ...now.partitions].flatMap((place) => place.signatures);
  if (left.length === 0 && (await askWipefs(host.commands, now.path)).length === 0)
    return seen('done', `No signature is on ${drive} or its partitions.`);
  if (now.contentHash === contentHash)
    return seen('absent', `On ${drive} is still what the plan erases: ${contentText(now)}.`);
  return seen('foreign', `On ${drive} is something else than the plan was made for: ${contentText(now)}.`);
}

async function mounted(host: LookHost, args: JsonObject): Promise<LookResult> {
  const { path, uuid } = mountedArguments.parse(args);
  const mount = host.mounts().findLast((entry) => entry.path === path);
  if (!mount) return seen('absent', `Nothing is mounted at ${path}.`);
  const name = kernelNameOf(mount.source);
  if (mount.filesystem === 'btrfs') {
    // The kernel knows the UUID of a mounted btrfs, also when the drive that the mount table names is gone.
    const listed = mount.source.slice(mount.source.lastIndexOf('/') + 1);
    for (const [found, members] of readBtrfsMembers())
      if (members.includes(name ?? listed) && !hasMomentaryUuid(found)) return mountedAs(path, uuid, found);
  }
  if (!mount.source.startsWith('/dev/'))
    return seen('foreign', `Something else is mounted at ${path}: ${mount.source} (${mount.filesystem}).`);
  if (name === null)
    return seen('partial', `A filesystem whose drive is gone (${mount.source}) is mounted at ${path}.`);
  const answer = await askBlkid(host.commands, mount.source);
  return mountedAs(path, uuid, answer.kind === 'found' ? answer.uuid : null);
}

async function mountedFrom(host: LookHost, args: JsonObject): Promise<LookResult> {
  const { path, source } = mountedFromArguments.parse(args);
  const mount = host.mounts().findLast((entry) => entry.path === path);
  if (!mount) return seen('absent', `Nothing is mounted at ${path}.`);
  return mount.source === source
    ? seen('done', `${source} is mounted at ${path}.`)
    : seen('foreign', `Something else is mounted at ${path}: ${mount.source} (${mount.filesystem}).`);
}

async function btrfsForgotten(host: LookHost, args: JsonObject): Promise<LookResult> {
  const { at } = forgottenArguments.parse(args);
  const paths = at.flatMap(
    ({ drive, partition }) =>
      host.blockDevices.pathOf(partition === undefined ? { drive } : { drive, partition }) ?? [],
  );
  return paths.length === 0
    ? seen('done', 'None of the drives is there.')
    : seen('absent', `The kernel does not tell what it remembers of ${paths.join(', ')}.`);
}

const mountedAs = (path: string, wanted: string, found: string | null): LookResult =>
  same(found, wanted)
    ? seen('done', `The filesystem ${wanted} is mounted at ${path}.`)
    : seen('foreign', `Another filesystem (${found ?? 'unknown'}) is mounted at ${path}.`);

/** Links are not followed: on a filesystem that somebody else made they may lead anywhere. */
async function loopAttached(_host: LookHost, args: JsonObject): Promise<LookResult> {
  const { path } = pathArguments.parse(args);
  // A detached device goes when its last user (udev, a probe) closes it: that moment is waited for.
  for (const until = performance.now() + NODE_WAIT_MS; isDetaching(path) && performance.now() < until;)
    await sleep(10);
  const loops = loopsOf(path);
  return loops.length > 0
    ? seen('done', `${path} is attached as ${loops.join(', ')}.`)
    : seen('absent', `${path} is not attached.`);
}

const CORE = new Map<string, CoreLook>([
  ['filesystem', filesystem],
  ['partition-table', partitionTable],
  ['partition-node', partitionNode],
  ['blank', blank],
  ['erased', erased],
  ['directory', (_host, args) => files.directory(args)],
  ['immutable', immutable],
  ['mount-unit', (_host, args) => lookAtUnit(args)],
  ['mount-unit-link', (_host, args) => lookAtUnitLink(args)],
  ['self-test-started', selfTestStarted],
  ['self-test-ended', selfTestEnded],
  ['blinked', blinked],
  ['locate-lit', locateLit],
  ['areas-saved', areasSaved],
  ['areas-erased', areasErased],
  ['areas-written', areasWritten],
  ['mounted', mounted],
  ['mounted-from', mountedFrom],
  ['converted', (_host, args) => lookAtConversion(args)],
  ['file', (_host, args) => files.file(args)],
  ['downloaded', (_host, args) => downloaded(args)],
  ['tree', (_host, args) => lookAtTree(args)],
  ['release', (_host, args) => lookAtRelease(args)],
  ['link', (_host, args) => lookAtLink(args)],
  ['runs-from', async (_host, args) => lookAtRunning(args)],
  ['trial', (_host, args) => lookAtTrial(args)],
  ['file-there', (_host, args) => files.fileThere(args)],
  ['identity', (_host, args) => files.identity(args)],
  ['btrfs-forgotten', btrfsForgotten],
  ['sparse-file', (_host, args) => files.sparseFile(args)],
  ['loop-attached', loopAttached],
  ['process-ended', (_host, args) => lookAtUser(args)],
  ['bridge-up', bridgeUp],
  ['link-addressed', linkAddressed],
  ['check-in', async (_host, args) => checkIn(args, Date.now())],
]);

export const isCoreLook = (name: string): boolean => CORE.has(name);

/**
 * @returns a function that performs any core look, `negate` included: then done and absent change places.
 * @throws AppError bug for a look that is none of the core's, drive_gone, command_failed, parse_failed
 */
export function createLooks(host: LookHost): (look: Look) => Promise<LookResult> {
  return async (look) => {
    const core = CORE.get(look.look);
    if (!core) throw new AppError('bug', `There is no core look "${look.look}".`);
    const result = await core(host, look.args);
    if (!look.negate) return result;
    if (result.status === 'done') return { ...result, status: 'absent' };
    return result.status === 'absent' ? { ...result, status: 'done' } : result;
  };
}
