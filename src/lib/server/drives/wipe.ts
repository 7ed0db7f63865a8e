/**
 * Wiping a drive that is free, and taking that back. What wipefs will zero is saved first, so a wipe can be undone until
 * something else is written to the drive.
 */
import { join } from 'node:path';
import { z } from 'zod';
import { looks, not, type Step } from '$lib/plugin-api/plan';
import { derivedUuid, forgetBtrfs, wipeAction } from '$lib/plugin-api/steps';
import type { Drive } from '$lib/shared/wire/drives';
import type { Clock } from '../clock';
import type { Config } from '../config';
import type { Db } from '../db/client';
import { AppError, issuesError } from '../errors';
import { areasToSave, compareAreas, savedPartitions, type WipePlace } from '../host/areas';
import type { LiveHost } from '../host/host';
import { askWipefs } from '../host/signatures';
import { readDrives } from '../host/sysfs';
import type { OperationDefinition, Prepared, RecordOwner } from '../operations/types';
import { driveName } from './availability';
import type { Drives } from './drive';
import { contentLines, erasureOf, expectationOf } from './erasure';
import { parseRequest } from './request';
import { addBackup, countBackups, findBackup, markTakenBack, newerBackup } from './wipe-store';

export interface WipeParts {
  db: Db;
  host: Pick<LiveHost, 'commands' | 'blockDevices'>;
  drives: Pick<Drives, 'get' | 'refresh'>;
  config: Pick<Config, 'dataDir'>;
  clock: Clock;
}

const MINUTE = 60_000;
const BLANK = 'blank';
/** Namespace of the ids of backups: the same drive, content and count give the same id, so that a plan can be made twice. */
const NAMESPACE = 'e5a5d1c6-6b0c-4c57-9a5e-6c0f2a6c1d0b';
const MOST_BYTES = 512 * 1024 ** 2;

const quiet: RecordOwner = {
  begin: () => undefined,
  succeed: () => undefined,
  takenBack: () => undefined,
  needsYou: () => undefined,
};
const wipeRequest = z.strictObject({ driveId: z.string() });
const restoreRequest = z.strictObject({ backupId: z.string() });
const wipeInput = z.object({
  backupId: z.string(),
  driveId: z.string(),
  path: z.string(),
  description: z.string(),
});

/** What is on it, read now: that may wake it, which is what who wipes it wants. */
async function readNow({ drives }: WipeParts, driveId: string): Promise<Drive> {
  const { kernelName } = drives.get(driveId);
  if (kernelName !== null) await drives.refresh([kernelName]);
  const drive = drives.get(driveId);
  // One that was set aside may be wiped, before it is given away above all.
  const issues = drive.issues.filter(({ code }) => code !== 'drive_set_aside');
  if (issues.length > 0) throw issuesError(issues);
  return drive;
}

async function placesOf({ host }: WipeParts, drive: Drive): Promise<WipePlace[]> {
  const known = readDrives().find((one) => one.kernelName === drive.kernelName);
  if (!known) throw new AppError('drive_gone', `${driveName(drive)} is not plugged in.`);
  const nodes = [{ path: known.path, startBytes: 0, sizeBytes: known.sizeBytes }, ...known.partitions];
  const places: WipePlace[] = [];
  for (const { path, startBytes, sizeBytes } of nodes) {
    const found = await askWipefs(host.commands, path);
    const signatureOffsets = found.map((signature) => Number.parseInt(signature.offset, 16));
    if (path === known.path || found.length > 0) places.push({ startBytes, sizeBytes, signatureOffsets });
  }
  return places;
}

function wipeSteps(drive: Drive, path: string, areas: ReturnType<typeof areasToSave>): Step[] {
  const numbers = drive.partitions.map((partition) => partition.number).toSorted((a, b) => a - b);
  const [first] = numbers;
  const steps: Step[] = [
    {
      name: 'save-areas',
      title: 'Save what the wipe will change',
      run: { do: 'save-areas', drive: drive.id, path, areas, partitions: numbers },
      undo: [{ do: 'remove-file', path }],
      look: looks.areasSaved(drive.id, path, areas),
    },
    {
      name: 'erase-signatures',
      title: `Erase the signatures of ${driveName(drive)}`,
      // Partitions first: what begins at the same place in a later partition would be found again.
      run: wipeAction(...numbers.map((partition) => ({ drive: drive.id, partition })), { drive: drive.id }),
      undo: [
        { do: 'write-areas', drive: drive.id, path },
        ...(first === undefined ? [] : [{ do: 'reread-partitions', drive: drive.id } as const]),
      ],
      look: looks.areasErased(drive.id, path, drive.contentHash),
      destroys: [drive.id],
    },
  ];
  const hasBtrfs = [drive, ...drive.partitions].some(({ signatures }) =>
    signatures.some(({ type }) => type === 'btrfs'),
  );
  // While its partitions still have nodes.
  if (hasBtrfs)
    steps.push(
      ...forgetBtrfs([...numbers.map((partition) => ({ drive: drive.id, partition })), { drive: drive.id }]),
    );
  if (first !== undefined)
    steps.push({
      name: 'forget-partitions',
      title: 'Let the system forget the partitions',
      run: { do: 'forget-partitions', drive: drive.id },
      undo: 'nothing',
      look: not(looks.partitionNode(drive.id, first)),
    });
  return steps;
}

