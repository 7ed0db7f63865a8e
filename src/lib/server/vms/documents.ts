/**
 * The documents of all machines, or of one. With hundreds of them it is what each one needs of the others that costs: that is
 * read once for all.
 */
import type { VmStatus } from '$lib/plugin-api/vm';
import type { Image } from '$lib/shared/wire/images';
import type { Pool } from '$lib/shared/wire/pools';
import type { Vm } from '$lib/shared/wire/vms';
import { cardsOf } from './card-rules';
import type { VmDeps } from './deps';
import { vmDocument } from './document';
import { vmLock } from './kinds';
import { allSettings, isDue, settingsOf, type VmSettings } from './settings-store';
import { listVms, type VmRecord } from './store';
import { allLinks, baseOf, linkedTo } from './template';

export interface VmDocuments {
  all(): Vm[];
  of(record: VmRecord): Vm;
}

/** What is asked of others than the machine itself. */
interface Around {
  settings: (id: string) => VmSettings;
  basedOn: (record: VmRecord) => Vm['basedOn'];
  linked: (id: string) => string[];
  pools: Map<string, Pool>;
  images: () => Image[];
}

function once<T>(make: () => T): () => T {
  let made: { value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}

export function createVmDocuments(
  deps: VmDeps & {
    nodeId: string;
    /** That its engine gave it, and that it says it has. */
    addresses: (id: string) => string[];
    guestAddresses: (id: string) => string[];
  },
): VmDocuments {
  const { db, operations, plugins, readings, nodeId } = deps;

  function documentOf(record: VmRecord, around: Around): Vm {
    const settings = around.settings(record.id);
    const status: VmStatus | 'missing' | 'unknown' = readings.of(record.plugin, record.id);
    const { cdPath } = record.spec;
    return vmDocument({
      ...{ record, nodeId, status, settings },
      ...{ addresses: deps.addresses(record.id), guestAddresses: deps.guestAddresses(record.id) },
      isDue: isDue(settings, deps.host.bootId()),
      reason: readings.reason(record.plugin),
      operation: operations.holder(vmLock(record.id)),
      pool: around.pools.get(record.poolGuid) ?? null,
      basedOn: around.basedOn(record),
      linked: around.linked(record.id),
      cards: cardsOf(record.spec, plugins.knownVm(record.plugin)),
      cd: cdPath === null ? null : (around.images().find(({ path }) => path === cdPath) ?? null),
    });
  }
  const shared = (): Pick<Around, 'pools' | 'images'> => ({
    pools: new Map(deps.pools.list().map((pool) => [pool.guid, pool])),
    images: once(() => deps.images.list()),
  });

  return {
    all() {
      const records = listVms(db);
      const links = allLinks(db, records);
      const names = new Map(records.map(({ id, name }) => [id, name]));
      const around: Around = {
        ...shared(),
        settings: allSettings(db),
        linked: (id) => links.get(id) ?? [],
        basedOn({ spec: { basedOn: id } }) {
          const name = id === undefined ? undefined : names.get(id);
          return id === undefined || name === undefined ? null : { id, name };
        },
      };
      return records.map((record) => documentOf(record, around));
    },
    of: (record) =>
      documentOf(record, {
        ...shared(),
        settings: (id) => settingsOf(db, id),
        linked: (id) => linkedTo(db, id),
        basedOn: (one) => baseOf(db, one),
      }),
  };
}
