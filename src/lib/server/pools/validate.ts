/**
 * Compares the records with the machine and names every difference, each with the operation that mends it or the reason why
 * none is offered. Reads only; a pool that an operation has in its hands is left out.
 */
import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { filesystemLabel } from '$lib/plugin-api/steps';
import { isBelow, labelIssues } from '$lib/shared/names';
import type { Difference, Validation } from '$lib/shared/wire/found';
import type { Config } from '../config';
import { contentLines } from '../drives/erasure';
import type { PoolReadDeps } from './deps';
import type { Candidate } from './found-document';
import type { FoundPools } from './found';
import { insideFolder } from './inside';
import { findByLabel, findPool, listPools, type PoolRecord } from './store';

export interface Validate {
  /** One pool, or everything. @throws AppError pool_not_found is left to the caller: an unknown GUID has no differences */
  check(guid?: string): Promise<Validation>;
  /** By the clock, for the log: each difference once, until it is gone. People see the same on the Pools page. */
  report(): void;
  /** Folders that Cairn made and nobody needs: what `pool.remove-leftover` may remove. */
  leftovers(): string[];
}
export interface ValidateDeps extends Omit<PoolReadDeps, 'config'> {
  config: Pick<Config, 'dataDir' | 'mountRoot'>;
  found: FoundPools;
}
type Facts = { record: PoolRecord; seen: Candidate | null; paths: string[] };

const nameOf = (row: PoolRecord['drives'][number]): string => row.serial ?? row.label;
const FILESYSTEM_LABEL_MAX = 64;

/** A label that is the pool's, cut to what the filesystem takes, is the same label. */
function sameLabel(record: PoolRecord, label: string): boolean {
  const whole = filesystemLabel(record.label, FILESYSTEM_LABEL_MAX);
  return label === (record.facts?.label ?? '') || (label !== '' && whole.startsWith(label));
}