export function wipeDriveOperation(parts: WipeParts): OperationDefinition {
  const { db, config, clock } = parts;
  return {
    kind: 'drive.wipe',
    onInterrupt: 'finish',
    deadlineMs: 10 * MINUTE,
    record: {
      ...quiet,
      succeed(tx, _operationId, prepared) {
        const { backupId, driveId, path, description } = wipeInput.parse(prepared.input);
        addBackup(tx, {
          ...{ id: backupId, driveId, path, description },
          ...{ createdAt: clock.now(), contentHash: BLANK, takenBackAt: null, expiredAt: null },
        });
      },
    },
    async prepare(request): Promise<Prepared> {
      const { driveId } = parseRequest(wipeRequest, request);
      const drive = await readNow(parts, driveId);
      const erasure = erasureOf(drive);
      if (!erasure) throw new AppError('drive_blank', `Nothing is on ${driveName(drive)}.`);
      const areas = areasToSave(drive.sizeBytes, await placesOf(parts, drive));
      const bytes = areas.reduce((sum, area) => sum + area.lengthBytes, 0);
      if (bytes > MOST_BYTES)
        throw new AppError('not_supported', `${driveName(drive)} has too many partitions to be saved first.`);
      const backupId = derivedUuid(NAMESPACE, `${driveId} ${drive.contentHash} ${countBackups(db, driveId)}`);
      const path = join(config.dataDir, 'wiped', `${backupId}.areas`);
      return {
        input: { backupId, driveId, path, description: contentLines(drive).join(', ') },
        title: `Wipe ${driveName(drive)}`,
        subject: { type: 'drive', id: driveId, label: drive.serial ?? driveName(drive) },
        steps: wipeSteps(drive, path, areas),
        locks: [`drive:${driveId}`],
        drives: [expectationOf(drive)],
        erases: [erasure],
        confirmText: drive.serial ?? drive.kernelName,
        notes: [
          'Tables and superblocks are saved first. The wipe can be taken back until something else is written to the drive.',
          'Files are not overwritten: this is not a way to make them unreadable for good.',
        ],
      };
    },
  };
}

export function restoreWipeOperation(parts: WipeParts): OperationDefinition {
  const { db, host, clock } = parts;
  const refuse = (why: string): AppError => new AppError('wipe_not_restorable', why);
  return {
    kind: 'drive.restore-wipe',
    onInterrupt: 'finish',
    deadlineMs: 10 * MINUTE,
    record: {
      ...quiet,
      succeed: (tx, _operationId, prepared) =>
        markTakenBack(tx, z.object({ backupId: z.string() }).parse(prepared.input).backupId, clock.now()),
    },
    async prepare(request): Promise<Prepared> {
      const { backupId } = parseRequest(restoreRequest, request);
      const backup = findBackup(db, backupId);
      if (!backup) throw new AppError('not_found', 'Nothing was saved under this id.');
      if (backup.takenBackAt !== null) throw refuse('This wipe was taken back already.');
      if (backup.expiredAt !== null)
        throw refuse('What was saved before this wipe was kept for its time, and then removed.');
      if (newerBackup(db, backup)) throw refuse('The drive was wiped again since.');
      const { path, driveId, description } = backup;
      const drive = await readNow(parts, driveId);
      const name = driveName(drive);
      if (drive.contentHash !== backup.contentHash)
        throw refuse(`Something was written to ${name} since it was wiped.`);
      const saved = await compareAreas(host.blockDevices.resolve({ drive: driveId }), path);
      if (saved === 'other') throw refuse(`Something was written to ${name} since it was wiped.`);
      return {
        input: { backupId, driveId },
        title: `Take back the wipe of ${name}`,
        subject: { type: 'drive', id: driveId, label: drive.serial ?? name },
        steps: restoreSteps(drive, path, await savedPartitions(path)),
        locks: [`drive:${driveId}`],
        drives: [expectationOf(drive)],
        erases: [],
        confirmText: null,
        notes: [`Comes back: ${description}.`],
      };
    },
  };
}

const restoreSteps = (drive: Drive, path: string, partitions: number[]): Step[] => [
  {
    name: 'write-areas',
    title: `Write back what was saved of ${driveName(drive)}`,
    run: { do: 'write-areas', drive: drive.id, path },
    undo: 'impossible',
    look: looks.areasWritten(drive.id, path),
    destroys: [drive.id],
  },
  ...(partitions.length === 0
    ? []
    : [
        {
          name: 'show-partitions',
          title: 'Show its partitions',
          run: { do: 'reread-partitions', drive: drive.id },
          undo: 'nothing',
          look: looks.partitionNode(drive.id, Math.max(...partitions)),
        } as const satisfies Step,
      ]),
];
