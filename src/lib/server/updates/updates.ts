/** Whether there is a newer Cairn. A look changes nothing of the host; what came of it is remembered, also when it told nothing. */
import { readFile } from 'node:fs/promises';
import type { SkipUpdateRequest } from '$lib/shared/wire/update-requests';
import type { UpdateNews, UpdateView } from '$lib/shared/wire/updates';
import type { Clock } from '../clock';
import type { Config } from '../config';
import type { Db } from '../db/client';
import { AppError, toAppError } from '../errors';
import type { Bus } from '../events/bus';
import { readFromChannel } from './channel';
import { judgeOffer, openManifest, readKeys, requireNotOlder, type Manifest } from './manifest';
import { readLook, readSkipped, writeLook, writeSkipped } from './store';

const MANIFEST = 'cairn-manifest.json';

export interface Updates {
  view(): UpdateView;
  /**
   * Asks the channel now.
   * @throws AppError update_channel_missing | update_channel_invalid | update_channel_unreadable | update_keys_missing |
   *   update_signature_wrong | update_manifest_invalid | update_downgrade | update_replayed
   */
  check(): Promise<UpdateView>;
  /** A version that nobody is to be told of, or is again. @throws AppError update_changed when another one is offered */
  skip(request: SkipUpdateRequest): UpdateView;
  /** What people are told of when it stays so. */
  news(): UpdateNews;
  /** As `check`, where a channel is named. @throws as `check` */
  checkDaily(): Promise<void>;
}

async function readKeysFile(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw new AppError('update_keys_missing', `The keys in ${path} cannot be read.`, { cause });
  }
}

export function createUpdates({
  db,
  bus,
  config,
  clock,
  version,
  architecture = process.arch,
}: {
  db: Db;
  bus: Bus;
  config: Pick<Config, 'updateChannel' | 'updateKeysPath'>;
  clock: Clock;
  version: string;
  architecture?: string;
}): Updates {
  const { updateChannel: channel, updateKeysPath } = config;

  function view(): UpdateView {
    const look = readLook(db);
    const offered = look?.offered ?? null;
    return {
      ...{ version, architecture, channel, offered },
      ...{ checkedAt: look?.checkedAt ?? null, failure: look?.failure ?? null },
      offeredSince: offered ? (look?.since ?? look?.checkedAt ?? null) : null,
      skipped: offered !== null && readSkipped(db) === offered.version,
      ...judgeOffer(offered, version, architecture),
    };
  }
  function news(): UpdateNews {
    const { offered, offeredSince, skipped, state, why } = view();
    const look = readLook(db);
    // Without a channel nobody asks any more: what was once offered says nothing.
    if (channel === null || !look) return { newer: null, failing: null };
    const isNewer = offered && offeredSince !== null && (state === 'available' || state === 'unsuitable');
    return {
      newer: isNewer && !skipped ? { version: offered.version, since: offeredSince, unsuitable: why } : null,
      failing: look.failure
        ? { since: look.failingSince ?? look.checkedAt, text: look.failure.message }
        : null,
    };
  }
  async function ask(): Promise<Manifest> {
    if (channel === null) throw new AppError('update_channel_missing');
    const keys = readKeys(await readKeysFile(updateKeysPath));
    const bytes = await readFromChannel(channel, MANIFEST);
    const signature = (await readFromChannel(channel, `${MANIFEST}.sig`)).toString('latin1');
    const manifest = openManifest(bytes, signature, keys);
    requireNotOlder(manifest, version, readLook(db)?.offered ?? null);
    return manifest;
  }
  async function check(): Promise<UpdateView> {
    try {
      const { files, version: offered, date, notes, minimumVersion } = await ask();
      const file = Object.entries(files).find(([name]) => name === architecture)?.[1] ?? null;
      const before = readLook(db);
      const now = clock.now();
      writeLook(db, {
        ...{ checkedAt: now, failure: null, failingSince: null },
        since: before?.offered?.version === offered ? (before.since ?? before.checkedAt) : now,
        offered: { version: offered, date, notes, minimumVersion, file },
      });
      return view();
    } catch (error) {
      const { code, message, remedy = null } = toAppError(error);
      // What was offered before is what later offers are measured by: a failure does not forget it.
      const before = readLook(db);
      const now = clock.now();
      writeLook(db, {
        ...{ checkedAt: now, failure: { code, message, remedy } },
        failingSince: before?.failure ? (before.failingSince ?? before.checkedAt) : now,
        ...{ offered: before?.offered ?? null, since: before?.since ?? before?.checkedAt ?? null },
      });
      throw error;
    } finally {
      bus.emit('updates.looked', {});
    }
  }
  return {
    view,
    check,
    news,
    skip({ version: wanted, skip }) {
      const { offered } = view();
      if (offered?.version !== wanted)
        throw new AppError(
          'update_changed',
          `Version ${wanted} was named; the channel offers ${offered ? offered.version : 'nothing'}.`,
        );
      writeSkipped(db, skip ? wanted : null);
      bus.emit('updates.looked', {});
      return view();
    },
    async checkDaily() {
      if (channel !== null) await check();
    },
  };
}
