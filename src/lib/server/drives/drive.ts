/**
 * Drives as everybody sees them: what the machine shows now, joined with what people said about them and who uses them.
 *
 * News travels in two steps so that a plugged drive is on the page in milliseconds: first who is there (no program is
 * started for that), a moment later what sits on it. A drive that an operation works on is not probed meanwhile: an
 * open device makes the kernel refuse a new partition table or a detach.
 */
import type { Drive, DriveHealth, DriveUse } from '$lib/shared/wire/drives';
import type { Clock } from '../clock';
import type { Config } from '../config';
import type { Db } from '../db/client';
import { AppError } from '../errors';
import type { Bus } from '../events/bus';
import type { Feed } from '../events/feed';
import { isClaimant } from '../host/drive-identity';
import type { LiveHost } from '../host/host';
import type { BlockDrive } from '../host/types';
import type { Logger } from '../log';
import { driveName } from './availability';
import { createContentReadings } from './content-readings';
import { goneDrive, presentDrive, rowFor, setAsideOf } from './document';
import { NO_HEALTH } from './health-document';
import { createPresence } from './presence';
import { allRows, putRows, type DriveRow } from './store';
import { lastBackups, type WipeBackup } from './wipe-store';

const RELEASED_MS = 100;

export interface Drives {
  list(): Drive[];
  /** @throws AppError drive_not_found */
  get(id: string): Drive;
  /** By id or serial. @throws AppError drive_ambiguous when several present drives have the serial */
  find(serialOrId: string): Drive | null;
  /** Looks again, content included; without names at everything. Kernel names such as `sda`. */
  refresh(names?: string[]): Promise<void>;
  /** @throws AppError drive_not_found */
  use(id: string): Promise<DriveUse>;
  /** @throws AppError drive_not_found, drive_system when a system drive should lose its protection */
  protect(id: string, on: boolean): Drive;
  /** @param why null releases it: it may be chosen for a new pool again. @throws AppError drive_not_found */
  setAside(id: string, why: string | null): Drive;
  /** @param label null or empty takes it away. @throws AppError drive_not_found */
  setBayLabel(id: string, label: string | null): Drive;
  /** Begins to follow events; the first documents are in the feed when it returns, their content a moment later. */
  start(): void;
  /** Resolves when what sits on every drive was read and nothing more waits to be. */
  settled(): Promise<void>;
  stop(): void;
}

export interface DriveParts {
  db: Db;
  host: Pick<LiveHost, 'blockDevices' | 'processesUsing'>;
  bus: Bus;
  feed: Feed;
  clock: Clock;
  config: Pick<Config, 'sandbox'>;
  log: Logger;
  /** The pool that a drive belongs to. */
  poolOf: (driveId: string) => { guid: string; label: string } | null;
  /** The live operation that holds a lock. */
  operationOf: (lock: string) => string | null;
  healthOf?: (driveId: string) => DriveHealth;
  /** Does it sleep now? Asked before a probe that nobody wants right now; default: no. */
  isAsleep?: (drive: BlockDrive) => Promise<boolean>;
}

