import { randomUUID } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { looks, type Step } from '$lib/plugin-api/plan';
import type { VmFirmwareOffers } from '$lib/plugin-api/vm-extras';
import type { VmCdDrive, VmAddresses, VmPlugin, VmReading } from '$lib/plugin-api/vm';
import { systemClock } from '$lib/server/clock';
import { vmSamples } from '$lib/server/db/schema';
import { createCommands } from '$lib/server/host/command';
import type { Host } from '$lib/server/host/types';
import { createLooks } from '$lib/server/host/looks';
import { createOperations } from '$lib/server/operations/operations';
import type { Plugins } from '$lib/server/plugins/registry';
import { appRouter } from '$lib/server/trpc/app-router';
import { createVmUsageHistory } from '$lib/server/vms/usage-history';
import { waitForVm } from '$lib/server/vms/wait';
import { createVms, type Vms } from '$lib/server/vms/vm';
import type { Image } from '$lib/shared/wire/images';
import type { HostLink } from '$lib/shared/wire/networks';
import type { Pool } from '$lib/shared/wire/pools';
import type { VmWaitLine } from '$lib/shared/wire/vms';
import type { Role } from '$lib/shared/states';
import { actorOf, contextOf, createServiceBench, type ServiceBench } from '../support/services';

const MIB = 1024 ** 2;
const GUID = '6a1f0c52-77aa-4d5e-9f43-0d1c2b3a4f55';
const PASSWORD = 'a: "b" # \'c\'';
const step = (name: string, path: string): Step => ({
  ...{ name, title: name, look: looks.directory(path) },
  run: { do: 'make-directory', path, mode: 0o755 },
  undo: [{ do: 'remove-directory', path }],
});

let bench: ServiceBench;
let vms: Vms;
let root: string;
/** What the engine says. */
let links: HostLink[] = [];
let machines: VmReading[];
let answers: boolean;
/** What it gave to whom. */
let addresses: () => VmAddresses[];
let asked: number;
function given(): VmAddresses[] {
  asked += 1;
  return addresses();
}
let boot: string;
/** Bytes that a disk has left. */
let free: number;
/** What machines can start by. */
let offers: VmFirmwareOffers | null = null;
/** What is in the drive for CDs. */
let drive: VmCdDrive | null;
/** What a disk really has. */
let hasBytes: number;
/** Bytes of memory that nobody on the host uses. */
let available: number;
let hostMemory: number;
/** A second one, for what comes late. */
let late: { guid: string; mounted: boolean; availableBytes: number };

const disks: NonNullable<VmPlugin['disks']> = {
  most: () => 3,
  whyOff: ({ devices }) => (devices === 'common' ? 'They change only while it is off.' : null),
  sizeOf: () => Promise.resolve(hasBytes),
  grow: (spec, disk, sizeBytes, isOn) => [
    step('grow', join(spec.folder, `disk-${disk.slot}-${sizeBytes}-${isOn ? 'on' : 'off'}`)),
  ],
  add: (_spec, { path }, isOn) => [step('add', path), ...(isOn ? [step('plug-in', `${path}-on`)] : [])],
  remove: (_spec, { path }, untilMs) => [
    {
      ...{ name: untilMs === null ? 'remove' : 'unplug', title: 'Remove', undo: 'impossible' },
      ...{ look: { ...looks.directory(path), negate: true }, run: { do: 'remove-directory', path } },
    },
  ],
};

const engine = {
  ...{
    api: 1,
    kind: 'vm',
    id: 'toy',
    name: 'Toy',
    version: '1',
    description: '',
    programs: ['/usr/bin/false'],
  },
  create: (spec) => [step('make-folder', spec.folder)],
  destroy: (spec) => [
    {
      ...{
        name: 'remove-folder',
        title: 'Remove',
        undo: 'impossible',
        look: { ...looks.directory(spec.folder), negate: true },
      },
      run: { do: 'remove-directory', path: spec.folder },
    },
  ],
  start: (spec) => [step('start', join(spec.folder, 'on'))],
  stop: () => [],
  memory: {
    folder: '/save',
    save: (spec) => [step('save', join(spec.folder, 'saved'))],
    restore: (spec) => [step('restore', join(spec.folder, 'restored'))],
    discard: () => [],
  },
  pause: (spec) => [step('pause', join(spec.folder, 'paused'))],
  resume: () => [],
  resize: {
    facts: () => Promise.resolve({ was: 1 }),
    plan: (spec, { cpus }) => [step('resize', join(spec.folder, `size-${cpus}`))],
  },
  cloneWhy: () => Promise.resolve(null),
  disks,
  cards: {
    most: 2,
    macOf: ({ name }, slot) => `${name}-${slot}`,
    add: (spec, { mac }, isOn) => [step('add', join(spec.folder, `${mac}-${isOn ? 'on' : 'off'}`))],
    remove: (spec, { mac }) => [step('remove', join(spec.folder, `no-${mac}`))],
    facts: () => Promise.resolve({}),
    move: (spec, { mac }, { bridge }) => [step('move', join(spec.folder, `${mac}-in-${bridge ?? 'nat'}`))],
  },
  cd: {
    read: () => Promise.resolve(drive),
    change: (spec, path, _drive, isOn) => [
      step('change', join(spec.folder, `cd-${isOn ? 'on' : 'off'}-${basename(path ?? 'none')}`)),
    ],
  },
  status: () => Promise.resolve(machines),
  check: () => Promise.resolve({ available: true }),
  acceleration: () => Promise.resolve({ virtType: 'qemu', reason: 'It was tried.' }),
} satisfies VmPlugin as VmPlugin;

const normal = { ...engine };
const shelve: NonNullable<VmPlugin['shelve']> = {
  read: () => Promise.resolve({ known: 'all' }),
  forget: () => [],
  recall: () => [],
};

const caller = (role: Role) => appRouter.createCaller(contextOf(bench.services, actorOf(role)));
const request = (change: Record<string, unknown> = {}) => ({
  ...{ name: 'web', imageId: 'i', poolGuid: GUID, cpus: 1, memoryBytes: 64 * MIB, diskBytes: 10 * MIB },
  cloudInit: { user: 'ann', sshKeys: [], password: PASSWORD },
  ...change,
});
const codeOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => 'no error',
    (error: { cause?: { code?: string }; code?: string }) => error.cause?.code ?? error.code,
  );
const wait = (id: string) => bench.services.operations.wait(id);
/** As somebody who has read what is lost. */
async function removeForGood(vmId: string) {
  const ask = { vmId, forGood: true };
  const { confirmCode } = await caller('operator').vms.previewRemove(ask);
  return wait((await caller('operator').vms.remove({ ...ask, confirmCode })).id);
}

beforeEach(() => {
  Object.assign(engine, normal);
  delete engine.shelve;
  delete engine.template;
  root = mkdtempSync(join(tmpdir(), 'cairn-vms-'));
  mkdirSync(join(root, 'tank'));
  mkdirSync(join(root, 'late'));
  writeFileSync(join(root, 'image.raw'), 'x'.repeat(512));
  machines = [];
  links = [];
  answers = true;
  addresses = () => [];
  asked = 0;
  boot = 'this-boot';
  free = 300 * MIB;
  hasBytes = 10 * MIB;
  drive = { config: null, now: null };
  offers = null;
  available = 1_000 * MIB;
  hostMemory = 1_024 * MIB;
  bench = createServiceBench();
  const { services, db } = bench;
  const host = {
    commands: createCommands([]),
    blockDevices: { current: () => [], pathOf: () => null },
    mounts: () => [],
    bootId: () => boot,
    usage: () => Promise.resolve({ sizeBytes: 1e9, usedBytes: 0, availableBytes: free }),
  } as unknown as Host;
  const plugins = {
    vmPlugins: () => ['toy'],
    vm: () => engine,
    acceleration: engine.acceleration,
    vmDefinition: async (_plugin: string, id: string) => `<toy>${id}</toy>`,
    vmAddresses: async () => ({ folder: root, machines: given() }),
    vmFirmware: () => Promise.resolve(offers),
    vmCloneWhy: () => engine.cloneWhy?.({} as never, {} as never),
    knownVm: () => engine,
    vmCdDrive: () => engine.cd?.read({} as never, {} as never),
    vmDiskSize: () => engine.disks?.sizeOf({} as never, {} as never),
    vmShelveFacts: () => engine.shelve?.read({} as never, {} as never),
    vmCardFacts: () => engine.cards?.facts({} as never, {} as never, {} as never),
    vmSizeFacts: () => engine.resize?.facts({} as never, {} as never),
    recheck: () => Promise.resolve(),
    readVms: () => (answers ? engine.status({} as never) : Promise.reject(new Error('no answer'))),
  } as unknown as Plugins;
  const operations = createOperations({
    ...{ db, host, look: createLooks(host), bus: services.bus, feed: services.feed, clock: systemClock },
    ...{ log: services.log, config: services.config },
  });
  const pool = {
    ...{ guid: GUID, label: 'Tank', state: 'ready', mounted: true, mountPath: join(root, 'tank') },
    availableBytes: 300 * MIB,
  };
  const other = { ...pool, guid: randomUUID(), label: 'Late', mountPath: join(root, 'late') };
  late = other;
  const image = {
    id: 'i',
    name: 'Micro',
    badge: 'ready',
    path: join(root, 'image.raw'),
    format: 'raw',
    arch: null,
  };
  const iso = { ...image, id: 'cd', name: 'Installer', format: 'iso', path: join(root, 'installer.iso') };
  vms = createVms({
    ...{ db, host, plugins, operations, bus: services.bus, feed: services.feed, clock: systemClock },
    ...{ config: services.config, log: services.log },
    hostSize: () => ({ cpus: 4, memoryBytes: hostMemory, availableBytes: available }),
    pools: { list: () => [pool, other] as unknown as Pool[] },
    networks: { read: () => Promise.resolve(links) },
    images: { list: () => [image, iso] as unknown as Image[] },
  });
  services.operations = operations;
  services.vms = vms;
  vms.start();
});
afterEach(async () => {
  await vms.stop();
  await bench.services.operations.stop(2_000);
  bench.close();
  rmSync(root, { recursive: true, force: true });
});

