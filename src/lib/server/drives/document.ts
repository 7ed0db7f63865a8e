/** The document of a drive, made of what the machine shows, what is kept about it, and who uses it: pure. */
import type { Drive, DriveHealth } from '$lib/shared/wire/drives';
import { issue } from '../errors';
import type { BlockDrive } from '../host/types';
import { driveName, groupOf, issuesOf, protectionOf, usersOf, type Circumstances } from './availability';
import type { DriveRow } from './store';
import type { WipeBackup } from './wipe-store';

/** What is kept about a drive that is there, brought up to date; for one that was never seen, a new row. */
export function rowFor(drive: BlockDrive, known: DriveRow | undefined, now: number): DriveRow {
  const { id, serial, wwn, model, vendor, sizeBytes, bus, rotational, sandbox } = drive;
  return {
    ...{ bayLabel: null, protectedByUser: false, firstSeenAt: now, lastSeenAt: now },
    ...{ setAsideAt: null, setAsideWhy: null },
    ...known,
    ...{ id, serial, wwn, model, vendor, sizeBytes, bus, rotational, sandbox },
  };
}

export const setAsideOf = ({ setAsideAt, setAsideWhy }: DriveRow): Drive['setAside'] =>
  setAsideAt === null ? null : { at: setAsideAt, why: setAsideWhy ?? '' };

/** Whether a wipe can be taken back: only while nothing else has come onto the drive. */
export function wipedOf(backup: WipeBackup | undefined, drive: BlockDrive, uses: string[]): Drive['wiped'] {
  if (!backup) return null;
  const { id: backupId, createdAt: at, description, contentHash } = backup;
  const why = backup.expiredAt
    ? 'What was saved was kept for its time, and then removed.'
    : !drive.probed
      ? 'What is on the drive now has not been read.'
      : drive.contentHash !== contentHash || uses.length > 0
        ? 'Something was written to the drive since.'
        : null;
  return { backupId, at, description, why };
}

export function presentDrive(
  drive: BlockDrive,
  row: DriveRow,
  circumstances: Circumstances,
  known: { health: DriveHealth; backup: WipeBackup | undefined; identifiedBy: Drive['identifiedBy'] },
): Drive {
  const { system: _, backingFile: __, usedBy: ___, ...shown } = drive;
  return {
    ...shown,
    present: true,
    bayLabel: row.bayLabel,
    protection: protectionOf(drive, circumstances),
    group: groupOf(drive, circumstances),
    issues: issuesOf(drive, circumstances),
    pool: circumstances.pool,
    operationId: circumstances.operationId,
    health: known.health,
    setAside: setAsideOf(row),
    identifiedBy: known.identifiedBy,
    wiped: wipedOf(known.backup, drive, circumstances.pool ? [circumstances.pool.label] : usersOf(drive)),
    firstSeenAt: row.firstSeenAt,
    lastSeenAt: row.lastSeenAt,
  };
}

const gone = {
  present: false,
  kernelName: null,
  path: null,
  byId: null,
  logicalSectorBytes: 512,
  physicalSectorBytes: 512,
  readOnly: false,
  removable: false,
  identity: 'strong',
  group: 'gone',
  signatures: [],
  mounts: [],
  holders: [],
  partitions: [],
  probed: false,
  contentHash: 'unread',
  identifiedBy: 'activity',
  wiped: null,
} satisfies Partial<Drive>;

export const goneDrive = (
  row: DriveRow,
  pool: Drive['pool'],
  operationId: string | null,
  health: DriveHealth,
): Drive => ({
  ...gone,
  id: row.id,
  model: row.model,
  vendor: row.vendor,
  serial: row.serial,
  wwn: row.wwn,
  bus: row.bus as Drive['bus'],
  sizeBytes: row.sizeBytes,
  rotational: row.rotational,
  sandbox: row.sandbox,
  bayLabel: row.bayLabel,
  protection: row.protectedByUser ? 'user' : 'none',
  setAside: setAsideOf(row),
  issues: [issue('drive_gone', `${driveName({ ...row, kernelName: null })} is not plugged in.`)],
  pool,
  operationId,
  health: { ...health, power: 'unknown', selfTest: { ...health.selfTest, running: null } },
  firstSeenAt: row.firstSeenAt,
  lastSeenAt: row.lastSeenAt,
});