export function createDrives(parts: DriveParts): Drives {
  const { db, host, bus, feed, clock, log } = parts;
  const subscriptions: (() => void)[] = [];
  let published = new Map<string, string>();
  /** Drives that an operation had since they were last read. */
  const held = new Set<string>();
  let rows = new Map<string, DriveRow>();
  let backups = new Map<string, WipeBackup>();
  const presence = createPresence();

  const healthOf = parts.healthOf ?? ((): DriveHealth => NO_HEALTH);
  const operationOn = (id: string): string | null => parts.operationOf(`drive:${id}`);

  const rowOf = (drive: BlockDrive): DriveRow => rowFor(drive, rows.get(drive.id), clock.now());
  const present = (drive: BlockDrive): Drive => {
    const row = rowOf(drive);
    return presentDrive(
      drive,
      row,
      {
        protectedByUser: row.protectedByUser,
        sandboxMode: parts.config.sandbox,
        pool: parts.poolOf(drive.id),
        operationId: operationOn(drive.id),
        asleep: healthOf(drive.id).power === 'standby',
        setAside: setAsideOf(row),
      },
      {
        health: healthOf(drive.id),
        backup: backups.get(drive.id),
        identifiedBy: presence.hasBayLight(drive.id) ? 'bay-light' : 'activity',
      },
    );
  };
  const remembered = (row: DriveRow): Drive =>
    goneDrive(row, parts.poolOf(row.id), operationOn(row.id), healthOf(row.id));

  function list(): Drive[] {
    const here = host.blockDevices.current();
    const ids = new Set(here.map((drive) => drive.id));
    // One that several claim to be is not gone: it is one of them. A pool that has it goes on naming it.
    const isAmongThem = (id: string) => here.some((drive) => isClaimant(drive, id)) && !parts.poolOf(id);
    const others = [...rows.values()].filter(({ id }) => !ids.has(id) && !isAmongThem(id));
    return [...here.map(present), ...others.map(remembered)];
  }

  /** The database may be closed by then: nothing is read or told any more. */
  let stopped = false;
  /** Puts what changed into the feed, then tells the others. The database comes after the news. */
  function publish(): void {
    if (stopped) return;
    rows = new Map(allRows(db).map((row) => [row.id, row]));
    backups = lastBackups(db);
    const lastSeenAt = clock.now();
    const seen = presence
      .comeOrGone(host.blockDevices.current(), rows, rowOf)
      .map((row) => ({ ...row, lastSeenAt }));
    for (const row of seen) rows.set(row.id, row);
    const drives = list();
    for (const drive of drives) if (drive.operationId !== null) held.add(drive.id);
    feed.replace(
      'drives',
      drives.map((value) => ({ id: value.id, value })),
    );
    feed.flush();
    if (seen.length > 0) putRows(db, seen);
    // Temperatures change all the time, and who hears this asks its tools: health has an event of its own.
    const texts = new Map(drives.map(({ health: _, ...drive }) => [drive.id, JSON.stringify(drive)]));
    const isSame =
      texts.size === published.size && [...texts].every(([id, text]) => published.get(id) === text);
    if (isSame) return;
    published = texts;
    bus.emit('drives.changed', {});
  }

  let lookedAt = new Set<string>();
  /** Whatever made us look: a drive that was not there before is read now, and who waits until all is read waits for it. */
  const look = (): void => {
    host.blockDevices.scan();
    const here = new Map(
      host.blockDevices.current().map(({ id, kernelName }) => [`${id} ${kernelName}`, kernelName]),
    );
    const come = [...here].filter(([key]) => !lookedAt.has(key)).map(([, kernelName]) => kernelName);
    lookedAt = new Set(here.keys());
    if (come.length > 0) readSoon(come);
    publish();
  };

  const contents = createContentReadings({
    host,
    log,
    isHeld: (id) => operationOn(id) !== null,
    ...(parts.isAsleep ? { isAsleep: parts.isAsleep } : {}),
    done: publish,
  });
  const { readSoon } = contents;

  /** What an operation did to its drives was not read while it worked, and mkfs causes no event. Other drives sleep on. */
  function readReleased(): void {
    clearTimeout(releasing);
    releasing = undefined;
    const released = host.blockDevices
      .current()
      .filter((drive) => held.has(drive.id) && operationOn(drive.id) === null);
    for (const drive of released) held.delete(drive.id);
    if (released.length > 0) readSoon(released.map((drive) => drive.kernelName));
  }

  /**
   * A moment later: whoever waited for the operation asks the machine first. With the documents the drives are released
   * at once.
   */
  function readReleasedSoon(): void {
    clearTimeout(releasing);
    releasing = setTimeout(readReleased, RELEASED_MS);
  }
  let releasing: NodeJS.Timeout | undefined;
  const underWay = new Set<string>();

  const mountsText = (drive: BlockDrive): string =>
    JSON.stringify([drive.mounts, drive.partitions.map((partition) => partition.mounts)]);
  function lookAtMounts(): void {
    if (stopped) return;
    const before = new Map(host.blockDevices.current().map((drive) => [drive.id, mountsText(drive)]));
    look();
    const changed = host.blockDevices.current().filter((drive) => before.get(drive.id) !== mountsText(drive));
    if (changed.length > 0) readSoon(changed.map((drive) => drive.kernelName));
  }

  function get(id: string): Drive {
    const drive = list().find((one) => one.id === id);
    if (!drive)
      throw new AppError('drive_not_found', `There is no drive ${id}.`, { details: { driveId: id } });
    return drive;
  }

  type Said = 'bayLabel' | 'protectedByUser' | 'setAsideAt' | 'setAsideWhy';
  function change(id: string, values: Partial<Pick<DriveRow, Said>>): Drive {
    const here = host.blockDevices.current().find((drive) => drive.id === id);
    const row = here ? rowOf(here) : rows.get(id);
    if (!row) throw new AppError('drive_not_found', `There is no drive ${id}.`, { details: { driveId: id } });
    putRows(db, [{ ...row, ...values }]);
    publish();
    return get(id);
  }

  return {
    list,
    get,
    find(serialOrId) {
      // Pools ask for each of their drives, at every change: one document is made for that, not all.
      const here = host.blockDevices.current().find((drive) => drive.id === serialOrId);
      if (here) return present(here);
      const row = rows.get(serialOrId);
      if (row) return remembered(row);
      const drives = list();
      const named = drives.filter((drive) => drive.serial?.toLowerCase() === serialOrId.toLowerCase());
      const plugged = named.filter((drive) => drive.present);
      if (plugged.length > 1)
        throw new AppError('drive_ambiguous', `${plugged.length} drives have the serial ${serialOrId}.`, {
          remedy: 'Name the drive by its id instead.',
        });
      return plugged[0] ?? named[0] ?? null;
    },
    async refresh(names) {
      look();
      await contents.read(names, true);
    },
    async use(id) {
      const drive = get(id);
      const paths = [...drive.mounts, ...drive.partitions.flatMap((partition) => partition.mounts)];
      const found = await Promise.all(paths.map(({ path }) => host.processesUsing(path)));
      return { driveId: id, processes: found.flat() };
    },
    protect(id, on) {
      if (!on && get(id).protection === 'system')
        throw new AppError(
          'drive_system',
          `${driveName(get(id))} holds the running system; it stays protected.`,
        );
      return change(id, { protectedByUser: on });
    },
    setAside: (id, why) => change(id, { setAsideAt: why === null ? null : clock.now(), setAsideWhy: why }),
    setBayLabel: (id, label) => change(id, { bayLabel: label?.trim() || null }),
    start() {
      stopped = false;
      contents.start();
      subscriptions.push(
        bus.on('block-devices.changed', ({ names }) => {
          look();
          readSoon(names);
        }),
        // A turn later: that a pool is mounted or not is on its way to the pages by then.
        bus.on('mounts.changed', () => setImmediate(lookAtMounts)),
        bus.on('operation.changed', ({ id }) => {
          // Which drives an operation holds is decided when it begins; its further steps change nothing here.
          if (underWay.has(id)) return;
          underWay.add(id);
          publish();
        }),
        bus.on('operation.ended', ({ id }) => {
          underWay.delete(id);
          look();
          readReleasedSoon();
        }),
        bus.on('pool.changed', publish),
        bus.on('drive.record', publish),
        bus.on('drive.health', ({ driveId }) => {
          publish();
          // It slept when it was seen first, and is awake now.
          const drive = host.blockDevices.current().find((one) => one.id === driveId);
          if (drive && !drive.probed && healthOf(driveId).power === 'active') readSoon([drive.kernelName]);
        }),
      );
      look();
      readSoon();
    },
    async settled() {
      // What an operation has just let go of has not been asked for yet.
      if (releasing) readReleased();
      await contents.settled();
    },
    stop() {
      stopped = true;
      contents.stop();
      clearTimeout(releasing);
      for (const end of subscriptions.splice(0)) end();
    },
  };
}