export function createValidate(deps: ValidateDeps): Validate {
  const { db, host, clock, drives, found, operations, plugins, config, log } = deps;
  let told = new Set<string>();

  const difference = (
    { guid }: Pick<PoolRecord, 'guid'>,
    kind: string,
    text: string,
    rest: { mend?: Difference['mend']; why?: string },
  ): Difference => ({ kind, poolGuid: guid, text, mend: rest.mend ?? null, why: rest.why ?? null });
  const mendBy = (title: string, operation: string, request: Record<string, string>) => ({
    mend: { title, operation, request },
  });

  function mounting({ record, paths }: Facts): Difference[] {
    const { guid, label, mountPath } = record;
    const there = host.mounts().findLast((mount) => mount.path === mountPath);
    const isOurs = paths.includes(mountPath);
    const list: Difference[] = [];
    if (there && !isOurs)
      list.push(
        difference(
          record,
          'path-occupied',
          `At ${mountPath}, the mount path of "${label}", ${there.source} (${there.filesystem}) is mounted.`,
          {
            why: `Unmount what is there (umount ${mountPath}), then mount the pool.`,
          },
        ),
      );
    const elsewhere = paths.find((path) => path !== mountPath);
    if (elsewhere && !isOurs)
      list.push(
        difference(
          record,
          'mounted-elsewhere',
          `"${label}" is mounted at ${elsewhere}, not at ${mountPath}.`,
          {
            why: `Programs may use it there, so nothing is done by itself. Unmount it (umount ${elsewhere}), then mount the pool.`,
          },
        ),
      );
    else if (record.wantMounted && !isOurs && !there)
      list.push(
        difference(
          record,
          'not-mounted',
          `"${label}" is to be mounted at ${mountPath}, and is not.`,
          mendBy('Mount it', 'pool.mount', { poolGroupGuid: guid }),
        ),
      );
    if (!record.wantMounted && isOurs)
      list.push(
        difference(
          record,
          'mounted-outside',
          `"${label}" is to be unmounted, and something else than Cairn has mounted it.`,
          mendBy('Unmount it', 'pool.unmount', { poolGroupGuid: guid }),
        ),
      );
    return list;
  }

  function drivesOf({ record, seen }: Facts): Difference[] {
    const members = new Set(seen?.found.members.map((member) => member.driveId));
    const list: Difference[] = [];
    const release = mendBy('Take it out of the records', 'pool.release', { poolGroupGuid: record.guid });
    for (const row of record.drives) {
      const drive = drives.find(row.driveId);
      if (!drive?.present) {
        list.push(
          difference(record, 'drive-missing', `Drive ${nameOf(row)} of "${record.label}" is not there.`, {
            why: 'Plug it in again, or replace it.',
          }),
        );
        continue;
      }
      if (!drive.probed || members.has(row.driveId)) continue;
      const holds = drive.contentHash === 'blank' ? 'nothing' : contentLines(drive).join(', ');
      list.push(
        difference(
          record,
          'other-content',
          `Drive ${nameOf(row)} is a member of "${record.label}" in the records, and holds ${holds}.`,
          {
            why: 'What is on it may be needed by somebody, so nothing is written to it, and what was there cannot be brought back.',
            // Nothing of the pool is left: then only its record can still go.
            ...(seen === null ? release : {}),
          },
        ),
      );
    }
    for (const driveId of members) {
      if (record.drives.some((row) => row.driveId === driveId)) continue;
      list.push(
        difference(
          record,
          'unknown-member',
          `Drive ${drives.find(driveId)?.serial ?? driveId} belongs to "${record.label}" and is not in its record.`,
          {
            why: 'It was added by something else than Cairn. Released, and adopted again, the pool is known with every member; its data stays.',
            ...release,
          },
        ),
      );
    }
    return list;
  }

  function labels({ record, seen, paths }: Facts): Difference[] {
    const label = seen?.found.label ?? null;
    if (label === null || sameLabel(record, label)) return [];
    const text = `"${record.label}" calls itself "${label}" on its drives.`;
    const other = findByLabel(db, label);
    if (labelIssues(label).length > 0 || other)
      return [
        difference(record, 'label', text, {
          why: 'That label cannot be taken over. Rename the pool: its drives get the new label too.',
        }),
      ];
    if (!paths.includes(record.mountPath))
      return [difference(record, 'label', text, { why: 'Mount the pool, then it can be renamed.' })];
    return [
      difference(
        record,
        'label',
        text,
        mendBy(`Rename the pool to ${label}`, 'pool.rename', { poolGroupGuid: record.guid, label }),
      ),
    ];
  }

  function differencesOf(record: PoolRecord): Difference[] {
    const isHeld = operations.holder(`pool:${record.guid}`) !== null;
    const canBeFound = plugins.finders().some((finder) => finder.id === record.plugin);
    if (isHeld || record.state === 'creating' || record.state === 'deleting') return [];
    const members = new Set(record.drives.map((row) => row.driveId));
    const seen =
      found
        .all()
        .filter((one) => one.plugin === record.plugin && one.found.guid === record.guid)
        .find((one) => one.found.members.some((member) => members.has(member.driveId))) ?? null;
    const elsewhere = members.size === 0 ? found.ofRecord(record) : [];
    const drivePaths = host.blockDevices
      .current()
      .filter((drive) => members.has(drive.id))
      .flatMap((drive) => [drive, ...drive.partitions])
      .flatMap((place) => place.mounts.map((mount) => mount.path));
    const paths = [...drivePaths, ...elsewhere.flatMap((one) => one.found.mountedAt ?? [])];
    const facts = { record, seen, paths };
    return [...mounting(facts), ...(canBeFound ? drivesOf(facts) : []), ...labels(facts)];
  }

  /** Only below folders that are Cairn's own: elsewhere an empty folder is somebody's. */
  function leftovers(): string[] {
    const own = [
      insideFolder(config),
      ...(isBelow(config.mountRoot, config.dataDir) ? [config.mountRoot] : []),
    ];
    const needed = new Set([
      ...listPools(db).map((pool) => pool.mountPath),
      ...host.mounts().map((mount) => mount.path),
    ]);
    return own
      .filter((folder) => existsSync(folder))
      .flatMap((folder) =>
        readdirSync(folder, { withFileTypes: true })
          .filter((entry) => entry.isDirectory())
          .map((entry) => join(folder, entry.name)),
      )
      .filter(
        (path) =>
          !needed.has(path) && operations.holder(`path:${path}`) === null && readdirSync(path).length === 0,
      );
  }

  async function check(guid?: string): Promise<Validation> {
    await found.refresh();
    return compare(guid);
  }
  /** With what is known of the drives: nothing is read from them. */
  function compare(guid?: string): Validation {
    const one = guid === undefined ? null : findPool(db, guid.toLowerCase());
    const records = guid === undefined ? listPools(db) : one ? [one] : [];
    const left = guid === undefined ? leftovers() : [];
    return {
      checkedAt: clock.now(),
      differences: [
        ...records.flatMap(differencesOf),
        ...left.map((path): Difference => ({
          kind: 'leftover-folder',
          poolGuid: null,
          text: `The folder ${path} is empty, and no pool needs it.`,
          mend: {
            title: `Remove it from ${dirname(path)}`,
            operation: 'pool.remove-leftover',
            request: { path },
          },
          why: null,
        })),
      ],
    };
  }

  return {
    leftovers,
    check,
    report() {
      // What is on drives is looked for when they change; asking every minute would never let them sleep.
      const { differences } = compare();
      for (const { kind, poolGuid, text } of differences)
        if (!told.has(text)) log.warn({ kind, pool: poolGuid }, text);
      told = new Set(differences.map(({ text }) => text));
    },
  };
}
