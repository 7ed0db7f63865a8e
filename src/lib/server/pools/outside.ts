/**
 * What something else than Cairn did to pools: unmounted, mounted, relabelled, overwritten in a shell; a pool that came with
 * a drive or was made by hand. What was seen is compared after every look at the drives; what an operation had in its
 * hands since then is not held against anybody.
 */
import type { Clock } from '../clock';
import type { Db } from '../db/client';
import type { Bus } from '../events/bus';
import type { Host } from '../host/types';
import type { Operations } from '../operations/types';
import type { FoundPools } from './found';
import { recordEvent } from './history';
import { listPools, type PoolRecord } from './store';

interface OutsideDeps {
  db: Db;
  bus: Bus;
  clock: Clock;
  host: Pick<Host, 'blockDevices'>;
  operations: Pick<Operations, 'holder'>;
  found: Pick<FoundPools, 'ofRecord' | 'list'>;
}
interface Seen {
  mounted: boolean;
  label: string | null;
  /** Drives that are there, and whether each holds the pool. */
  members: Map<string, boolean>;
}
const BY = 'by something else than Cairn';

function changes(record: PoolRecord, before: Seen, now: Seen): string[] {
  const name = (driveId: string): string => {
    const row = record.drives.find((one) => one.driveId === driveId);
    return row?.serial ?? row?.label ?? driveId;
  };
  const texts: string[] = [];
  if (before.mounted && !now.mounted) texts.push(`It was unmounted from ${record.mountPath} ${BY}.`);
  if (!before.mounted && now.mounted) texts.push(`It was mounted at ${record.mountPath} ${BY}.`);
  if (before.label !== null && now.label !== null && before.label !== now.label)
    texts.push(`Its label on the drives was changed from "${before.label}" to "${now.label}" ${BY}.`);
  for (const [driveId, holds] of now.members)
    if (!holds && before.members.get(driveId))
      texts.push(`What drive ${name(driveId)} held of it was erased or overwritten ${BY}.`);
  return texts;
}

/** @returns what ends it */
export function watchOutside(deps: OutsideDeps): () => void {
  const { db, bus, clock, host, operations, found } = deps;
  const before = new Map<string, Seen>();
  /** Pools that an operation has had in its hands since they were last looked at. */
  const touched = new Set<string>();
  let known: Set<string> | null = null;

  function touch(): void {
    for (const { guid } of listPools(db)) if (operations.holder(`pool:${guid}`) !== null) touched.add(guid);
  }

  function see(record: PoolRecord): Seen {
    const ids = new Set(record.drives.map((row) => row.driveId));
    const here = host.blockDevices.current().filter((drive) => ids.has(drive.id));
    const pools = found.ofRecord(record);
    const holding = new Set(pools.flatMap((one) => one.found.members.map((member) => member.driveId)));
    const mounts = here.flatMap((drive) => [drive, ...drive.partitions]).flatMap((place) => place.mounts);
    return {
      mounted: mounts.some((mount) => mount.path === record.mountPath),
      // Of what does not run the label cannot be seen.
      label: pools[0]?.found.label || null,
      members: new Map(here.map((drive) => [drive.id, holding.has(drive.id) || !drive.probed])),
    };
  }

  function compare(record: PoolRecord): void {
    const { guid } = record;
    if (operations.holder(`pool:${guid}`) !== null) return;
    const last = before.get(guid);
    const now = see(record);
    before.set(guid, now);
    if (touched.delete(guid) || !last) return;
    for (const text of changes(record, last, now))
      recordEvent({ db, bus }, { poolGuid: guid, at: clock.now(), kind: 'outside', text });
  }

  /** The first look is how things are; later ones are news. */
  function welcome(records: PoolRecord[]): void {
    const news = found.list().filter((one) => one.guid !== '');
    const isFirst = known === null;
    known ??= new Set();
    for (const { guid } of records) known.add(guid);
    for (const { guid, description } of news) {
      if (known.has(guid)) continue;
      known.add(guid);
      if (isFirst) continue;
      const text = `It appeared on the drives: ${description}, made or plugged in ${BY}.`;
      recordEvent({ db, bus }, { poolGuid: guid, at: clock.now(), kind: 'outside', text });
    }
  }

  const ends = [
    bus.on('operation.changed', touch),
    bus.on('found.looked', () => {
      const records = listPools(db);
      records.forEach(compare);
      welcome(records);
      for (const guid of before.keys())
        if (!records.some((record) => record.guid === guid)) before.delete(guid);
    }),
  ];
  return () => ends.forEach((end) => end());
}
