/** What may be done to drives: sandbox drives are made, attached again after a restart, and removed. */
import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, realpathSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { looks, not, type Step } from '$lib/plugin-api/plan';
import type { Clock } from '../clock';
import type { Config } from '../config';
import type { Db } from '../db/client';
import { AppError, issue, issuesError } from '../errors';
import type { LiveHost } from '../host/host';
import { loopsOf } from '../host/loops';
import { askSfdisk } from '../host/signatures';
import type { Logger } from '../log';
import type { OperationDefinition, Operations, Prepared, RecordOwner } from '../operations/types';
import { driveName } from './availability';
import type { DriveHealths } from './health';
import { identifyOperation } from './identify';
import { parseRequest } from './request';
import { selfTestOperation } from './self-test';
import { restoreWipeOperation, wipeDriveOperation } from './wipe';
import { erasureOf, expectationOf } from './erasure';
import type { Drives } from './drive';
import { installationDigits, removeRow } from './store';

export interface DriveOperationParts {
  db: Db;
  host: Pick<LiveHost, 'commands' | 'blockDevices'>;
  drives: Pick<Drives, 'get' | 'list' | 'refresh'>;
  config: Pick<Config, 'sandboxDir' | 'dataDir'>;
  clock: Clock;
  /** Absent: drives cannot be told to test themselves. */
  driveHealth?: Pick<DriveHealths, 'read' | 'of'>;
  log: Logger;
}

const MINUTE = 60_000;
const createRequest = z.strictObject({
  count: z.number().int().min(1).max(32),
  sizeBytes: z
    .number()
    .int()
    .min(64 * 1024 ** 2)
    .max(16 * 1024 ** 4),
});
const removeRequest = z.strictObject({ driveId: z.string() });
const noRequest = z.strictObject({});

const nobody: RecordOwner = {
  begin: () => undefined,
  succeed: () => undefined,
  takenBack: () => undefined,
  needsYou: () => undefined,
};
const SANDBOX = { type: 'host', id: 'sandbox', label: 'Sandbox drives' } as const;
const idOf = (serial: string): string => `drive-${serial.toLowerCase()}`;
/** Stable: by the drive's place in the plan, from 1. */
const stepName = (verb: string, index: number): string => `${verb}-${index + 1}`;

export function defineDriveOperations(
  operations: Pick<Operations, 'define'>,
  parts: DriveOperationParts,
): void {
  const digits = installationDigits(parts.db, () => randomBytes(2).toString('hex').toUpperCase());
  operations.define(createSandboxDrives(parts, digits));
  operations.define(attachSandboxDrives(parts));
  operations.define(removeSandboxDrive(parts));
  operations.define(wipeDriveOperation(parts));
  operations.define(restoreWipeOperation(parts));
  operations.define(identifyOperation(parts));
  if (parts.driveHealth) operations.define(selfTestOperation({ ...parts, driveHealth: parts.driveHealth }));
}

/** As the kernel tells it of a loop device: without links. */
const folderOf = ({ config }: DriveOperationParts): string =>
  existsSync(config.sandboxDir) ? realpathSync(config.sandboxDir) : config.sandboxDir;

const serialsIn = (folder: string): string[] =>
  existsSync(folder)
    ? readdirSync(folder)
        .filter((name) => name.endsWith('.img'))
        .map((name) => name.slice(0, -'.img'.length))
        .sort()
    : [];

const attachStep = (path: string, serial: string, index: number): Step => ({
  name: stepName('attach', index),
  title: `Attach ${serial} to a loop device`,
  run: { do: 'attach-loop', path },
  undo: [{ do: 'detach-loop', path }],
  look: looks.loopAttached(path),
});

const plan = (
  values: Pick<Prepared, 'input' | 'title' | 'steps' | 'locks'> & Partial<Prepared>,
): Prepared => ({ subject: SANDBOX, drives: [], erases: [], confirmText: null, notes: [], ...values });

function createSandboxDrives(parts: DriveOperationParts, digits: string): OperationDefinition {
  /** Numbers are never used again while anybody may remember them. */
  function firstFree(folder: string): number {
    const pattern = new RegExp(`^SBX-${digits}-(\\d+)$`);
    const serials = [...serialsIn(folder), ...parts.drives.list().map((drive) => drive.serial ?? '')];
    return Math.max(0, ...serials.map((serial) => Number(pattern.exec(serial)?.[1] ?? 0))) + 1;
  }
  return {
    kind: 'sandbox.create-drives',
    onInterrupt: 'take-back',
    deadlineMs: 5 * MINUTE,
    record: nobody,
    async prepare(request) {
      const { count, sizeBytes } = parseRequest(createRequest, request);
      const folder = folderOf(parts);
      const first = firstFree(folder);
      const serials = Array.from(
        { length: count },
        (_, index) => `SBX-${digits}-${String(first + index).padStart(2, '0')}`,
      );
      const steps = serials.flatMap((serial, index): Step[] => {
        const path = join(folder, `${serial}.img`);
        return [
          {
            name: stepName('make-file', index),
            title: `Make the file of ${serial}`,
            run: { do: 'make-sparse-file', path, sizeBytes },
            undo: [{ do: 'remove-file', path }],
            look: looks.sparseFile(path, sizeBytes),
          },
          attachStep(path, serial, index),
        ];
      });
      return plan({
        input: { count, sizeBytes, serials },
        title: `Make ${count} sandbox ${count === 1 ? 'drive' : 'drives'}`,
        steps,
        locks: ['sandbox', ...serials.map((serial) => `drive:${idOf(serial)}`)],
        notes: ['The files are sparse: they take space only for what is written to them.'],
      });
    },
  };
}

