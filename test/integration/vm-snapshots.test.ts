/** Snapshots of machines over the router, with an engine that only makes folders. */
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { looks, type Step } from '$lib/plugin-api/plan';
import type { VmPlugin, VmReading, VmSnapshot, VmSnapshotsReading } from '$lib/plugin-api/vm';
import { systemClock } from '$lib/server/clock';
import { createCommands } from '$lib/server/host/command';
import { createLooks } from '$lib/server/host/looks';
import type { Host } from '$lib/server/host/types';
import { createOperations } from '$lib/server/operations/operations';
import type { Plugins } from '$lib/server/plugins/registry';
import { appRouter } from '$lib/server/trpc/app-router';
import { putVm, type VmRecord } from '$lib/server/vms/store';
import { createVms, type Vms } from '$lib/server/vms/vm';
import type { Role } from '$lib/shared/states';
import type { Pool } from '$lib/shared/wire/pools';
import type { VmSnapshotRequest } from '$lib/shared/wire/vm-snapshots';
import { actorOf, contextOf, createServiceBench, type ServiceBench } from '../support/services';

const MIB = 1024 ** 2;
const GUID = '6a1f0c52-77aa-4d5e-9f43-0d1c2b3a4f55';
const ID = '3f0d9c6e-1b5a-4c7d-8e2f-6a7b8c9d0e1f';

let bench: ServiceBench;
let vms: Vms;
let root: string;
let engine: VmPlugin;
let machine: VmReading;
let reading: VmSnapshotsReading;
/** Bytes that the pool has left. */
let free: number;

const step = (name: string): Step => {
  const path = join(root, 'web', name);
  return {
    ...{ name, title: name, look: looks.directory(path) },
    run: { do: 'make-directory', path, mode: 0o755 },
    undo: [{ do: 'remove-directory', path }],
  };
};
const snapshot = (change: Partial<VmSnapshot> = {}): VmSnapshot => ({
  ...{ name: 'first', createdAt: 1_000, description: null, parent: null, isCurrent: true, wasIn: 'off' },
  ...{ memoryBytes: null, size: { cpus: 1, memoryBytes: 64 * MIB }, restoreWhy: null, deleteWhy: null },
  ...change,
});
const caller = (role: Role) => appRouter.createCaller(contextOf(bench.services, actorOf(role)));
const start = (request: object, confirmCode: string | null = null) =>
  caller('operator').vmSnapshots.start({
    request: { vmId: ID, ...request } as VmSnapshotRequest,
    confirmCode,
  });
const preview = (request: object) =>
  caller('operator').vmSnapshots.preview({ request: { vmId: ID, ...request } as VmSnapshotRequest });
const codeOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => 'no error',
    (error: { cause?: { code?: string }; code?: string }) => error.cause?.code ?? error.code,
  );