describe('machines over the router', () => {
  it('are listed for everybody, and changed by operators only', async () => {
    expect(await caller('viewer').vms.list()).toEqual([]);
    expect(await codeOf(caller('viewer').vms.create(request()))).toBe('forbidden');
    expect(await codeOf(caller('viewer').vms.preview(request()))).toBe('forbidden');
    expect(await codeOf(caller('operator').vms.get({ id: 'x' }))).toBe('vm_not_found');
  });

  it('are previewed with everything that is wrong, and without a trace', async () => {
    const answer = await caller('operator').vms.preview(request({ name: 'my_web', cpus: 0 }));
    expect(answer.ok ? [] : answer.issues.map(({ code }) => code)).toEqual([
      'vm_name_underscore',
      'cpus_invalid',
    ]);
    const fine = await caller('operator').vms.preview(request());
    expect(fine.ok && fine.preview.notes.join(' ')).toMatch(/emulated.*It was tried/);
    expect(vms.list()).toEqual([]);
    expect(existsSync(join(root, 'tank/machines'))).toBe(false);
  });

  it('keep a password in one file of root, in nothing that is written down', async () => {
    const { promise, resolve } = Promise.withResolvers<string>();
    engine.create = (spec, origin) => {
      const path = origin.seed?.secretPath ?? '';
      resolve(path);
      return normal.create(spec, origin);
    };
    const asked = caller('operator').vms.create(request());
    const path = await promise;
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readFileSync(path, 'utf8')).toMatch(/password: ?"?\$6\$[./0-9A-Za-z]{16}\$/);
    const operation = await wait((await asked).id);
    expect(operation.error).toBeNull();
    await expect.poll(() => readdirSync(bench.services.config.secretsDir)).toEqual([]);
    const written = JSON.stringify(bench.db.$client.prepare('SELECT * FROM operations').all());
    expect(written).toContain('hasPassword');
    expect(written).not.toContain(JSON.stringify(PASSWORD).slice(1, -1));
    expect(written).not.toContain('$6$');
  });

  it('are one when they are asked for twice with the same id', async () => {
    const id = '3f0d9c6e-1b5a-4c7d-8e2f-6a7b8c9d0e1f';
    const [first, second] = await Promise.all([
      caller('operator').vms.create(request({ id })),
      caller('operator').vms.create(request({ id })),
    ]);
    const again = await caller('operator').vms.create(request({ id }));
    expect(again.id).toBe(first.id);
    expect(second.id).toBe(first.id);
    expect(vms.list()).toHaveLength(1);
    await wait(first.id);
  });

  it('get a disk that fits the image where nobody says how large', async () => {
    free = 40 * 1024 * MIB;
    const sizes: number[] = [];
    const wishes = [{}, { diskFreeBytes: 0 }, { diskFreeBytes: 1024 * MIB }, { imageId: null }];
    for (const [index, change] of wishes.entries()) {
      const named = { name: `web-${index}`, cloudInit: undefined, diskBytes: undefined };
      const { subject, id } = await caller('operator').vms.create({ ...request(change), ...named });
      await wait(id);
      sizes.push(vms.get(subject.id).diskBytes / 1024 / MIB);
    }
    expect(sizes).toEqual([10, 1, 2, 10]);
    const both = request({ name: 'one', diskFreeBytes: 0 });
    expect(await codeOf(caller('operator').vms.create(both))).toBe('disk_invalid');
  });

  it('get what there is only once', async () => {
    const big = { diskBytes: 200 * MIB, cloudInit: undefined };
    const codes = await Promise.all(
      ['one', 'two'].map((name) => codeOf(caller('operator').vms.create(request({ ...big, name })))),
    );
    expect(codes.toSorted()).toEqual(['no error', 'pool_full']);
    await wait(bench.services.operations.page({ limit: 1 }).items[0]?.id ?? '');
  });

  it('share out no more memory than the host has', async () => {
    const some = { memoryBytes: 320 * MIB, cloudInit: undefined };
    const first = await caller('operator').vms.create(request({ ...some, name: 'one' }));
    await wait(first.id);
    machines = [{ id: first.subject.id, name: 'one', status: 'running' }];
    await vms.refresh();
    expect(vms.host().freeMemoryBytes).toBe((1_024 - 512 - 320) * MIB);
    expect(await codeOf(caller('operator').vms.create(request({ ...some, name: 'two' })))).toBe(
      'memory_taken',
    );
    machines = [{ id: first.subject.id, name: 'one', status: 'stopped' }];
    await vms.refresh();
    const second = await caller('operator').vms.create(request({ ...some, name: 'two' }));
    expect((await wait(second.id)).state).toBe('succeeded');
  });

  it('are not started on a host that does not have the memory after all, and leave nothing behind but their name', async () => {
    // What the kernel says of itself, and not only the accounts, has to bear it.
    available = hostMemory = 2 ** 50;
    const asked = await caller('operator').vms.create(
      request({ memoryBytes: 2 ** 49, cloudInit: undefined }),
    );
    const ended = await wait(asked.id);
    expect(ended.state).toBe('failed');
    expect(ended.error?.message).toMatch(/Only \d+ of 536870912 MiB of memory can be had now/);
    expect(existsSync(join(root, 'tank/machines/web'))).toBe(false);
    expect(vms.get(asked.subject.id)).toMatchObject({ state: 'failed-to-start' });
    available = hostMemory = 1_024 * MIB;
    const again = await caller('operator').vms.create(request({ name: 'other', cloudInit: undefined }));
    const made = await wait(again.id);
    expect(made.steps.map(({ title }) => title)).toContain('Check that 64 MiB of memory can be had');
    expect(readdirSync(join(root, 'tank/machines/other'))).not.toContain('memory-tried');
  });

  it('whose creation fails keep their name, and are made when they are tried again', async () => {
    // One that commands do not allow.
    engine.start = (spec) => [
      {
        ...step('start', join(spec.folder, 'on')),
        run: { do: 'exec', program: '/usr/bin/false', argv: [] },
      },
    ];
    const asked = await caller('operator').vms.create(request());
    await wait(asked.id);
    engine.start = normal.start;
    expect(vms.get(asked.subject.id)).toMatchObject({
      state: 'failed-to-start',
      failedOperationId: asked.id,
    });
    expect(vms.get(asked.subject.id).stateText).not.toBeNull();
    expect(existsSync(join(root, 'tank/machines/web'))).toBe(false);
    expect(await codeOf(caller('operator').vms.start({ vmId: asked.subject.id }))).toBe('vm_wrong_state');
    const again = await caller('operator').vms.retry({ vmId: asked.subject.id });
    expect((await wait(again.id)).state).toBe('succeeded');
    expect(vms.get(asked.subject.id).failedOperationId).toBeNull();
  });

  it('that need somebody are not lost: what is left of them can be removed', async () => {
    // It acts, and what it did cannot be seen: the folder below is not empty on the way back.
    engine.start = (spec) => [
      { ...step('start', join(spec.folder, 'on')), look: looks.directory(join(root, 'nowhere')) },
    ];
    const asked = await caller('operator').vms.create(request({ cloudInit: undefined }));
    expect((await wait(asked.id)).state).toBe('needs-attention');
    const vmId = asked.subject.id;
    expect(vms.get(vmId)).toMatchObject({ state: 'failed-to-start', operationId: asked.id });
    expect(await codeOf(removeForGood(vmId))).toBe('locked');
    await caller('operator').operations.resolve({ id: asked.id, decision: 'leave-as-is' });
    rmSync(join(root, 'tank/machines/web/on'), { recursive: true });
    expect(await codeOf(caller('operator').vms.remove({ vmId }))).toBe('confirm_required');
    expect((await removeForGood(vmId)).state).toBe('succeeded');
    expect(vms.list()).toEqual([]);
    expect(existsSync(join(root, 'tank/machines/web'))).toBe(false);
  });

  it('have an address as soon as their engine has given one, and none when they are off', async () => {
    const { subject, id } = await caller('operator').vms.create(request({ cloudInit: undefined }));
    await wait(id);
    machines = [{ id: subject.id, name: 'web', status: 'running' }];
    await vms.refresh();
    await expect.poll(() => asked).toBe(1);
    expect(vms.get(subject.id).addresses).toEqual([]);
    addresses = () => [
      { id: subject.id, addresses: ['192.0.2.7'] },
      { id: 'somebody else', addresses: ['192.0.2.8'] },
    ];
    writeFileSync(join(root, 'leases'), 'one more');
    await expect.poll(() => vms.get(subject.id).addresses).toEqual(['192.0.2.7']);
    addresses = () => {
      throw new Error('not now');
    };
    writeFileSync(join(root, 'leases'), 'and another');
    await expect.poll(() => asked).toBeGreaterThan(2);
    expect(vms.get(subject.id).addresses).toEqual(['192.0.2.7']);
    machines = [{ id: subject.id, name: 'web', status: 'stopped' }];
    await vms.refresh();
    expect(vms.get(subject.id).addresses).toEqual([]);
  });

  describe('are waited for', () => {
    const hear = async (from: AsyncIterable<VmWaitLine>): Promise<VmWaitLine[]> => {
      const lines: VmWaitLine[] = [];
      for await (const line of from) lines.push(line);
      return lines;
    };
    const waitFor = async (vmId: string, goal: 'on' | 'address', seconds = 60) =>
      hear((await caller('viewer').vms.onWait({ vmId, goal, seconds })) as AsyncIterable<VmWaitLine>);

    it('with a line for each step, until they have an address', async () => {
      const id = randomUUID();
      engine.start = (spec) => {
        machines = [{ id, name: 'web', status: 'running' }];
        return normal.start(spec);
      };
      const made = await caller('operator').vms.create(request({ id, cloudInit: undefined }));
      const heard = waitFor(id, 'address');
      await wait(made.id);
      await expect.poll(() => asked).toBeGreaterThan(0);
      addresses = () => [{ id, addresses: ['192.0.2.7', 'fd00::7'] }];
      writeFileSync(join(root, 'leases'), 'one more');
      const lines = await heard;
      expect(lines[0]?.text).toContain('web');
      expect(lines.map(({ text }) => text)).toEqual(
        expect.arrayContaining(made.steps.map(({ title }) => title)),
      );
      expect(lines.at(-1)).toEqual({
        text: '"web" has the address 192.0.2.7, fd00::7.',
        end: 'reached',
      });
      expect(lines.slice(0, -1).every(({ end }) => end === null)).toBe(true);
      expect(await waitFor(id, 'on')).toEqual([{ text: '"web" is on.', end: 'reached' }]);
    });

    it('with a line for what comes after a step that was begun and had nothing to do', async () => {
      const begun = (state: string, ...more: string[]) => [
        { title: 'First', state },
        ...more.map((title) => ({ title, state: 'acting' })),
      ];
      let steps = begun('begun');
      let state = 'starting';
      const operation = () => ({ id: 'o', title: 'Start web', state: 'running', error: null, steps });
      const told = waitForVm(
        {
          bus: bench.services.bus,
          operations: { get: operation },
          vms: {
            get: () => ({ name: 'web' }),
            list: () => [{ id: 'v', name: 'web', state, operationId: 'o', addresses: [] }],
          },
        } as unknown as Parameters<typeof waitForVm>[0],
        { vmId: 'v', goal: 'on', seconds: 60 },
        undefined,
      );
      const heard = hear(told);
      await sleep(20);
      steps = begun('skipped', 'Second');
      bench.services.bus.emit('operation.changed', { id: 'o' });
      await sleep(20);
      state = 'running';
      bench.services.bus.emit('vms.changed', {});
      expect((await heard).map(({ text }) => text)).toEqual(['Start web', 'First', 'Second', '"web" is on.']);
    });

    it('and are told to have failed, with the reason', async () => {
      engine.start = (spec) => [
        {
          ...step('start', join(spec.folder, 'on')),
          run: { do: 'exec', program: '/usr/bin/false', argv: [] },
        },
      ];
      const { subject } = await caller('operator').vms.create(request({ cloudInit: undefined }));
      const last = (await waitFor(subject.id, 'on')).at(-1);
      expect(last).toMatchObject({ end: 'missed', text: expect.stringMatching(/could not be made\. .+/) });
    });

    it('no longer than asked, nor when nothing will come', async () => {
      const { subject, id } = await caller('operator').vms.create(request({ cloudInit: undefined }));
      await wait(id);
      machines = [{ id: subject.id, name: 'web', status: 'running' }];
      await vms.refresh();
      const last = (await waitFor(subject.id, 'address', 1)).at(-1);
      expect(last).toEqual({ text: '"web" is running after 1 s.', end: 'missed' });
      machines = [{ id: subject.id, name: 'web', status: 'stopped' }];
      await vms.refresh();
      expect(await waitFor(subject.id, 'address')).toEqual([
        { text: '"web" is stopped, and nothing is done to it.', end: 'missed' },
      ]);
      await expect(waitFor(randomUUID(), 'on')).rejects.toMatchObject({ cause: { code: 'vm_not_found' } });
    });
  });

  it('are paused while they run, and go on only after that', async () => {
    const { subject, id } = await caller('operator').vms.create(request({ cloudInit: undefined }));
    await wait(id);
    const ask = { vmId: subject.id };
    const say = (status: VmReading['status']): void => {
      machines = [{ id: subject.id, name: 'web', status }];
    };
    say('stopped');
    expect(await codeOf(caller('viewer').vms.pause(ask))).toBe('forbidden');
    expect(await codeOf(caller('operator').vms.pause(ask))).toBe('vm_wrong_state');
    say('running');
    expect(await codeOf(caller('operator').vms.resume(ask))).toBe('vm_wrong_state');
    expect((await wait((await caller('operator').vms.pause(ask)).id)).state).toBe('succeeded');
    say('paused');
    expect(await codeOf(caller('operator').vms.pause(ask))).toBe('vm_wrong_state');
    expect((await wait((await caller('operator').vms.resume(ask)).id)).state).toBe('succeeded');
  });

  it('are not removed while an administrator protects them', async () => {
    const { subject, id } = await caller('operator').vms.create(request({ cloudInit: undefined }));
    await wait(id);
    const ask = { vmId: subject.id };
    machines = [{ id: subject.id, name: 'web', status: 'stopped' }];
    expect(await codeOf(caller('operator').vms.protect({ ...ask, value: true }))).toBe('forbidden');
    expect(await caller('admin').vms.protect({ ...ask, value: true })).toMatchObject({ protected: true });
    for (const work of [caller('admin').vms.remove(ask), caller('operator').vms.previewRemove(ask)])
      expect(await codeOf(work)).toBe('vm_protected');
    await caller('admin').vms.protect({ ...ask, value: false });
    // Also when it is protected while its files are still being listed.
    const slow = Promise.withResolvers<VmReading[]>();
    engine.status = () => slow.promise;
    engine.shelve = shelve;
    const removal = codeOf(caller('operator').vms.remove(ask));
    await caller('admin').vms.protect({ ...ask, value: true });
    slow.resolve(machines);
    expect(await removal).toBe('vm_protected');
    engine.status = normal.status;
    delete engine.shelve;
    await caller('admin').vms.protect({ ...ask, value: false });
    rmSync(join(root, 'tank/machines/web/on'), { recursive: true });
    expect((await removeForGood(subject.id)).state).toBe('succeeded');
    expect(await codeOf(caller('admin').vms.protect({ ...ask, value: true }))).toBe('vm_not_found');
  });

  it('are kept when they are removed, and deleted by themselves when their time is over', async () => {
    engine.shelve = shelve;
    const { subject, id } = await caller('operator').vms.create(request({ cloudInit: undefined }));
    await wait(id);
    const ask = { vmId: subject.id };
    expect(await codeOf(caller('operator').removedVms.setKeepDays({ keepDays: 3 }))).toBe('forbidden');
    for (const keepDays of [0, 1.5, 366])
      expect(await codeOf(caller('admin').removedVms.setKeepDays({ keepDays }))).toBe('keep_days_invalid');
    expect(await caller('admin').removedVms.setKeepDays({ keepDays: 3 })).toMatchObject({ keepDays: 3 });
    machines = [{ id: subject.id, name: 'web', status: 'stopped' }];
    expect(await codeOf(caller('viewer').vms.remove(ask))).toBe('forbidden');
    expect((await wait((await caller('operator').vms.remove(ask)).id)).state).toBe('succeeded');
    machines = [];
    expect(vms.list()).toEqual([]);
    const [kept] = vms.removed.list().machines;
    expect(kept).toMatchObject({ id: subject.id, blocked: null, pool: { label: 'Tank' } });
    expect((kept?.keptUntil ?? 0) - (kept?.removedAt ?? 0)).toBe(3 * 86_400_000);
    expect(vms.namesOnPool(GUID)).toEqual(['web (removed, and still kept)']);
    const sameId = request({ id: subject.id, name: 'other', cloudInit: undefined });
    expect(await codeOf(caller('operator').vms.create(sameId))).toBe('vm_wrong_state');
    const folder = join(root, 'tank/machines/.removed', subject.id);
    expect(readdirSync(folder)).toContain('machine.json');

    await vms.removed.emptyDue();
    expect(vms.removed.list().machines).toHaveLength(1);
    expect(await codeOf(caller('operator').removedVms.empty(ask))).toBe('confirm_required');
    rmSync(join(folder, 'on'), { recursive: true });
    bench.db.$client.prepare('UPDATE removed_vms SET kept_until = 1, pool_guid = ?').run(randomUUID());
    await vms.removed.emptyDue();
    expect(vms.removed.list().machines[0]?.blocked).toMatch(/"Tank" is not one of this host/);
    bench.db.$client.prepare('UPDATE removed_vms SET pool_guid = ?').run(GUID);
    await vms.removed.emptyDue();
    expect(vms.removed.list().machines).toEqual([]);
    expect(existsSync(folder)).toBe(false);
    expect(bench.services.operations.page({ limit: 1 }).items[0]).toMatchObject({
      ...{ kind: 'vm.empty', state: 'succeeded', requestedBy: 'cairn' },
    });
  });

  it('are as they were when they could not be brought back, and neither start by themselves nor lose what was set', async () => {
    engine.shelve = shelve;
    const { subject, id } = await caller('operator').vms.create(request({ cloudInit: undefined }));
    await wait(id);
    machines = [{ id: subject.id, name: 'web', status: 'stopped' }];
    const ask = { vmId: subject.id };
    const autostart = { on: true, order: 4, delaySeconds: 2 };
    await caller('operator').vms.setAutostart({ ...ask, autostart });
    await caller('operator').vms.label({ ...ask, tags: ['media'], notes: 'films' });
    await wait((await caller('operator').vms.remove(ask)).id);
    machines = [];
    boot = 'another-boot';
    engine.shelve = {
      ...shelve,
      recall: (spec) => [{ ...step('recall', join(spec.folder, 'x')), look: looks.directory('/nowhere') }],
    };
    expect((await wait((await caller('operator').removedVms.bringBack(ask)).id)).state).toBe('failed');
    expect(vms.list()).toEqual([]);
    expect(vms.removed.list().machines).toHaveLength(1);
    expect(readdirSync(join(root, 'tank/machines'))).toEqual(['.removed']);
    // What is promised by now is not there twice.
    free = 5 * MIB;
    engine.shelve = shelve;
    expect(await codeOf(caller('operator').removedVms.bringBack(ask))).toBe('pool_full');
    free = 300 * MIB;
    // Somebody has made the folder again, with nothing in it.
    mkdirSync(join(root, 'tank/machines/web'));
    expect((await wait((await caller('operator').removedVms.bringBack(ask)).id)).state).toBe('succeeded');
    expect(readdirSync(join(root, 'tank/machines/.removed'))).toEqual([]);
    expect(readdirSync(join(root, 'tank/machines/web'))).toContain('on');
    expect(vms.get(subject.id)).toMatchObject({
      ...{ tags: ['media'], notes: 'films', autostart, diskBytes: 10 * MIB },
    });
    expect(vms.get(subject.id).stateText ?? '').not.toMatch(/starts by itself/);
    expect(vms.removed.list().machines).toEqual([]);
  });

  it('are told what becomes of them when the host goes down, by operators', async () => {
    const { subject, id } = await caller('operator').vms.create(request({ cloudInit: undefined }));
    await wait(id);
    const vmId = subject.id;
    expect(vms.get(vmId).hostStop).toEqual({ seconds: 60, otherwise: 'switch-off', startsAgain: false });
    const hostStop = { seconds: 5, otherwise: 'save', startsAgain: true } as const;
    expect(await codeOf(caller('viewer').vms.setHostStop({ vmId, hostStop }))).toBe('forbidden');
    for (const seconds of [0, 601, 1.5])
      expect(
        await codeOf(caller('operator').vms.setHostStop({ vmId, hostStop: { ...hostStop, seconds } })),
      ).toBe('BAD_REQUEST');
    expect((await caller('operator').vms.setHostStop({ vmId, hostStop })).hostStop).toEqual(hostStop);
  });

  it('have a history of what they used, in averages that become coarser with time', async () => {
    const MINUTE_MS = 60_000;
    const HOUR_MS = 60 * MINUTE_MS;
    const { subject, id } = await caller('operator').vms.create(request({ cpus: 2, cloudInit: undefined }));
    await wait(id);
    let now = Math.floor(Date.now() / HOUR_MS) * HOUR_MS;
    let used = { cpuNs: 0, readBytes: 0 };
    let known = true;
    let questions = 0;
    let cpus = new Map<string, number>();
    const history = createVmUsageHistory({
      ...{ db: bench.db, cpus: () => cpus, log: bench.services.log },
      clock: { now: () => now, elapsed: () => now },
      plugins: {
        vmPlugins: () => ['toy'],
        vmUsage: async () => {
          questions += 1;
          if (questions === 2) throw new Error('libvirt does not answer');
          return [
            {
              id: subject.id,
              memoryBytes: known ? 64 : null,
              writtenBytes: 0,
              ...used,
              receivedBytes: 0,
              sentBytes: 0,
            },
            {
              id: 'of somebody else',
              memoryBytes: 1,
              writtenBytes: 0,
              ...used,
              receivedBytes: 0,
              sentBytes: 0,
            },
          ];
        },
      },
    });
    const pass = async (share: number): Promise<void> => {
      now += 5 * MINUTE_MS;
      used = {
        cpuNs: used.cpuNs + share * 2 * 5 * MINUTE_MS * 1e6,
        readBytes: used.readBytes + 300_000,
      };
      await history.take();
    };
    // Where no machine is, there may be no engine to be asked either.
    await history.take();
    expect(questions).toBe(0);
    cpus = new Map([[subject.id, 2]]);
    await history.take();
    await history.take();
    expect(questions).toBe(2);
    expect(history.range(subject.id, 'day')).toEqual([]);
    for (const share of [0.5, 1, 0, 0.5]) await pass(share);
    expect(history.range(subject.id, 'day').map(({ cpuPercent }) => cpuPercent)).toEqual([50, 100, 0, 50]);
    expect(history.range(subject.id, 'day')[0]).toMatchObject({ memoryBytes: 64, readRate: 1_000 });
    // It was switched off and on: its counters begin anew.
    used = { cpuNs: 0, readBytes: 0 };
    await history.take();
    expect(history.range(subject.id, 'day')).toHaveLength(4);
    known = false;
    await pass(1);
    expect(history.range(subject.id, 'day').at(-1)?.memoryBytes).toBeNull();

    const rows = (): number => bench.db.select().from(vmSamples).all().length;
    now += 49 * HOUR_MS;
    history.thin();
    const [hour, ...others] = history.range(subject.id, 'week');
    expect(others).toEqual([]);
    expect(hour).toMatchObject({ cpuPercent: 60, readRate: 1_000, memoryBytes: 64 });
    expect(rows()).toBe(1);
    history.thin();
    expect(history.range(subject.id, 'week')).toEqual([hour]);
    now += 92 * 24 * HOUR_MS;
    history.thin();
    expect(rows()).toBe(0);
    expect(await caller('viewer').vms.usageHistory({ id: subject.id, range: 'day' })).toEqual([]);
    const nobody = caller('viewer').vms.usageHistory({ id: 'x', range: 'day' });
    expect(await codeOf(nobody)).toBe('vm_not_found');
  });

  it('have a definition that can be read, as long as their engine knows them', async () => {
    const { subject, id } = await caller('operator').vms.create(request({ cloudInit: undefined }));
    await wait(id);
    machines = [{ id: subject.id, name: 'web', status: 'stopped' }];
    expect(await caller('viewer').vms.definition({ id: subject.id })).toEqual({
      definition: `<toy>${subject.id}</toy>`,
    });
    machines = [];
    expect(await codeOf(caller('viewer').vms.definition({ id: subject.id }))).toBe('vm_wrong_state');
    expect(await codeOf(caller('viewer').vms.definition({ id: 'x' }))).toBe('vm_not_found');
  });

  it('have tags and notes of people, whatever becomes of them', async () => {
    const { subject, id } = await caller('operator').vms.create(request({ cloudInit: undefined }));
    const ask = { vmId: subject.id };
    const labels = { ...ask, tags: ['Media', 'web-10', 'web-9', 'media'], notes: 'Films\nof Ann' };
    expect(await codeOf(caller('viewer').vms.label(labels))).toBe('forbidden');
    expect(await caller('operator').vms.label(labels)).toMatchObject({
      ...{ tags: ['media', 'web-9', 'web-10'], notes: 'Films\nof Ann' },
    });
    for (const tags of [['two words'], ['<b>'], ['']])
      expect(await codeOf(caller('operator').vms.label({ ...ask, tags }))).toBe(
        tags[0] === '' ? 'no error' : 'tag_invalid',
      );
    await wait(id);
    expect(vms.get(subject.id).tags).toEqual([]);
    expect(await codeOf(caller('operator').vms.label({ vmId: randomUUID() }))).toBe('vm_not_found');
  });

  it('are saved while they run, go on from there, and are not resized meanwhile', async () => {
    const { subject, id } = await caller('operator').vms.create(request({ cloudInit: undefined }));
    await wait(id);
    const ask = { vmId: subject.id };
    const say = (status: VmReading['status']): void => {
      machines = [{ id: subject.id, name: 'web', status }];
    };
    say('stopped');
    expect(await codeOf(caller('operator').vms.save(ask))).toBe('vm_wrong_state');
    expect(await codeOf(caller('operator').vms.discardMemory(ask))).toBe('vm_wrong_state');
    say('running');
    expect(await codeOf(caller('viewer').vms.save(ask))).toBe('forbidden');
    free = 10 * MIB;
    expect(await codeOf(caller('operator').vms.save(ask))).toBe('vm_save_no_room');
    free = 400 * MIB;
    expect((await wait((await caller('operator').vms.save(ask)).id)).state).toBe('succeeded');
    say('saved');
    const resize = caller('operator').vms.resize({ ...ask, cpus: 2, memoryBytes: 128 * MIB });
    expect(await codeOf(resize)).toBe('vm_wrong_state');
    expect(vms.get(subject.id).state).toBe('saved');
    const started = await wait((await caller('operator').vms.start(ask)).id);
    expect(started.steps.map(({ name }) => name)).toEqual(['restore']);
    expect((await wait((await caller('operator').vms.discardMemory(ask)).id)).state).toBe('succeeded');
    say('saved');
    expect((await caller('operator').vms.previewRemove(ask)).loses).toContain(
      'What "web" had in its memory when it was saved.',
    );
  });

  it('are shown as they are by then, to who asks the moment an operation on them has ended', async () => {
    const { subject, id } = await caller('operator').vms.create(request({ cloudInit: undefined }));
    await wait(id);
    const ask = { vmId: subject.id };
    const say = (status: VmReading['status']): void => {
      machines = [{ id: subject.id, name: 'web', status }];
    };
    // An engine that takes its time, and tells nothing by itself.
    engine.status = async () => {
      await sleep(50);
      return machines;
    };
    const { memory } = normal;
    if (!memory) throw new Error('the engine of the test has memory');
    const discard = (): Step[] => {
      // What the engine says while the plan is made is of before.
      queueMicrotask(() => say('stopped'));
      return [];
    };
    engine.memory = { ...memory, discard };
    say('saved');
    const { id: discarded } = await caller('operator').vms.discardMemory(ask);
    expect((await wait(discarded)).state).toBe('succeeded');
    expect(vms.get(subject.id).state).toBe('stopped');
  });

  it('keep their pool as it is while their memory is saved, or while nobody can tell', async () => {
    const { subject, id } = await caller('operator').vms.create(request({ cloudInit: undefined }));
    await wait(id);
    machines = [{ id: subject.id, name: 'web', status: 'saved' }];
    expect(await vms.namesAsleepOn(GUID)).toEqual(['web']);
    expect(await vms.namesAsleepOn(late.guid)).toEqual([]);
    machines = [{ id: subject.id, name: 'web', status: 'stopped' }];
    expect(await vms.namesAsleepOn(GUID)).toEqual([]);
    answers = false;
    expect(await vms.namesAsleepOn(GUID)).toEqual(['web']);
  });

  it('get another size while they are off, within what the host has', async () => {
    const { subject, id } = await caller('operator').vms.create(request({ cloudInit: undefined }));
    await wait(id);
    const ask = { vmId: subject.id, cpus: 2, memoryBytes: 128 * MIB };
    const say = (status: VmReading['status']): void => {
      machines = [{ id: subject.id, name: 'web', status }];
    };
    say('running');
    expect(await codeOf(caller('operator').vms.resize(ask))).toBe('vm_wrong_state');
    say('stopped');
    expect(await codeOf(caller('viewer').vms.resize(ask))).toBe('forbidden');
    const refusals = [
      [{ cpus: 0 }, 'cpus_invalid'],
      [{ cpus: 1.5 }, 'cpus_invalid'],
      [{ cpus: 5 }, 'cpus_too_many'],
      [{ memoryBytes: 0 }, 'memory_invalid'],
      [{ memoryBytes: 1e12 }, 'memory_too_much'],
    ] as const;
    for (const [change, code] of refusals)
      expect(await codeOf(caller('operator').vms.resize({ ...ask, ...change }))).toBe(code);
    expect((await wait((await caller('operator').vms.resize(ask)).id)).state).toBe('succeeded');
    expect(vms.get(subject.id)).toMatchObject({ cpus: 2, memoryBytes: 128 * MIB });
    const [row] = bench.db.$client.prepare('SELECT spec FROM vms').all() as { spec: string }[];
    expect(JSON.parse(row?.spec ?? '')).toMatchObject({ cpus: 2, memoryBytes: 128 * MIB });
    // What does not come to its end leaves the record as it is.
    engine.resize = {
      facts: () => Promise.resolve({}),
      plan: ({ folder }) => [
        {
          ...step('resize', join(folder, 'never')),
          run: { do: 'exec', program: '/usr/bin/false', argv: [] },
        },
      ],
    };
    const failed = await caller('operator').vms.resize({ ...ask, cpus: 3 });
    expect((await wait(failed.id)).state).toBe('failed');
    expect(vms.get(subject.id).cpus).toBe(2);
  });

  it('get a larger disk whether they are on or off, never a smaller one', async () => {
    const { subject, id } = await caller('operator').vms.create(request({ cloudInit: undefined }));
    await wait(id);
    const ask = { vmId: subject.id, slot: 1, sizeBytes: 20 * MIB };
    const say = (status: VmReading['status']): void => {
      machines = [{ id: subject.id, name: 'web', status }];
    };
    say('stopped');
    expect(await codeOf(caller('viewer').vms.growDisk(ask))).toBe('forbidden');
    const refusals = [
      [{ slot: 2 }, 'disk_not_found'],
      [{ sizeBytes: 9 * MIB }, 'disk_shrink'],
      [{ sizeBytes: 10 * MIB }, 'vm_wrong_state'],
      [{ sizeBytes: 20 * MIB + 1 }, 'disk_invalid'],
      [{ sizeBytes: 300 * MIB }, 'pool_full'],
    ] as const;
    for (const [change, code] of refusals)
      expect(await codeOf(caller('operator').vms.growDisk({ ...ask, ...change })), code).toBe(code);
    for (const status of ['saved', 'stopping'] as const) {
      say(status);
      expect(await codeOf(caller('operator').vms.growDisk(ask))).toBe('vm_wrong_state');
    }
    for (const [status, sizeBytes] of [
      ['stopped', 20 * MIB],
      ['running', 30 * MIB],
    ] as const) {
      say(status);
      const grown = await wait((await caller('operator').vms.growDisk({ ...ask, sizeBytes })).id);
      expect(grown.state).toBe('succeeded');
      hasBytes = sizeBytes;
    }
    expect(readdirSync(join(root, 'tank/machines/web'))).toEqual(
      expect.arrayContaining([`disk-1-${20 * MIB}-off`, `disk-1-${30 * MIB}-on`]),
    );
    expect(vms.get(subject.id)).toMatchObject({
      diskBytes: 30 * MIB,
      disks: [{ slot: 1, file: 'disk.qcow2', sizeBytes: 30 * MIB }],
    });
  });

  it('whose disk was made larger in a shell are never given less than that', async () => {
    const { subject, id } = await caller('operator').vms.create(request({ cloudInit: undefined }));
    await wait(id);
    machines = [{ id: subject.id, name: 'web', status: 'stopped' }];
    hasBytes = 40 * MIB;
    const ask = { vmId: subject.id, slot: 1 };
    expect(await codeOf(caller('operator').vms.growDisk({ ...ask, sizeBytes: 30 * MIB }))).toBe(
      'disk_shrink',
    );
    await wait((await caller('operator').vms.growDisk({ ...ask, sizeBytes: 40 * MIB })).id);
    expect(vms.get(subject.id).diskBytes).toBe(40 * MIB);
  });

  it('get the room of a pool only once, and keep the disk that they had when it could not be made larger', async () => {
    const ids: string[] = [];
    for (const name of ['one', 'two']) {
      const { subject, id } = await caller('operator').vms.create(request({ name, cloudInit: undefined }));
      await wait(id);
      ids.push(subject.id);
    }
    machines = ids.map((id) => ({ id, name: id, status: 'stopped' }));
    const asked = await Promise.allSettled(
      ids.map((vmId) => caller('operator').vms.growDisk({ vmId, slot: 1, sizeBytes: 150 * MIB })),
    );
    expect(asked.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    const refused = asked.flatMap((one) => (one.status === 'rejected' ? [one.reason as Error] : []));
    expect(await codeOf(Promise.reject(refused[0] ?? new Error('none')))).toBe('pool_full');
    const begun = asked.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    await wait(begun[0]?.id ?? '');
    const other = ids.find((id) => id !== begun[0]?.subject.id) ?? '';
    engine.disks = {
      ...disks,
      grow: ({ folder }) => [
        {
          ...step('grow', join(folder, 'never')),
          run: { do: 'exec', program: '/usr/bin/false', argv: [] },
        },
      ],
    };
    const failed = await caller('operator').vms.growDisk({ vmId: other, slot: 1, sizeBytes: 50 * MIB });
    expect((await wait(failed.id)).state).toBe('failed');
    expect(vms.get(other).diskBytes).toBe(10 * MIB);
    const rows = bench.db.$client.prepare('SELECT disk_bytes FROM vms WHERE id = ?').all(other);
    expect(rows).toEqual([{ disk_bytes: 10 * MIB }]);
  });

  it('get more disks, each in a place that is free, and lose them again by name', async () => {
    const { subject, id } = await caller('operator').vms.create(request({ cloudInit: undefined }));
    await wait(id);
    const ask = { vmId: subject.id, sizeBytes: 20 * MIB };
    const folder = join(root, 'tank/machines/web');
    const say = (status: VmReading['status']): void => {
      machines = [{ id: subject.id, name: 'web', status }];
    };
    const slots = () => vms.get(subject.id).disks.map(({ slot }) => slot);
    // What lies in its folder already is somebody's.
    writeFileSync(join(folder, 'disk-2.qcow2'), 'of somebody');
    expect(await codeOf(caller('operator').vms.addDisk(ask))).toBe('vm_wrong_state');
    for (const status of ['saved', 'stopping'] as const) {
      say(status);
      expect(await codeOf(caller('operator').vms.addDisk(ask))).toBe('vm_wrong_state');
    }
    say('running');
    expect(await codeOf(caller('viewer').vms.addDisk(ask))).toBe('forbidden');
    expect(await codeOf(caller('operator').vms.addDisk({ ...ask, sizeBytes: 0 }))).toBe('disk_invalid');
    expect(await codeOf(caller('operator').vms.addDisk({ ...ask, sizeBytes: 300 * MIB }))).toBe('pool_full');
    const added = await wait((await caller('operator').vms.addDisk(ask)).id);
    expect(added.steps.map(({ name }) => name)).toEqual(['add', 'plug-in']);
    expect(slots()).toEqual([1, 3]);
    expect(vms.get(subject.id).diskBytes).toBe(30 * MIB);
    expect(readFileSync(join(folder, 'disk-2.qcow2'), 'utf8')).toBe('of somebody');
    expect(await codeOf(caller('operator').vms.addDisk(ask))).toBe('disks_too_many');
    expect(await caller('viewer').vms.disks({ id: subject.id })).toMatchObject([
      { slot: 1, takenBytes: null },
      { slot: 3, path: join(folder, 'disk-3.qcow2'), takenBytes: expect.any(Number) as number },
    ]);

    const gone = { vmId: subject.id, slot: 3 };
    expect(await codeOf(caller('viewer').vms.removeDisk(gone))).toBe('forbidden');
    expect(await codeOf(caller('operator').vms.removeDisk({ ...gone, slot: 1 }))).toBe('disk_needed');
    expect(await codeOf(caller('operator').vms.removeDisk({ ...gone, slot: 2 }))).toBe('disk_not_found');
    await caller('admin').vms.protect({ vmId: subject.id, value: true });
    expect(await codeOf(caller('operator').vms.removeDisk(gone))).toBe('vm_protected');
    await caller('admin').vms.protect({ vmId: subject.id, value: false });
    say('paused');
    expect(await codeOf(caller('operator').vms.removeDisk(gone))).toBe('vm_wrong_state');
    say('running');
    const { notes, loses, confirmText } = await caller('operator').vms.previewRemoveDisk(gone);
    expect(notes.join(' ')).toMatch(/asked to let go of it, and has 15 s/);
    expect([loses, confirmText]).toEqual([
      [`${join(folder, 'disk-3.qcow2')}, with everything that is on it.`],
      'disk-3.qcow2',
    ]);
    say('stopped');
    expect(await codeOf(caller('operator').vms.removeDisk(gone))).toBe('confirm_required');
    const { confirmCode } = await caller('operator').vms.previewRemoveDisk(gone);
    expect(await codeOf(caller('operator').vms.removeDisk({ ...gone, confirmCode: 'another' }))).toBe(
      'confirm_stale',
    );
    const removed = await wait((await caller('operator').vms.removeDisk({ ...gone, confirmCode })).id);
    expect([removed.state, removed.steps[0]?.name]).toEqual(['succeeded', 'remove']);
    expect(slots()).toEqual([1]);
    expect(vms.get(subject.id).diskBytes).toBe(10 * MIB);
  });

  it('have the disks that they had when one more could not be made, with the room given back', async () => {
    const { subject, id } = await caller('operator').vms.create(request({ cloudInit: undefined }));
    await wait(id);
    machines = [{ id: subject.id, name: 'web', status: 'stopped' }];
    engine.disks = {
      ...disks,
      add: (spec, { path }) => [
        step('add', path),
        {
          ...step('attach', join(spec.folder, 'never')),
          run: { do: 'exec', program: '/usr/bin/false', argv: [] },
        },
      ],
    };
    const ask = { vmId: subject.id, sizeBytes: 200 * MIB };
    const failed = await wait((await caller('operator').vms.addDisk(ask)).id);
    expect(failed.state).toBe('failed');
    expect(existsSync(join(root, 'tank/machines/web/disk-2.qcow2'))).toBe(false);
    expect(vms.get(subject.id).disks).toHaveLength(1);
    engine.disks = disks;
    expect((await wait((await caller('operator').vms.addDisk(ask)).id)).state).toBe('succeeded');
  });

  it('get one more network card, with an address of its own, and lose one again', async () => {
    const { subject, id } = await caller('operator').vms.create(request({ cloudInit: undefined }));
    await wait(id);
    const ask = { vmId: subject.id };
    const say = (status: VmReading['status']): void => {
      machines = [{ id: subject.id, name: 'web', status }];
    };
    const cards = () => vms.get(subject.id).cards.map(({ slot, mac }) => [slot, mac]);
    expect(await codeOf(caller('operator').vms.addCard(ask))).toBe('vm_wrong_state');
    for (const status of ['saved', 'stopping'] as const) {
      say(status);
      expect(await codeOf(caller('operator').vms.addCard(ask))).toBe('vm_wrong_state');
    }
    say('stopped');
    expect(await codeOf(caller('viewer').vms.addCard(ask))).toBe('forbidden');
    expect(cards()).toEqual([[1, 'web-1']]);
    expect((await wait((await caller('operator').vms.addCard(ask)).id)).state).toBe('succeeded');
    expect(cards()).toEqual([
      [1, 'web-1'],
      [2, 'web-2'],
    ]);
    expect(await codeOf(caller('operator').vms.addCard(ask))).toBe('cards_too_many');
    expect(await codeOf(caller('viewer').vms.removeCard({ ...ask, slot: 1 }))).toBe('forbidden');
    expect(await codeOf(caller('operator').vms.removeCard({ ...ask, slot: 3 }))).toBe('card_not_found');
    say('paused');
    expect(await codeOf(caller('operator').vms.removeCard({ ...ask, slot: 1 }))).toBe('vm_wrong_state');
    say('running');
    for (const slot of [1, 2])
      expect((await wait((await caller('operator').vms.removeCard({ ...ask, slot })).id)).state).toBe(
        'succeeded',
      );
    expect(cards()).toEqual([]);
  });

  it('start by UEFI and have a TPM only where the host can give it, and say what would change that', async () => {
    const missing = { reason: 'Not here.', remedy: 'Install it.' };
    const files = { loaderPath: '/code.fd', templatePath: '/vars.fd' };
    const asked = (change: Record<string, unknown>) =>
      caller('operator').vms.preview(request({ cloudInit: undefined, memoryBytes: 128 * MIB, ...change }));
    const wrong = async (change: Record<string, unknown>) => {
      const answer = await asked(change);
      return answer.ok ? [] : answer.issues.map(({ code, field, remedy }) => `${field}: ${code}. ${remedy}`);
    };
    offers = null;
    expect(await wrong({ firmware: 'uefi', tpm: true })).toEqual([
      'firmware: firmware_unavailable. Choose BIOS, without a TPM.',
      'tpm: tpm_unavailable. Choose BIOS, without a TPM.',
    ]);
    offers = {
      uefi: files,
      'uefi-secure': missing,
      tpm: { available: false, ...missing },
      cpuModels: ['Nehalem'],
    };
    expect(await wrong({ firmware: 'uefi-secure', tpm: true })).toEqual([
      'firmware: firmware_unavailable. Install it.',
      'tpm: tpm_unavailable. Install it.',
    ]);
    expect(await wrong({ firmware: 'uefi', memoryBytes: 127 * MIB })).toEqual([
      expect.stringContaining('memoryBytes: memory_invalid'),
    ]);
    const { subject, id } = await caller('operator').vms.create(
      request({ cloudInit: undefined, memoryBytes: 128 * MIB, firmware: 'uefi' }),
    );
    expect((await wait(id)).state).toBe('succeeded');
    expect(vms.get(subject.id)).toMatchObject({ firmware: 'uefi', tpm: false });
  });

  it('have devices that every system knows when that is asked for, and change their disks while they are off', async () => {
    const { subject, id } = await caller('operator').vms.create(
      request({ cloudInit: undefined, devices: 'common' }),
    );
    expect((await wait(id)).state).toBe('succeeded');
    expect(vms.get(subject.id)).toMatchObject({ devices: 'common' });
    const say = (status: VmReading['status']): void => {
      machines = [{ id: subject.id, name: 'web', status }];
    };
    say('running');
    const ask = { vmId: subject.id, sizeBytes: MIB };
    await expect(caller('operator').vms.addDisk(ask)).rejects.toThrow('only while it is off');
    say('stopped');
    expect((await wait((await caller('operator').vms.addDisk(ask)).id)).state).toBe('succeeded');
  });

  it('have the processor that was chosen, of those that the host can give, and no other', async () => {
    const make = (cpuModel: string) =>
      caller('operator').vms.create(request({ cloudInit: undefined, cpuModel }));
    expect(await codeOf(make('Nehalem'))).toBe('cpu_model_unknown');
    const none = { reason: 'none', remedy: 'none' };
    offers = { uefi: none, 'uefi-secure': none, tpm: { available: false, ...none }, cpuModels: ['Nehalem'] };
    expect(await codeOf(make('<x/>'))).toBe('cpu_model_unknown');
    const { subject, id } = await make('Nehalem');
    expect((await wait(id)).state).toBe('succeeded');
    expect(vms.get(subject.id)).toMatchObject({ cpuModel: 'Nehalem' });
    expect((await caller('operator').vms.tryOut()).cpuModels).toEqual(['Nehalem']);
  });

  it('begin without an image, with an empty disk and nothing in the drive', async () => {
    const ask = request({ cloudInit: undefined, imageId: null });
    const answer = await caller('operator').vms.preview(ask);
    expect(answer).toMatchObject({
      ok: true,
      preview: { notes: expect.arrayContaining([expect.stringMatching(/empty/)]) },
    });
    const { subject, id } = await caller('operator').vms.create(ask);
    expect((await wait(id)).state).toBe('succeeded');
    expect(vms.get(subject.id)).toMatchObject({ disk: 'empty', cd: null, image: { id: '', name: '' } });
  });

  it('are plugged into bridges that are there, with addresses that nobody else has', async () => {
    const link = { isUp: true, hasCarrier: true, addresses: [], bridge: null, vlan: null };
    links = [
      { ...link, id: 'br0', kind: 'bridge', mac: '4e:e0:d6:9d:60:c1' },
      { ...link, id: 'eno1', kind: 'ethernet', mac: 'e6:06:7a:05:77:78', bridge: 'br0' },
    ];
    const make = (change: Record<string, unknown>) =>
      caller('operator').vms.preview(request({ cloudInit: undefined, ...change }));
    const wrong = async (...cards: { bridge?: string; mac?: string }[]) => {
      const answer = await make({ cards });
      return answer.ok ? [] : answer.issues.map(({ code, field }) => `${field}: ${code}`);
    };
    expect(
      await wrong({ bridge: 'br1', mac: '01:00:5e:00:00:01' }, { bridge: 'eno1', mac: 'E6-06-7A-05-77-78' }),
    ).toEqual([
      ...['cards.0.bridge: bridge_not_found', 'cards.0.mac: mac_invalid'],
      ...['cards.1.bridge: bridge_not_found', 'cards.1.mac: mac_taken'],
    ]);
    expect(await wrong({ mac: '02:00:00:00:00:01' }, { mac: '02:00:00:00:00:01' })).toEqual([
      'cards.1.mac: mac_taken',
    ]);
    expect(await wrong({}, {}, {})).toEqual(['cards: cards_too_many']);
    const { subject, id } = await caller('operator').vms.create(
      request({ cloudInit: undefined, cards: [{ bridge: 'br0', mac: '02-00-00-00-00-AA' }] }),
    );
    expect((await wait(id)).state).toBe('succeeded');
    const cards = () => vms.get(subject.id).cards;
    expect(cards()).toEqual([{ slot: 1, mac: '02:00:00:00:00:aa', bridge: 'br0' }]);
    expect(await wrong({ mac: '02:00:00:00:00:aa' })).toContain('cards.0.mac: mac_taken');
    machines = [{ id: subject.id, name: 'web', status: 'stopped' }];
    const move = { vmId: subject.id, slot: 1 };
    expect(await codeOf(caller('viewer').vms.moveCard({ ...move, bridge: null }))).toBe('forbidden');
    expect(await codeOf(caller('operator').vms.moveCard({ ...move, bridge: 'br0' }))).toBe('vm_wrong_state');
    expect(await codeOf(caller('operator').vms.moveCard({ ...move, bridge: 'br9' }))).toBe(
      'bridge_not_found',
    );
    const add = { vmId: subject.id, mac: '02:00:00:00:00:aa' };
    expect(await codeOf(caller('operator').vms.addCard(add))).toBe('mac_taken');
    links = [];
    expect(await codeOf(caller('operator').vms.start({ vmId: subject.id }))).toBe('bridge_not_found');
    expect((await wait((await caller('operator').vms.moveCard({ ...move, bridge: null })).id)).state).toBe(
      'succeeded',
    );
    expect(cards()).toEqual([{ slot: 1, mac: '02:00:00:00:00:aa', bridge: null }]);
    expect((await wait((await caller('operator').vms.start({ vmId: subject.id })).id)).state).toBe(
      'succeeded',
    );
  });

  it('are told of their network by cloud-init, with addresses that nobody else has', async () => {
    const link = { isUp: true, hasCarrier: true, bridge: null, vlan: null, mac: null };
    links = [{ ...link, id: 'eno1', kind: 'ethernet', addresses: ['192.168.7.5/24'] }];
    const login = { user: 'ann', sshKeys: [], password: PASSWORD };
    const wrong = async (...network: Record<string, unknown>[]) => {
      const asked = request({ name: 'other', cloudInit: { ...login, network } });
      const answer = await caller('operator').vms.preview(asked);
      return answer.ok ? [] : answer.issues.map(({ code, field }) => `${field?.slice(18) ?? ''}: ${code}`);
    };
    expect(
      await wrong(
        { addresses: ['192.168.7.5/24'], gateways: ['192.168.8.1'], dns: ['dns'], search: ['?'] },
        { addresses: ['192.168.7.10'] },
      ),
    ).toEqual([
      ...['0.gateways.0: ip_gateway_invalid', '0.dns.0: ip_dns_invalid', '0.search.0: ip_search_invalid'],
      ...['0.addresses.0: ip_address_taken', '1.addresses.0: ip_address_invalid', '1.slot: invalid_input'],
    ]);
    expect(await wrong({ slot: 2, addresses: [] })).toEqual(['0.slot: card_not_found']);
    const network = [{ addresses: ['192.168.7.10/24'], gateways: ['192.168.7.1'] }];
    const { subject, id } = await caller('operator').vms.create(
      request({ cloudInit: { ...login, network } }),
    );
    await wait(id);
    expect(await wrong({ addresses: ['192.168.7.10/16'] })).toEqual(['0.addresses.0: ip_address_taken']);
    // The toy writes no files.
    expect(await caller('viewer').vms.cloudInit({ id: subject.id })).toEqual({ files: [] });
    expect(vms.get(subject.id).cards[0]?.mac).toBe('web-1');
  });

  it('have a CD in their drive that needs its image, until it is ejected', async () => {
    const { subject, id } = await caller('operator').vms.create(request({ cloudInit: undefined }));
    await wait(id);
    const ask = { vmId: subject.id, imageId: 'cd' };
    const say = (status: VmReading['status']): void => {
      machines = [{ id: subject.id, name: 'web', status }];
    };
    say('saved');
    expect(await codeOf(caller('operator').vms.changeCd(ask))).toBe('vm_wrong_state');
    say('running');
    expect(await codeOf(caller('viewer').vms.changeCd(ask))).toBe('forbidden');
    expect(await codeOf(caller('operator').vms.changeCd({ ...ask, imageId: 'x' }))).toBe('image_not_found');
    expect(await codeOf(caller('operator').vms.changeCd({ ...ask, imageId: 'i' }))).toBe('image_no_cd');
    drive = null;
    expect(await codeOf(caller('operator').vms.changeCd(ask))).toBe('cd_drive_missing');
    drive = { config: null, now: null };
    expect(vms.namesWithImage('cd')).toEqual([]);
    expect((await wait((await caller('operator').vms.changeCd(ask)).id)).state).toBe('succeeded');
    expect(vms.get(subject.id).cd).toEqual({ imageId: 'cd', name: 'Installer' });
    expect([vms.namesWithImage('cd'), vms.namesWithImage('i')]).toEqual([['web'], ['web']]);
    const ejected = await caller('operator').vms.changeCd({ ...ask, imageId: null });
    expect((await wait(ejected.id)).title).toBe('Empty the drive of web');
    expect(vms.get(subject.id).cd).toBeNull();
    expect(vms.namesWithImage('cd')).toEqual([]);
  });

  it('share out no more memory to one that is resized than others leave', async () => {
    const some = { memoryBytes: 320 * MIB, cloudInit: undefined };
    const ids: string[] = [];
    for (const [name, change] of [
      ['one', some],
      ['two', { cloudInit: undefined }],
    ] as const) {
      const { subject, id } = await caller('operator').vms.create(request({ ...change, name }));
      await wait(id);
      ids.push(subject.id);
    }
    machines = ids.map((id, index) => ({ id, name: id, status: index === 0 ? 'running' : 'stopped' }));
    const ask = { vmId: ids[1] ?? '', cpus: 1, memoryBytes: 256 * MIB };
    expect(await codeOf(caller('operator').vms.resize(ask))).toBe('memory_taken');
    // Less than it has, or only more CPUs, is never too much.
    available = 16 * MIB;
    for (const change of [{ memoryBytes: 32 * MIB }, { cpus: 2, memoryBytes: 32 * MIB }]) {
      const { id } = await caller('operator').vms.resize({ ...ask, ...change });
      expect((await wait(id)).state).toBe('succeeded');
    }
    expect(await codeOf(caller('operator').vms.resize({ ...ask, memoryBytes: 48 * MIB }))).toBe(
      'memory_taken',
    );
  });

  it('are unknown while their engine does not answer, and nothing is done to them', async () => {
    const asked = await caller('operator').vms.create(request({ cloudInit: undefined }));
    await wait(asked.id);
    answers = false;
    await vms.refresh();
    expect(vms.get(asked.subject.id)).toMatchObject({ state: 'unknown', stateText: 'no answer' });
    expect(await codeOf(caller('operator').vms.remove({ vmId: asked.subject.id }))).toBe(
      'plugin_unavailable',
    );
  });
});

describe('a machine that is cloned', () => {
  const SOURCE = '3f0d9c6e-1b5a-4c7d-8e2f-6a7b8c9d0e1f';
  const CLONE = '4f0d9c6e-1b5a-4c7d-8e2f-6a7b8c9d0e1f';
  const wish = { vmId: SOURCE, cloneId: CLONE, name: 'web-2' };
  const userData = () => join(root, 'tank/machines/web/user-data');
  beforeEach(async () => {
    machines = [{ id: SOURCE, name: 'web', status: 'stopped' }];
    await wait((await caller('operator').vms.create(request({ id: SOURCE }))).id);
    writeFileSync(userData(), '#cloud-config\nhostname: web\n');
  });

  it('is planned and cloned by operators only, and is off then, whoever has the memory of the host', async () => {
    expect(await codeOf(caller('viewer').vms.clone(wish))).toBe('forbidden');
    expect(await codeOf(caller('viewer').vms.previewClone(wish))).toBe('forbidden');
    const plan = await caller('operator').vms.previewClone(wish);
    expect(plan.ok && plan.preview.notes.join(' ')).toMatch(/without its snapshots.*cloud-init takes it/);
    available = 0;
    const [first, second] = await Promise.all([
      caller('operator').vms.clone(wish),
      caller('operator').vms.previewClone({ ...wish, name: 'web' }),
    ]);
    expect((await wait(first.id)).state).toBe('succeeded');
    expect(second.ok ? [] : second.issues.map(({ code }) => code)).toEqual(['vm_name_taken']);
    expect((await caller('operator').vms.clone(wish)).id).toBe(first.id);
    expect(vms.get(CLONE)).toMatchObject({ name: 'web-2', disk: 'copy', user: 'ann', image: { id: 'i' } });
    expect(existsSync(join(root, 'tank/machines/web-2/on'))).toBe(false);
  });

  it('has the devices and the processor of the machine that it is cloned from', async () => {
    const none = { reason: 'none', remedy: 'none' };
    offers = { uefi: none, 'uefi-secure': none, tpm: { available: false, ...none }, cpuModels: ['Nehalem'] };
    const other = '5f0d9c6e-1b5a-4c7d-8e2f-6a7b8c9d0e1f';
    machines.push({ id: other, name: 'desk', status: 'stopped' });
    const ask = request({
      id: other,
      name: 'desk',
      cloudInit: undefined,
      devices: 'common',
      cpuModel: 'Nehalem',
    });
    await wait((await caller('operator').vms.create(ask)).id);
    expect((await wait((await caller('operator').vms.clone({ ...wish, vmId: other })).id)).state).toBe(
      'succeeded',
    );
    expect(vms.get(CLONE)).toMatchObject({ devices: 'common', cpuModel: 'Nehalem' });
  });

  it('has to be at rest, whole in its one disk, and have what cloud-init is told of it', async () => {
    const asked = () => codeOf(caller('operator').vms.clone(wish));
    for (const status of ['running', 'saved', 'paused'] as const) {
      machines = [{ id: SOURCE, name: 'web', status }];
      expect(await asked(), status).toBe('vm_wrong_state');
    }
    machines = [];
    expect(await asked()).toBe('vm_wrong_state');
    machines = [{ id: SOURCE, name: 'web', status: 'crashed' }];
    engine.cloneWhy = () => Promise.resolve('It has two.');
    expect(await asked()).toBe('not_supported');
    engine.cloneWhy = () => Promise.resolve(null);
    rmSync(userData());
    expect(await asked()).toBe('not_supported');
    free = 0;
    writeFileSync(userData(), '#cloud-config\nhostname: web\n');
    expect(await asked()).toBe('pool_full');
    expect(vms.list()).toHaveLength(1);
  });

  it('is cloned once more when that has failed', async () => {
    const folder = join(root, 'tank/machines/web-2');
    engine.create = () => [{ ...step('make-folder', folder), look: looks.directory(userData()) }];
    const { id } = await caller('operator').vms.clone(wish);
    expect((await wait(id)).state).toBe('failed');
    expect(vms.get(CLONE).state).toBe('failed-to-start');
    rmSync(folder, { recursive: true, force: true });
    engine.create = normal.create;
    const retried = await caller('operator').vms.retry({ vmId: CLONE });
    expect((await wait(retried.id)).state).toBe('succeeded');
    expect(vms.get(CLONE).failedOperationId).toBeNull();
  });
});

describe('a machine as an image, and as a template', () => {
  const SOURCE = '3f0d9c6e-1b5a-4c7d-8e2f-6a7b8c9d0e1f';
  const wish = (change: Record<string, unknown> = {}) => ({
    ...{ vmId: SOURCE, imageId: randomUUID(), name: 'golden', ...change },
  });
  const exported = (change: Record<string, unknown> = {}) =>
    codeOf(caller('operator').vms.export(wish(change)));
  const made = (value = true) => caller('operator').vms.template({ vmId: SOURCE, value });
  const say = (status: VmReading['status']): void => {
    machines = [{ id: SOURCE, name: 'web', status }];
  };
  beforeEach(async () => {
    say('stopped');
    await wait((await caller('operator').vms.create(request({ id: SOURCE, cloudInit: undefined }))).id);
    engine.template = {
      make: (spec) => [step('make-template', join(spec.folder, 'template'))],
      unmake: (spec) => [step('unmake-template', join(spec.folder, 'machine'))],
    };
  });

  it('is exported by operators, with its plan shown first, and from no other than its own disk', async () => {
    expect(await codeOf(caller('viewer').vms.export(wish()))).toBe('forbidden');
    expect(await codeOf(caller('viewer').vms.previewExport(wish()))).toBe('forbidden');
    const plan = await caller('operator').vms.previewExport(wish());
    if (!plan.ok) throw new Error(JSON.stringify(plan.issues));
    const { title, steps, notes } = plan.preview;
    expect(title).toBe('Export web as golden.qcow2');
    expect(steps.map(({ name }) => name)).toEqual(['make-folder', 'export', 'name-image']);
    expect(notes.join(' ')).toMatch(/snapshots are not in the image.*keys and passwords/);
    expect(existsSync(join(root, 'tank/images'))).toBe(false);
  });

  it('is not exported under a name that is none or is taken, nor to where there is no pool or no room', async () => {
    for (const name of ['../etc', 'a b']) expect(await exported({ name })).toBe('vm_name_invalid');
    expect(await exported({ name: '' })).toBe('vm_name_empty');
    expect(await exported({ name: '-rf' })).toBe('vm_name_leading_dash');
    expect(await exported({ name: 'my_web' })).toBe('vm_name_underscore');
    expect(await exported({ vmId: randomUUID() })).toBe('vm_not_found');
    expect(await exported({ vmId: 'web' })).not.toBe('no error');
    expect(await exported({ poolGuid: randomUUID() })).toBe('pool_not_found');
    late.availableBytes = MIB;
    expect(await exported({ poolGuid: late.guid })).toBe('pool_full');
    late.mounted = false;
    expect(await exported({ poolGuid: late.guid })).toBe('pool_wrong_state');
    mkdirSync(join(root, 'tank/images'));
    for (const taken of ['golden.qcow2', 'golden.qcow2.part']) {
      writeFileSync(join(root, 'tank/images', taken), 'of somebody');
      expect(await exported(), taken).toBe('file_exists');
      rmSync(join(root, 'tank/images', taken));
    }
    expect(readdirSync(join(root, 'tank/images'))).toEqual([]);
  });

  it('has to be at rest for both, and whole in its one disk', async () => {
    for (const status of ['running', 'paused', 'saved'] as const) {
      say(status);
      expect(await exported(), status).toBe('vm_wrong_state');
      expect(await codeOf(made()), status).toBe('vm_wrong_state');
    }
    machines = [];
    expect(await exported()).toBe('vm_wrong_state');
    say('stopped');
    engine.cloneWhy = () => Promise.resolve('It has two.');
    expect(await exported()).toBe('not_supported');
    expect(await codeOf(made())).toBe('not_supported');
    engine.cloneWhy = () => Promise.resolve(null);
    answers = false;
    expect(await exported()).toBe('plugin_unavailable');
  });

  it('is a template until it is made a machine again, and no second time', async () => {
    expect(await codeOf(caller('viewer').vms.template({ vmId: SOURCE, value: true }))).toBe('forbidden');
    expect(await codeOf(made(false))).toBe('vm_wrong_state');
    expect((await wait((await made()).id)).title).toBe('Make web a template');
    expect(vms.get(SOURCE).isTemplate).toBe(true);
    expect(await codeOf(made())).toBe('vm_wrong_state');
    expect(await codeOf(caller('operator').vms.start({ vmId: SOURCE }))).toBe('vm_is_template');
    await wait((await made(false)).id);
    expect(vms.get(SOURCE).isTemplate).toBe(false);
  });

  it('stays a template, and stays at all, while a disk lies above its own', async () => {
    const linked = { vmId: SOURCE, cloneId: randomUUID(), name: 'web-2', disk: 'linked' as const };
    expect(await codeOf(caller('operator').vms.clone(linked))).toBe('vm_not_template');
    await wait((await made()).id);
    expect(await codeOf(caller('operator').vms.clone({ ...linked, poolGuid: late.guid }))).toBe(
      'vm_wrong_state',
    );
    await wait((await caller('operator').vms.clone(linked)).id);
    expect(vms.get(linked.cloneId)).toMatchObject({ disk: 'linked', basedOn: { id: SOURCE, name: 'web' } });
    expect(await codeOf(made(false))).toBe('vm_has_linked');
    expect(await codeOf(caller('operator').vms.previewRemove({ vmId: SOURCE }))).toBe('vm_has_linked');
  });

  it('is no template while it starts with the host, or of an engine that has none', async () => {
    const autostart = { on: true, order: 0, delaySeconds: 0 };
    await caller('operator').vms.setAutostart({ vmId: SOURCE, autostart });
    expect(await codeOf(made())).toBe('vm_wrong_state');
    await caller('operator').vms.setAutostart({ vmId: SOURCE, autostart: { ...autostart, on: false } });
    delete engine.template;
    expect(await codeOf(made())).toBe('not_supported');
  });
});

describe('machines that start with the host', () => {
  const made = async (name: string, change: Record<string, unknown> = {}): Promise<string> => {
    const asked = await caller('operator').vms.create(request({ name, cloudInit: undefined, ...change }));
    await wait(asked.id);
    return asked.subject.id;
  };
  const setAutostart = (vmId: string, order: number, delaySeconds = 0) =>
    caller('operator').vms.setAutostart({ vmId, autostart: { on: true, order, delaySeconds } });
  const say = async (status: VmReading['status'], ...ids: string[]): Promise<void> => {
    machines = ids.map((id) => ({ id, name: id, status }));
    await vms.refresh();
  };
  /** Who asked for it, and of what. */
  const starts = () =>
    bench.services.operations
      .page({ limit: 20 })
      .items.filter(({ kind }) => kind === 'vm.start')
      .map(({ subject, requestedBy }) => `${requestedBy} ${subject.label}`)
      .toReversed();
  afterEach(() => vms.autostart.stop());

  it('are started in their order, those that should and are off, and no second time', async () => {
    const [one, two, three, four] = [
      await made('one'),
      await made('two'),
      await made('three'),
      await made('four'),
    ];
    await setAutostart(one, 2);
    await setAutostart(two, 1, 1);
    await setAutostart(four, 0);
    boot = 'the-next';
    await say('stopped', one, two, three, four);
    machines[3] = { id: four, name: 'four', status: 'running' };
    await vms.refresh();
    expect(vms.get(one).stateText).toBe('It starts by itself when its turn comes.');
    const began = performance.now();
    vms.autostart.start();
    await expect.poll(starts, { timeout: 5_000 }).toEqual(['cairn two', 'cairn one']);
    expect(performance.now() - began).toBeGreaterThan(1_000);
    await expect.poll(() => vms.get(one).operationId).toBeNull();
    expect([one, two, four].map((id) => vms.get(id).stateText)).toEqual([null, null, null]);
  });

  it('are no templates, which nothing starts', async () => {
    const id = await made('golden');
    await say('stopped', id);
    bench.db.$client.prepare("UPDATE vms SET spec = json_set(spec, '$.isTemplate', json('true'))").run();
    expect(await codeOf(setAutostart(id, 0))).toBe('vm_is_template');
    const off = { on: false, order: 0, delaySeconds: 0 };
    expect((await caller('operator').vms.setAutostart({ vmId: id, autostart: off })).autostart.on).toBe(
      false,
    );
  });

  it('do not start when that is switched on, but with the next start of the host', async () => {
    const id = await made('one');
    await say('stopped', id);
    expect(
      await codeOf(
        caller('viewer').vms.setAutostart({ vmId: id, autostart: { on: true, order: 0, delaySeconds: 0 } }),
      ),
    ).toBe('forbidden');
    expect((await setAutostart(id, 3)).autostart).toEqual({
      on: true,
      order: 3,
      delaySeconds: 0,
      error: null,
    });
    expect(vms.get(id).stateText).toBeNull();
    boot = 'the-next';
    expect(vms.get(id).stateText).not.toBeNull();
    // What is changed meanwhile changes nothing about that.
    expect((await setAutostart(id, 4)).stateText).not.toBeNull();
  });

  it('wait for their pool, and the others do not', async () => {
    const waits = await made('waits', { poolGuid: late.guid });
    const goes = await made('goes');
    await setAutostart(waits, 1);
    await setAutostart(goes, 2);
    boot = 'the-next';
    late.mounted = false;
    await say('stopped', waits, goes);
    vms.autostart.start();
    await expect.poll(starts).toEqual(['cairn goes']);
    expect(vms.get(waits).stateText).toBe('It starts by itself as soon as its pool "Late" is mounted.');
    late.mounted = true;
    bench.services.bus.emit('pools.changed', {});
    await expect.poll(starts).toEqual(['cairn goes', 'cairn waits']);
  });

  it('stay as a person has left them meanwhile', async () => {
    const id = await made('one', { poolGuid: late.guid });
    await setAutostart(id, 0);
    boot = 'the-next';
    late.mounted = false;
    await say('running', id);
    await wait((await caller('operator').vms.stop({ vmId: id, graceSeconds: 0 })).id);
    await say('stopped', id);
    late.mounted = true;
    vms.autostart.start();
    expect(vms.get(id).stateText).toBeNull();
    await vms.refresh();
    expect(starts()).toEqual([]);
  });

  it('say why they could not be started, until somebody starts them', async () => {
    const id = await made('one');
    await setAutostart(id, 0);
    boot = 'the-next';
    engine.start = ({ folder }) => [
      {
        ...step('start', join(folder, 'never')),
        run: { do: 'exec', program: '/usr/bin/false', argv: [] },
      },
    ];
    await say('stopped', id);
    vms.autostart.start();
    await expect.poll(() => vms.get(id).autostart.error, { timeout: 5_000 }).not.toBeNull();
    engine.start = normal.start;
    await wait((await caller('operator').vms.start({ vmId: id })).id);
    expect(vms.get(id).autostart.error).toBeNull();
  });
});

describe('a machine of a copy of the configuration', () => {
  const machine = (change: object = {}) => ({
    ...{ id: '3f0d9c6e-1b5a-4c7d-8e2f-6a7b8c9d0e1f', name: 'web', plugin: 'toy', cpus: 1, disk: 'copy' },
    ...{ memoryBytes: 64 * MIB, virtType: 'kvm', poolGuid: GUID, imageId: 'i', imageName: 'Micro' },
    ...{ user: 'ann', createdAt: 5, topology: null, hasSeed: false, firmware: 'bios', tpm: false },
    ...{ isTemplate: false, basedOn: null, boot: null, isAdopted: false },
    disks: [{ slot: 1, sizeBytes: 10 * MIB }],
    cards: [{ slot: 1, mac: '52:54:00:aa:bb:cc' }],
    settings: {
      ...{ isProtected: true, autostart: true, startOrder: 2, startDelaySeconds: 0, tags: ['media'] },
      ...{ notes: 'films', hostStopSeconds: 60, hostStopThen: 'save', startsAgain: false },
    },
    ...change,
  });
  const folder = (): string => join(root, 'tank/machines/web');
  const begin = (change: object = {}) =>
    bench.services.operations.start({
      ...{ kind: 'vm.recall', actor: actorOf('admin') },
      request: { machine: JSON.parse(JSON.stringify(machine(change))) },
    });
  beforeEach(() => {
    engine.shelve = { ...shelve, recall: (spec) => [step('define', join(spec.folder, 'defined'))] };
    mkdirSync(folder(), { recursive: true });
    writeFileSync(join(folder(), 'disk.qcow2'), 'x');
  });

  it('is here again, off, as it was, and does not start by itself before the next start of the host', async () => {
    expect(await wait((await begin()).id)).toMatchObject({ state: 'succeeded' });
    expect(existsSync(join(folder(), 'defined'))).toBe(true);
    const [row] = bench.db.$client.prepare('SELECT state, spec, virt_type AS virt FROM vms').all() as {
      state: string;
      spec: string;
      virt: string;
    }[];
    // This host cannot do what the other could.
    expect(row).toMatchObject({ state: 'ready', virt: 'qemu' });
    expect(JSON.parse(row?.spec ?? '{}')).toMatchObject({
      ...{ folder: folder(), diskPath: join(folder(), 'disk.qcow2'), cdPath: null, seedPath: null },
      cards: [{ slot: 1, mac: '52:54:00:aa:bb:cc' }],
    });
    expect(vms.list()).toMatchObject([{ name: 'web', tags: ['media'], notes: 'films' }]);
    expect(bench.db.$client.prepare('SELECT turn_boot_id AS boot FROM vm_settings').all()).toEqual([
      { boot },
    ]);
    expect(await codeOf(begin())).toBe('vm_wrong_state');
  });

  it('is not made without its disks, nor from a link, nor with a name or an address that no machine has', async () => {
    rmSync(join(folder(), 'disk.qcow2'));
    expect(await codeOf(begin())).toBe('vm_disk_gone');
    symlinkSync('/etc/hostname', join(folder(), 'disk.qcow2'));
    expect(await codeOf(begin())).toBe('vm_disk_gone');
    expect(await codeOf(begin({ name: '../../etc' }))).toBe('vm_name_invalid');
    expect(await codeOf(begin({ cards: [{ slot: 1, mac: '01:00:5e:00:00:01' }] }))).toBe('mac_invalid');
    expect(await codeOf(begin({ poolGuid: 'somewhere' }))).toBe('pool_not_found');
    expect(await codeOf(begin({ isAdopted: true }))).toBe('vm_wrong_state');
    expect(await codeOf(begin({ devices: 'other' }))).toBe('invalid_input');
    expect(vms.list()).toEqual([]);
  });

  it('keeps the devices that its system knows, and reaches for nothing outside of the pools', async () => {
    const header = Buffer.alloc(200);
    header.writeUInt32BE(0x514649fb, 0);
    header.writeUInt32BE(3, 4);
    header.writeBigUInt64BE(104n, 8);
    header.writeUInt32BE('/etc/shadow'.length, 16);
    header.write('/etc/shadow', 104);
    writeFileSync(join(folder(), 'disk.qcow2'), header);
    expect(await codeOf(begin())).toBe('image_unsupported');
    expect(vms.list()).toEqual([]);
    writeFileSync(join(folder(), 'disk.qcow2'), 'x');
    expect(await wait((await begin({ devices: 'common' })).id)).toMatchObject({ state: 'succeeded' });
    expect(vms.list()).toMatchObject([{ name: 'web', devices: 'common' }]);
  });
});