function attachSandboxDrives(parts: DriveOperationParts): OperationDefinition {
  /** A kernel without a parser for the table shows partitions only when it is told to. */
  async function partitionStep(path: string, serial: string, index: number): Promise<Step[]> {
    const table = statSync(path).size === 0 ? null : await askSfdisk(parts.host.commands, path);
    const numbers = table?.partitions
      .map((partition) => partition.number)
      .filter((number) => number !== null);
    const drive = idOf(serial);
    const last = Math.max(0, ...(numbers ?? []));
    if (last === 0 || parts.host.blockDevices.pathOf({ drive, partition: last }) !== null) return [];
    return [
      {
        name: stepName('show-partitions', index),
        title: `Show the partitions of ${serial}`,
        run: { do: 'reread-partitions', drive },
        undo: 'nothing',
        look: looks.partitionNode(drive, last),
      },
    ];
  }
  return {
    kind: 'sandbox.attach-drives',
    onInterrupt: 'continue',
    deadlineMs: 5 * MINUTE,
    record: nobody,
    async prepare(request) {
      parseRequest(noRequest, request);
      const folder = folderOf(parts);
      parts.host.blockDevices.scan();
      const steps: Step[] = [];
      const serials: string[] = [];
      for (const [index, serial] of serialsIn(folder).entries()) {
        const path = join(folder, `${serial}.img`);
        const attach = loopsOf(path).length === 0 ? [attachStep(path, serial, index)] : [];
        const own = [...attach, ...(await partitionStep(path, serial, index))];
        if (own.length > 0) serials.push(serial);
        steps.push(...own);
      }
      return plan({
        input: { serials },
        title: 'Attach the sandbox drives',
        steps,
        // Not the drives: an interrupted operation may hold them, and it is judged when they are back.
        locks: ['sandbox'],
      });
    },
  };
}

function removeSandboxDrive(parts: DriveOperationParts): OperationDefinition {
  return {
    kind: 'sandbox.remove-drive',
    onInterrupt: 'finish',
    deadlineMs: 5 * MINUTE,
    record: {
      ...nobody,
      succeed: (tx, _operationId, prepared) => removeRow(tx, prepared.subject.id),
    },
    async prepare(request) {
      const { driveId } = parseRequest(removeRequest, request);
      // What sits on it is read now: whether something is lost, and the plan's hash, follow from it.
      const { kernelName } = parts.drives.get(driveId);
      if (kernelName !== null) await parts.drives.refresh([kernelName]);
      const drive = parts.drives.get(driveId);
      const name = driveName(drive);
      if (!drive.sandbox || !drive.serial)
        throw new AppError('not_supported', `${name} is a real drive; only sandbox drives can be removed.`);
      const hinders = new Set(['drive_in_pool', 'drive_in_use', 'drive_protected', 'drive_system']);
      const issues = drive.issues.filter((one) => hinders.has(one.code));
      if (drive.pool && issues.length === 0)
        issues.push(issue('drive_in_pool', `${name} belongs to the pool "${drive.pool.label}".`));
      if (issues.length > 0) throw issuesError(issues);
      const path = join(folderOf(parts), `${drive.serial}.img`);
      const sizeBytes = existsSync(path) ? statSync(path).size : drive.sizeBytes;
      const erasure = erasureOf(drive);
      return plan({
        input: { driveId, serial: drive.serial },
        title: `Remove sandbox drive ${drive.serial}`,
        subject: { type: 'drive', id: driveId, label: drive.serial },
        steps: [
          {
            name: 'detach',
            title: `Detach ${drive.serial}`,
            run: { do: 'detach-loop', path },
            undo: [{ do: 'attach-loop', path }],
            look: not(looks.loopAttached(path)),
            // The last moment in which its content can be compared with what was confirmed. A drive that cannot be
            // read can still be thrown away.
            ...(drive.present && drive.probed ? { destroys: [driveId] } : {}),
          },
          {
            name: 'remove-file',
            title: `Remove the file of ${drive.serial}`,
            run: { do: 'remove-file', path },
            undo: 'impossible',
            look: not(looks.sparseFile(path, sizeBytes)),
          },
        ],
        locks: ['sandbox', `drive:${driveId}`],
        drives: [expectationOf(drive)],
        erases: erasure ? [erasure] : [],
        confirmText: erasure ? drive.serial : null,
      });
    },
  };
}