/** As somebody who has read the plan. */
async function confirmed(request: object) {
  const answer = await preview(request);
  if (!answer.ok) throw new Error(JSON.stringify(answer.issues));
  const { id } = await start(request, answer.preview.confirmCode);
  return bench.services.operations.wait(id);
}

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'cairn-vm-snapshots-'));
  mkdirSync(join(root, 'web'));
  machine = { id: ID, name: 'web', status: 'stopped' };
  reading = { snapshots: [snapshot()], takeWhy: null, strays: ['stray'], facts: {} };
  free = 300 * MIB;
  engine = {
    ...{ api: 1, kind: 'vm', id: 'toy', name: 'Toy', version: '1', description: '', programs: [] },
    ...{ create: () => [], destroy: () => [], start: () => [], stop: () => [] },
    snapshots: {
      folders: () => [],
      read: () => Promise.resolve(reading),
      take: (_spec, { name }) => [step(`take-${name}`)],
      restore: () => [step('restore')],
      delete: () => [step('delete')],
    },
    status: () => Promise.resolve([machine]),
    check: () => Promise.resolve({ available: true }),
    acceleration: () => Promise.resolve({ virtType: 'kvm' }),
  };
  bench = createServiceBench();
  const { services, db } = bench;
  const host = {
    commands: createCommands([]),
    blockDevices: { current: () => [], pathOf: () => null },
    mounts: () => [],
    bootId: () => 'this-boot',
    usage: () => Promise.resolve({ sizeBytes: 1e9, usedBytes: 0, availableBytes: free }),
  } as unknown as Host;
  const plugins = {
    vmPlugins: () => ['toy'],
    vm: () => engine,
    knownVm: () => engine,
    recheck: () => Promise.resolve(),
    readVms: () => engine.status({} as never),
    vmSnapshots: () => Promise.resolve(reading),
  } as unknown as Plugins;
  const operations = createOperations({
    ...{ db, host, look: createLooks(host), bus: services.bus, feed: services.feed, clock: systemClock },
    ...{ log: services.log, config: services.config },
  });
  const pool = { guid: GUID, label: 'Tank', state: 'ready', mounted: true, mountPath: root };
  vms = createVms({
    ...{ db, host, plugins, operations, bus: services.bus, feed: services.feed, clock: systemClock },
    ...{ config: services.config, log: services.log },
    hostSize: () => ({ cpus: 2, memoryBytes: 1_024 * MIB, availableBytes: 128 * MIB }),
    pools: { list: () => [pool] as unknown as Pool[] },
    networks: { read: () => Promise.resolve([]) },
    images: { list: () => [] },
  });
  services.operations = operations;
  services.vms = vms;
  const spec = {
    ...{ id: ID, name: 'web', cpus: 1, memoryBytes: 64 * MIB, virtType: 'kvm' as const, asRoot: false },
    ...{ folder: join(root, 'web'), diskPath: join(root, 'web/disk'), diskBytes: MIB },
    ...{ seedPath: null, cdPath: null },
  };
  const record: VmRecord = {
    ...{ id: ID, name: 'web', plugin: 'toy', state: 'ready', spec, disk: 'empty', cpus: 1 },
    ...{ memoryBytes: 64 * MIB, diskBytes: MIB, virtType: 'kvm', poolGuid: GUID, imageId: 'i' },
    ...{ imageName: 'Micro', user: null, failedOperationId: null, failedText: null, createdAt: 1 },
  };
  db.transaction((tx) => putVm(tx, record));
  vms.start();
});
afterEach(async () => {
  await vms.stop();
  await bench.services.operations.stop(2_000);
  bench.close();
  rmSync(root, { recursive: true, force: true });
});

