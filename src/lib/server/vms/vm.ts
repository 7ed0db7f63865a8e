/** The machines as they are now: records, what their engines say, and what is being done to them. */
import { posix } from 'node:path';
import { disksOf } from '$lib/plugin-api/vm';
import type { Operation } from '$lib/shared/wire/operations';
import type { VmHost } from '$lib/shared/wire/vm-host';
import type { Vm, VmCloudInit, VmDiskUse } from '$lib/shared/wire/vms';
import { nodeIdOf } from '../db/node-id';
import type { Feed } from '../events/feed';
import { HOST_MEMORY_BYTES, promised } from './accounts';
import { createVmAddresses } from './addresses';
import { readCloudInit } from './card-network';
import { defineVmOperations } from './define';
import type { VmDeps } from './deps';
import { createAutostart, type Autostart } from './autostart';
import { createVmDocuments } from './documents';
import { firmwareTexts } from './firmware';
import { createHostStop, type HostStop } from './host-stop';
import { takenBytes } from './place';
import { needsImage } from './needed-images';
import { createFoundVms, type FoundVmReadings } from './found';
import { createGuestAddresses } from './guest-addresses';
import { createVmReadings } from './readings';
import { createRemoved, type Removed } from './removed';
import { listRemoved, keepDays } from './removed-store';
import { createVmSecrets, type VmSecrets } from './secrets';
import { vmSettingVerbs, type VmSettingVerbs } from './settings';
import { defineSnapshotOperations } from './snapshot-operations';
import { createVmSnapshots, type VmSnapshotReadings } from './snapshots';
import { findVm, findVmByName, listVms, type VmRecord } from './store';
import { createVmUsages, type VmUsages } from './usage';
import { createVmUsageHistory, type VmUsageHistory } from './usage-history';
import { recordOf, wrongState } from './verb';

export interface Vms extends VmSettingVerbs {
  list(): Vm[];
  /** @throws AppError vm_not_found */
  get(id: string): Vm;
  /** Its disks, with what each takes of the pool now. @throws AppError vm_not_found */
  disks(id: string): Promise<VmDiskUse[]>;
  host(): VmHost;
  /** What its engine keeps of it, to be read. @throws AppError vm_not_found | vm_wrong_state */
  definition(id: string): Promise<string>;
  /** What cloud-init was told of it. @throws AppError vm_not_found */
  cloudInit(id: string): Promise<VmCloudInit>;
  /** Names of the machines whose disks need this image. */
  namesWithImage(imageId: string): string[];
  /** Names of the machines that have a disk, or the image below it, on this pool. */
  namesOnPool(poolGuid: string): string[];
  /** Names of the machines with a disk on this pool that are saved with their memory, or of which nobody can tell. Asks now. */
  namesAsleepOn(poolGuid: string): Promise<string[]>;
  /** Finds out whether the processor helps, once, and shows it. */
  tryOut(): Promise<VmHost>;
  secrets: VmSecrets;
  usages: VmUsages;
  usageHistory: VmUsageHistory;
  snapshots: VmSnapshotReadings;
  removed: Removed;
  /** Machines that engines know and the records do not. */
  found: FoundVmReadings;
  autostart: Autostart;
  hostStop: HostStop;
  /** Requests that have not been answered yet, by the id of their machine. */
  asking: Map<string, Promise<Operation>>;
  start(): void;
  stop(): Promise<void>;
  /** Asks the engines now; resolves when the documents show it. */
  refresh(): Promise<void>;
}

