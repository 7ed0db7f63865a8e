/**
 * Pools that are on the drives and not in the records: made in a shell, by another system, or by a Cairn whose database is
 * lost. Looked for when something about the drives has changed and has come to rest, and when somebody asks. Finding changes
 * nothing, wakes no drive (the inventory has read them already), and leaves drives alone that an operation holds.
 */
import { mkdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { canonicalJson } from '$lib/shared/json';
import type { FolderListing, FoundPool as FoundDocument } from '$lib/shared/wire/found';
import { z } from 'zod';
import type { Config } from '../config';
import { AppError, toAppError } from '../errors';
import type { Feed } from '../events/feed';
import { isRemote } from '../host/mounts';
import type { BlockDrive } from '../host/types';
import type { PoolReadDeps } from './deps';
import { foundDocument, problemDocument, type Candidate, type SearchProblem } from './found-document';
import { ignoredFound, setIgnored } from './found-store';
import { forgetInside, insideFolder, readInside } from './inside';
import { specOf } from './spec';
import { findByDrive, findByLabel, findPool, listPools, type PoolRecord } from './store';

/**
 * Changes come in swarms: a new partition table is a dozen events. Nobody waits for a search, and it starts the tools of
 * every plugin: what a drive that came or left means for the pools of the records is found out before.
 */
const SETTLE_MS = 500;
/** Kernel names of devices that are made of others. */
const VIRTUAL = /^(md|dm-)/;

export interface FoundPools {
  list(): FoundDocument[];
  /** @throws AppError found_not_found */
  get(id: string): FoundDocument;
  /** What the plugin said of it. @throws AppError found_not_found */
  candidate(id: string): Candidate;
  /** Everything that plugins find, also the pools of the records: for comparing the two. */
  all(): Candidate[];
  /** Those of them that are this pool. */
  ofRecord(record: PoolRecord): Candidate[];
  inside(guid: string): FolderListing | null;
  /** @throws AppError found_not_found */
  ignore(id: string, on: boolean): FoundDocument;
  /** Looks now; with `force` also when nothing seems to have changed. Resolves when the documents show it. */
  refresh(force?: boolean): Promise<void>;
  start(): void;
  stop(): Promise<void>;
}
export interface FoundDeps extends Omit<PoolReadDeps, 'config'> {
  config: Pick<Config, 'dataDir' | 'mountRoot' | 'sandbox'>;
  feed: Feed;
}

export function createFound(deps: FoundDeps): FoundPools {
  const { db, host, bus, feed, log, plugins, drives, operations, config } = deps;
  const unsubscribe: (() => void)[] = [];
  let candidates: Candidate[] = [];
  let problems: SearchProblem[] = [];
  let lastKey = '';
  let looking: Promise<void> | null = null;
  let again = false;
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;

  const isHeld = (driveId: string): boolean => operations.holder(`drive:${driveId}`) !== null;
  function searched(): BlockDrive[] {
    const hidden = new Set(drives.list().flatMap((drive) => (drive.protection === 'none' ? [] : [drive.id])));
    return host.blockDevices
      .current()
      .filter((drive) => drive.probed && !drive.system && !hidden.has(drive.id) && !isHeld(drive.id));
  }

  /** Two that say they are the same: nobody could tell which one a mount would get. */
  function conflictOf(candidate: Candidate): string | null {
    const { found } = candidate;
    const record = findPool(db, found.guid);
    if (record)
      return `It has the UUID of the pool "${record.label}": one is a copy of the other. Unplug the copy, or erase it.`;
    const twins = candidates.filter((other) => other.found.guid === found.guid && other !== candidate);
    if (twins.length > 0) {
      const serials = [candidate, ...twins]
        .flatMap((one) => one.found.members)
        .map(
          ({ driveId }) =>
            host.blockDevices.current().find((drive) => drive.id === driveId)?.serial ?? driveId,
        );
      return `The same filesystem is there more than once, on ${serials.join(' and ')}: one is a copy of the other. Unplug one of them, or erase it.`;
    }
    for (const { driveId } of found.members) {
      const owner = findByDrive(db, driveId);
      if (owner) return `A drive of it belongs to the pool "${owner.label}" in the records.`;
    }
    return z.uuid().safeParse(found.guid).success ? null : 'Its UUID is not a valid one.';
  }

  /** The pool of the records that this is, also when a shell gave it another name. */
  function recordOf(candidate: Candidate): PoolRecord | null {
    const same = findPool(db, candidate.found.guid);
    if (same) return same;
    const plugin = plugins.known(candidate.plugin);
    if (!plugin?.keyOf) return null;
    const others = listPools(db).filter((record) => record.plugin === candidate.plugin);
    try {
      return (
        others.find((record) => plugin.keyOf?.(specOf(record, () => null)) === candidate.found.key) ?? null
      );
    } catch (error) {
      log.warn({ error, plugin: plugin.id }, 'a plugin could not tell what its pools are called');
      return null;
    }
  }

  /** Pools of the records are no news, and what is on the drives of a pool that is being made goes. */
  function isNews(candidate: Candidate): boolean {
    const { found } = candidate;
    const members = new Set(found.members.map((member) => member.driveId));
    const record = recordOf(candidate);
    if (record && members.size === 0) return false;
    if (record?.drives.some((drive) => members.has(drive.driveId))) return false;
    return ![...members].some((driveId) => {
      const owner = findByDrive(db, driveId);
      return owner !== null && findPool(db, owner.guid)?.state === 'creating';
    });
  }

  function documents(): FoundDocument[] {
    const ignored = ignoredFound(db);
    const byId = new Map(drives.list().map((drive) => [drive.id, drive]));
    const found = candidates.filter(isNews).map((candidate) => {
      const { found } = candidate;
      const held = found.members.map(({ driveId }) => operations.holder(`drive:${driveId}`));
      return foundDocument({
        candidate,
        plugin: plugins.known(candidate.plugin),
        drives: byId,
        inside: readInside(config, found.guid),
        operation: held.find((operation) => operation !== null) ?? null,
        ignored: ignored.has(candidate.id),
        conflict: conflictOf(candidate),
        isLabelTaken: (label) => findByLabel(db, label) !== null,
        mountRoot: config.mountRoot,
      });
    });
    return [...found, ...problems.map(problemDocument)];
  }

  function publish(): void {
    if (stopped) return;
    // What was seen in a pool that is ours now is soon not true any more.
    for (const { guid, state } of listPools(db)) if (state !== 'creating') forgetInside(config, guid);
    feed.replace(
      'found',
      documents().map((value) => ({ id: value.id, value })),
    );
  }

  async function askOne(finder: { id: string; name: string }, on: BlockDrive[]): Promise<Candidate[]> {
    const pools = await plugins.find(finder.id, on);
    const keys = pools.map((pool) => pool.key);
    return pools.map((found) => ({
      // Copies have the same key: then the drive tells them apart.
      id: [
        finder.id,
        found.key,
        ...(keys.indexOf(found.key) === keys.lastIndexOf(found.key) ? [] : [found.members[0]?.driveId ?? '']),
      ].join(':'),
      plugin: finder.id,
      pluginName: finder.name,
      found,
    }));
  }

  async function lookOnce(force: boolean): Promise<void> {
    await drives.settled();
    if (stopped) return;
    const on = searched();
    const finders = plugins.finders();
    const key = canonicalJson(
      JSON.parse(
        JSON.stringify([
          finders,
          host
            .mounts()
            .filter(isRemote)
            .map(({ path, source }) => [path, source]),
          on.map(({ id, path, contentHash, mounts, partitions }) => [
            ...[id, path, contentHash, mounts],
            partitions.map((partition) => [partition.path, partition.mounts]),
          ]),
        ]),
      ),
    );
    if (!force && key === lastKey) return tell();
    const failed: SearchProblem[] = [];
    const answers = await Promise.all(
      finders.map(async (finder) =>
        askOne(finder, on).catch((error: unknown) => {
          const { message } = toAppError(error);
          log.warn({ error, plugin: finder.id }, 'pools could not be looked for');
          failed.push({ ...finder, message });
          return candidates.filter((candidate) => candidate.plugin === finder.id);
        }),
      ),
    );
    // What an operation has in its hands is shown as it was.
    const kept = candidates.filter(({ found }) => found.members.some(({ driveId }) => isHeld(driveId)));
    const keptIds = new Set(kept.map(({ id }) => id));
    candidates = [...kept, ...answers.flat().filter(({ id }) => !keptIds.has(id))];
    problems = failed;
    lastKey = failed.length > 0 ? '' : key;
    tell();
  }

  function tell(): void {
    publish();
    if (!stopped) bus.emit('found.looked', {});
  }

  async function lookUntilStill(force: boolean): Promise<void> {
    // Whoever told us has told the drives too: what they began to read then is waited for.
    await sleep(0);
    do {
      again = false;
      await lookOnce(force);
    } while (again && !stopped);
  }
  function refresh(force = false): Promise<void> {
    if (looking) {
      again = true;
      return looking;
    }
    looking = lookUntilStill(force).finally(() => (looking = null));
    return looking;
  }
  function soon(): void {
    if (stopped) return;
    clearTimeout(timer);
    timer = setTimeout(() => {
      refresh().catch((error: unknown) => log.error({ error }, 'looking for pools failed'));
    }, SETTLE_MS).unref();
  }

  function candidate(id: string): Candidate {
    const found = candidates.find((one) => one.id === id && isNews(one));
    if (found) return found;
    throw new AppError('found_not_found', `No pool ${id} is found on the drives now.`);
  }
  function get(id: string): FoundDocument {
    const document = documents().find((one) => one.id === id);
    if (document) return document;
    throw new AppError('found_not_found', `No pool ${id} is found on the drives now.`);
  }

  return {
    list: documents,
    get,
    candidate,
    all: () => candidates,
    ofRecord: ({ guid }) => candidates.filter((candidate) => recordOf(candidate)?.guid === guid),
    inside: (guid) => readInside(config, guid),
    ignore(id, on) {
      get(id);
      setIgnored(db, id, on);
      publish();
      return get(id);
    },
    refresh,
    start() {
      mkdirSync(insideFolder(config), { recursive: true, mode: 0o700 });
      unsubscribe.push(
        // A label set in a shell changes nothing on the drives that arrays and volumes are made of.
        bus.on('block-devices.changed', ({ names }) => {
          if (!names.some((name) => VIRTUAL.test(name))) return;
          lastKey = '';
          soon();
        }),
        bus.on('drives.changed', soon),
        bus.on('mounts.changed', soon),
        bus.on('operation.ended', soon),
        bus.on('operation.changed', publish),
        bus.on('pool.changed', () => {
          publish();
          soon();
        }),
      );
      soon();
    },
    async stop() {
      stopped = true;
      clearTimeout(timer);
      for (const end of unsubscribe) end();
      await looking?.catch((error: unknown) => log.debug({ error }, 'a search ended with the server'));
    },
  };
}
