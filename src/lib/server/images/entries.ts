/** The whole catalog: what comes with Cairn and what people added. Their entries are records only; nothing on the host changes. */
import { randomUUID } from 'node:crypto';
import { isIP } from 'node:net';
import type { Issue } from '$lib/shared/error-codes';
import { roleAllows } from '$lib/shared/states';
import { userNameIssues } from '$lib/shared/vm-rules';
import type { CatalogEntryRequest } from '$lib/shared/wire/requests';
import type { Actor } from '$lib/shared/wire/session';
import type { Db } from '../db/client';
import { AppError, issue, issuesError, toAppError } from '../errors';
import { parseUrl } from '../host/open-url';
import { isPublicAddress, refusedAddress } from '../host/public-address';
import { CATALOG, type CatalogEntry } from './catalog';
import {
  deleteEntry,
  findEntry,
  findEntryByName,
  listEntries,
  saveEntryRecord,
  type EntryRecord,
} from './catalog-store';
import type { ImageDeps } from './deps';
import { declaredFormat, fileNameOf } from './file-names';
import { guessOs } from './guess-os';

const ofRecord = ({ createdAt: _createdAt, ...record }: EntryRecord): CatalogEntry => ({
  ...record,
  os: guessOs(fileNameOf(new URL(record.url)) ?? '', record.name).os,
  own: true,
});

export const allEntries = (db: Db): CatalogEntry[] => [...listEntries(db).map(ofRecord), ...CATALOG];

/** @throws AppError image_not_found */
export function entryOf(db: Db, id: string): CatalogEntry {
  const entry = allEntries(db).find((one) => one.id === id);
  if (!entry) throw new AppError('image_not_found', `The catalog has no entry ${id}.`);
  return entry;
}

/** An address as far as it can be judged before it is asked: names are judged where the connection is made. */
function addressIssues(text: string, allowPrivate: boolean, field: string): Issue[] {
  try {
    const host = parseUrl(text).hostname.replace(/^\[|\]$/g, '');
    if (!allowPrivate && isIP(host) && !isPublicAddress(host)) throw refusedAddress(host, host);
    return [];
  } catch (thrown) {
    const { code, message, remedy } = toAppError(thrown);
    return [issue(code, message, field, remedy)];
  }
}

function fileIssues({ url }: CatalogEntryRequest): Issue[] {
  const file = URL.canParse(url) ? fileNameOf(new URL(url)) : null;
  if (file !== null && declaredFormat(file) !== null) return [];
  return [
    issue(
      'file_name_invalid',
      'The address does not end with the name of an image, such as system.qcow2.',
      'url',
    ),
  ];
}

function checksumIssues({ checksum, allowPrivate }: CatalogEntryRequest): Issue[] {
  if (checksum === null || /^(?:[0-9a-fA-F]{64}|[0-9a-fA-F]{128})$/.test(checksum)) return [];
  return /^https?:/.test(checksum)
    ? addressIssues(checksum, allowPrivate, 'checksum')
    : [issue('checksum_invalid', 'The checksum is neither a sum nor an address.', 'checksum')];
}

function entryIssues(db: Db, request: CatalogEntryRequest, id: string | null): Issue[] {
  const wrongAddress = addressIssues(request.url, request.allowPrivate, 'url');
  const other = findEntryByName(db, request.name);
  return [
    ...(other && other.id !== id
      ? [issue('entry_name_taken', `The catalog has an entry "${request.name}" already.`, 'name')]
      : []),
    ...(wrongAddress.length > 0 ? wrongAddress : fileIssues(request)),
    ...checksumIssues(request),
    ...(request.defaultUser === null ? [] : userNameIssues(request.defaultUser, 'defaultUser')),
  ];
}

export interface Catalog {
  /** What people made here. */
  own(): EntryRecord[];
  /** @throws AppError image_not_found */
  get(id: string): EntryRecord;
  /**
   * @param id of the entry that is changed; null: a new one
   * @throws AppError with all issues at once; forbidden | image_not_found
   */
  save(request: CatalogEntryRequest, actor: Actor, id: string | null): EntryRecord;
  /** What was downloaded by it stays. @throws AppError image_not_found */
  remove(id: string): void;
}

/** @param outdated hears of an entry of which nothing that was known before counts */
export function createCatalog(
  { db, bus, clock }: Pick<ImageDeps, 'db' | 'bus' | 'clock'>,
  outdated: (entryId: string) => void,
): Catalog {
  function changed(id: string): void {
    outdated(id);
    bus.emit('image.changed', { id: `catalog:${id}` });
  }
  function get(id: string): EntryRecord {
    const record = findEntry(db, id);
    if (!record) throw new AppError('image_not_found', `Nobody has made a catalog entry ${id} here.`);
    return record;
  }
  return {
    own: () => listEntries(db),
    get,
    save(request, actor, id) {
      if (request.allowPrivate && !roleAllows(actor.role, 'admin'))
        throw new AppError('forbidden', 'Only administrators may let Cairn download from a private network.');
      const before = id === null ? null : get(id);
      const issues = entryIssues(db, request, id);
      if (issues.length > 0) throw issuesError(issues);
      const record = {
        ...request,
        ...{ id: before?.id ?? randomUUID(), createdAt: before?.createdAt ?? clock.now() },
      };
      db.transaction((tx) => saveEntryRecord(tx, record));
      changed(record.id);
      return record;
    },
    remove(id) {
      get(id);
      db.transaction((tx) => deleteEntry(tx, id));
      changed(id);
    },
  };
}
