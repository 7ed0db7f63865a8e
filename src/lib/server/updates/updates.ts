/** Whether there is a newer Cairn. A look changes nothing of the host; what came of it is remembered, also when it told nothing. */
import { readFile } from 'node:fs/promises';
import type { UpdateView } from '$lib/shared/wire/updates';
import type { Clock } from '../clock';
import type { Config } from '../config';
import type { Db } from '../db/client';
import { AppError, toAppError } from '../errors';
import { readFromChannel } from './channel';
import { judgeOffer, openManifest, readKeys, requireNotOlder, type Manifest } from './manifest';
import { readLook, writeLook } from './store';

const MANIFEST = 'cairn-manifest.json';

export interface Updates {
  view(): UpdateView;
  /**
   * Asks the channel now.
   * @throws AppError update_channel_missing | update_channel_invalid | update_channel_unreadable | update_keys_missing |
   *   update_signature_wrong | update_manifest_invalid | update_downgrade | update_replayed
   */
  check(): Promise<UpdateView>;
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
  config,
  clock,
  version,
  architecture = process.arch,
}: {
  db: Db;
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
      ...judgeOffer(offered, version, architecture),
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
      writeLook(db, {
        ...{ checkedAt: clock.now(), failure: null },
        offered: { version: offered, date, notes, minimumVersion, file },
      });
      return view();
    } catch (error) {
      const { code, message, remedy = null } = toAppError(error);
      // What was offered before is what later offers are measured by: a failure does not forget it.
      writeLook(db, {
        ...{ checkedAt: clock.now(), failure: { code, message, remedy } },
        offered: readLook(db)?.offered ?? null,
      });
      throw error;
    }
  }
  return {
    view,
    check,
    async checkDaily() {
      if (channel !== null) await check();
    },
  };
}