describe('the snapshots of a machine', () => {
  it('are seen by everybody, and changed by operators only', async () => {
    expect(await caller('viewer').vmSnapshots.read({ id: ID })).toMatchObject({
      ...{ id: ID, snapshots: [{ name: 'first' }], strays: ['stray'], error: null },
    });
    const request = { verb: 'take' as const, vmId: ID, name: 'x' };
    expect(await codeOf(caller('viewer').vmSnapshots.start({ request }))).toBe('forbidden');
    expect(await codeOf(caller('viewer').vmSnapshots.preview({ request }))).toBe('forbidden');
  });

  it.each([
    ['a name that is taken', () => ({ verb: 'take', name: 'first' }), 'snapshot_name_taken'],
    ['one that its disk has', () => ({ verb: 'take', name: 'stray' }), 'snapshot_name_taken'],
    ['a name that is none', () => ({ verb: 'take', name: 'a/b' }), 'snapshot_name_invalid'],
    ['two lines', () => ({ verb: 'take', name: 'x', description: 'a\nb' }), 'BAD_REQUEST'],
    ['one that is not there', () => ({ verb: 'delete', name: 'x' }), 'snapshot_not_found'],
    ['to keep it by a name that is taken', () => restore({ keepAs: 'first' }), 'snapshot_name_taken'],
    ['a disk that has none', () => given({ takeWhy: 'Raw.' }, { verb: 'take', name: 'x' }), 'not_supported'],
    ['one that was made outside', () => made({ restoreWhy: 'Outside.' }), 'not_supported'],
    ['more memory than is free', () => made(withMemory(512 * MIB)), 'memory_taken'],
    ['a full pool', () => room(MIB, 'stopped'), 'vm_snapshot_no_room'],
    ['a pool too full for its memory', () => room(100 * MIB, 'running'), 'vm_snapshot_no_room'],
    ['saved memory', () => at('saved'), 'vm_wrong_state'],
    ['a machine that shuts down', () => at('stopping'), 'vm_wrong_state'],
    ['a machine that its engine forgot', () => at('missing'), 'vm_wrong_state'],
    ['an engine that has none', () => ((engine.snapshots = undefined), restore({})), 'not_supported'],
  ])('are refused by name: %s', async (_title, request, code) => {
    const asked = request();
    expect(await codeOf(start(asked))).toBe(code);
    expect(bench.db.$client.prepare('SELECT * FROM operations').all()).toEqual([]);
  });
  const restore = (more: object) => ({ verb: 'restore', name: 'first', ...more });
  const withMemory = (memoryBytes: number) =>
    ({ wasIn: 'running', size: { cpus: 1, memoryBytes } }) satisfies Partial<VmSnapshot>;
  function given(change: Partial<VmSnapshotsReading>, request: object): object {
    reading = { ...reading, ...change };
    return request;
  }
  const made = (change: Partial<VmSnapshot>): object => given({ snapshots: [snapshot(change)] }, restore({}));
  function at(status: VmReading['status'] | 'missing'): object {
    if (status === 'missing') engine.status = () => Promise.resolve([]);
    else machine.status = status;
    return restore({ keepAs: 'kept' });
  }
  function room(bytes: number, status: VmReading['status']): object {
    free = bytes;
    machine.status = status;
    return { verb: 'take', name: 'x' };
  }

  it('are restored and deleted by who has confirmed exactly what is lost', async () => {
    for (const request of [restore({}), { verb: 'delete', name: 'first' }]) {
      expect(await codeOf(start(request))).toBe('confirm_required');
      expect(await codeOf(start(request, 'ffffffffffff'))).toBe('confirm_stale');
    }
    const answer = await preview(restore({}));
    const code = answer.ok ? answer.preview.confirmCode : null;
    expect(code).toMatch(/^[0-9a-f]{12}$/);
    // It was started meanwhile: more would be lost.
    machine.status = 'running';
    expect(await codeOf(start(restore({}), code))).toBe('confirm_stale');
    expect((await confirmed({ verb: 'delete', name: 'first' })).state).toBe('succeeded');
  });

  it('give the machine back what it had then', async () => {
    reading.snapshots = [snapshot({ wasIn: 'running', size: { cpus: 2, memoryBytes: 96 * MIB } })];
    const answer = await preview(restore({}));
    expect(answer.ok && answer.preview.notes.join(' ')).toMatch(/2 CPUs and 96 MiB of memory again/);
    expect((await confirmed(restore({}))).state).toBe('succeeded');
    expect(vms.get(ID)).toMatchObject({ cpus: 2, memoryBytes: 96 * MIB });
  });

  it('give the record all that is in the definition again, not only its size', async () => {
    const made = {
      cards: [{ slot: 2, mac: '52:54:00:00:00:02' }],
      cdPath: '/mnt/tank/images/disc.iso',
      ...{ topology: { sockets: 1, cores: 1, threads: 1 }, boot: ['cd', 'card-2'] },
    };
    if (engine.snapshots) engine.snapshots.madeOf = () => made;
    expect((await confirmed(restore({}))).state).toBe('succeeded');
    expect(vms.get(ID)).toMatchObject({
      ...{ cards: made.cards, bootOrder: made.boot, topology: made.topology },
      cd: { imageId: null, name: 'disc.iso' },
    });
  });

  it('need no confirmation when what is there now is kept first', async () => {
    const { id } = await start(restore({ keepAs: 'kept' }));
    expect((await bench.services.operations.wait(id)).state).toBe('succeeded');
    for (const name of ['take-kept', 'restore']) expect(existsSync(join(root, 'web', name))).toBe(true);
  });

  it('are not restored again by a retry that nobody has confirmed', async () => {
    writeFileSync(join(root, 'web/restore'), 'in the way');
    const failed = await confirmed(restore({}));
    expect(failed.state).toBe('failed');
    rmSync(join(root, 'web/restore'));
    const retried = bench.services.operations.retry(failed.id, actorOf('operator'));
    expect(await codeOf(retried)).toBe('confirm_required');
  });
});