export function createVms(options: Omit<VmDeps, 'readings'> & { feed: Feed }): Vms {
  const { db, bus, feed, images, operations, plugins, log } = options;
  const nodeId = nodeIdOf(db);
  const readings = createVmReadings({
    plugins,
    bus,
    log,
    changed: () => publish(),
    told: (id) => publishOne(id),
  });
  const addresses = createVmAddresses({ plugins, log, changed: () => publish() });
  const guests = createGuestAddresses({
    ...{ log, changed: () => publish() },
    async ask(id) {
      const { plugin, spec } = recordOf(db, id);
      return plugins.vmGuestAddresses(plugin, spec);
    },
  });
  const deps: VmDeps = { ...options, readings };
  const secrets = createVmSecrets(options.config.secretsDir, options.host.commands);
  defineVmOperations(operations, deps, secrets);
  const cpus = (): Map<string, number> => new Map(listVms(db).map((record) => [record.id, record.cpus]));
  const usages = createVmUsages({ plugins, log, cpus, clock: options.clock });
  const usageHistory = createVmUsageHistory({ db, plugins, log, cpus, clock: options.clock });
  const snapshots = createVmSnapshots(deps);
  defineSnapshotOperations(operations, deps, snapshots);
  const removed = createRemoved(deps);
  const autostart = createAutostart(deps);
  const unsubscribe: (() => void)[] = [];
  let tried: Pick<VmHost, 'virtType' | 'virtText' | 'firmware' | 'cpuModels'> = {
    ...{ virtType: 'qemu', virtText: null },
    cpuModels: [],
    firmware: { uefi: null, 'uefi-secure': null, tpm: null },
  };

  /** Of its plugin's, those that are on. */
  function on(plugin: string): string[] {
    const isOn = ({ id }: VmRecord): boolean => ['running', 'paused'].includes(readings.of(plugin, id));
    return listVms(db)
      .filter((record) => record.plugin === plugin && isOn(record))
      .map(({ id }) => id);
  }
  const documents = createVmDocuments({
    ...{ ...deps, nodeId, addresses: (id) => addresses.of(id), guestAddresses: (id) => guests.of(id) },
  });

  function host(): VmHost {
    const { cpus, memoryBytes } = options.hostSize();
    const { memoryBytes: taken } = promised(deps, db, null);
    return {
      ...{ id: 'host', cpus, memoryBytes, ...tried },
      freeMemoryBytes: Math.max(0, memoryBytes - HOST_MEMORY_BYTES - taken),
      keepRemovedDays: keepDays(db),
    };
  }
  function publish(): void {
    const nowOn = new Map(plugins.vmPlugins().map((plugin) => [plugin, on(plugin)]));
    addresses.follow(nowOn);
    guests.follow([...nowOn.values()].flat());
    feed.replace(
      'vms',
      documents.all().map((vm) => ({ id: vm.id, value: vm })),
    );
    feed.replace(
      'removedVms',
      removed.list().machines.map((one) => ({ id: one.id, value: one })),
    );
    feed.replace('vmHost', plugins.vmPlugins().length > 0 ? [{ id: 'host', value: host() }] : []);
    bus.emit('vms.changed', {});
  }

  /** At once, for a page that waits to see it: all that follows from it comes with the answer of the engine. */
  function publishOne(id: string): void {
    const record = findVm(db, id);
    if (record) feed.put('vms', id, documents.of(record));
  }

  /** One that was removed comes back with all it needs. */
  const namesOf = (needs: (record: VmRecord) => boolean): string[] => [
    ...listVms(db)
      .filter((record) => record.state !== 'failed' && needs(record))
      .map(({ name }) => name),
    ...listRemoved(db)
      .filter(
        ({ id, record }) =>
          findVm(db, id) === null && needs({ ...record, spec: { ...record.spec, cdPath: null } }),
      )
      .map(({ record }) => `${record.name} (removed, and still kept)`),
  ];
  function namesWithImage(imageId: string): string[] {
    const image = images.list().find(({ id }) => id === imageId);
    return image ? namesOf((record) => needsImage(record, image)) : [];
  }

  return {
    list: documents.all,
    get: (id) => documents.of(recordOf(db, id)),
    disks: (id) =>
      Promise.all(
        disksOf(recordOf(db, id).spec).map(async (disk) => ({
          ...{ ...disk, file: posix.basename(disk.path), takenBytes: await takenBytes(disk) },
        })),
      ),
    async definition(id) {
      const { name, plugin } = recordOf(db, id);
      await readings.refresh(plugin);
      if (readings.of(plugin, id) === 'missing')
        throw wrongState(
          `${plugin} does not know "${name}" any more.`,
          'Start it once: that makes it known again.',
        );
      return plugins.vmDefinition(plugin, id);
    },
    cloudInit: (id) => readCloudInit(recordOf(db, id)),
    host,
    ...vmSettingVerbs(deps),
    autostart,
    hostStop: createHostStop({ ...deps, autostart }),
    namesWithImage,
    namesOnPool(poolGuid) {
      const onIt = images.list().filter(({ pool }) => pool?.guid === poolGuid);
      return namesOf(
        (record) => record.poolGuid === poolGuid || onIt.some((image) => needsImage(record, image)),
      );
    },
    async namesAsleepOn(poolGuid) {
      const there = listVms(db).filter((record) => record.poolGuid === poolGuid && record.state !== 'failed');
      await Promise.all(
        [...new Set(there.map(({ plugin }) => plugin))].map((plugin) => readings.refresh(plugin)),
      );
      const asleep = ({ plugin, id }: VmRecord): boolean =>
        ['saved', 'unknown'].includes(readings.of(plugin, id));
      return there.filter(asleep).map(({ name }) => name);
    },
    async tryOut() {
      const answer = await plugins.acceleration(plugins.vm().id);
      const offers = await plugins.vmFirmware(plugins.vm().id);
      tried = {
        virtType: answer.virtType,
        virtText: answer.virtType === 'qemu' ? answer.reason : null,
        firmware: firmwareTexts(offers),
        cpuModels: offers?.cpuModels ?? [],
      };
      publish();
      return host();
    },
    secrets,
    usages,
    usageHistory,
    snapshots,
    removed,
    found: createFoundVms(deps),
    asking: new Map(),
    start() {
      unsubscribe.push(
        ...(['vm.changed', 'operation.ended', 'pools.changed'] as const).map((name) => bus.on(name, publish)),
      );
      unsubscribe.push(
        bus.on('machines.changed', ({ plugin, said }) => {
          const name = said === undefined ? null : plugins.knownVm(plugin).guestAddresses?.heard(said);
          const record = name ? findVmByName(db, name) : null;
          if (record?.plugin === plugin) guests.heard(record.id);
        }),
        bus.on('watchers.changed', ({ count }) => guests.watchers(count)),
      );
      readings.start();
      snapshots.start();
      publish();
      secrets.sweep((id) => ['creating', 'failed'].includes(findVm(db, id)?.state ?? ''));
    },
    async stop() {
      usages.stop();
      addresses.stop();
      guests.stop();
      snapshots.stop();
      for (const end of unsubscribe) end();
      await readings.stop();
    },
    async refresh() {
      await Promise.all(plugins.vmPlugins().map((id) => readings.refresh(id)));
    },
  };
}
