/** Machines as scenarios of the crash matrix, on a libvirtd of the test's own. */
import { existsSync, readdirSync, rmSync, statSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Image as ImageDocument } from '$lib/shared/wire/images';
import type { Appliance } from '../support/appliance';
import {
  addImage,
  deleteConfirmed,
  deleteForGood,
  emptyCd,
  ended,
  makePool,
  MIB,
  microRequest,
  mustSucceed,
  POOL_GUID,
} from '../support/machines';
import { microGuest } from '../support/micro-guest';
import type { FileServer } from '../support/file-server';
import type { PrivateLibvirt } from '../support/private-libvirt';
import type { Scenario } from './cases';
import { vmAdoptScenarios } from './vm-adopt-scenarios';
import { vmSnapshotScenarios } from './vm-snapshot-scenarios';

/** The same in every case, so that they can be compared. */
const VM_ID = '3f0d9c6e-1b5a-4c7d-8e2f-6a7b8c9d0e1f';
const CLONE_ID = '4f0d9c6e-1b5a-4c7d-8e2f-6a7b8c9d0e1f';
const KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ2gqCq7rYHq0mF3Y1gqj4D8pK4oZ2e7nB6Uq3nJt5Xk ann@desk';

/** Less, and its firmware would not start. */
const UEFI = { firmware: 'uefi-secure', tpm: true, memoryBytes: 128 * MIB };

const path = (verb = ''): string => `/vms/${VM_ID}${verb}`;
const recordState = (appliance: Appliance): string | undefined =>
  appliance.query<{ state: string }>('SELECT state FROM vms WHERE id = ?', VM_ID)[0]?.state;

const KEPT = `/removed-vms/${VM_ID}`;
const isKept = (appliance: Appliance): boolean => appliance.query('SELECT 1 FROM removed_vms').length > 0;

const names = (folder: string): string[] => (existsSync(folder) ? readdirSync(folder).sort() : []);

/** Resolves as soon as the first machine is being stopped, or the server has died. */
const hostGoesDown = (dataDir: string): Promise<void> =>
  new Promise((resolve) => {
    const asked = request(
      { socketPath: join(dataDir, 'local.sock'), path: '/stop-machines', method: 'POST' },
      (response) => response.once('data', () => resolve()).on('error', () => resolve()),
    );
    asked
      .on('error', () => resolve())
      .on('close', () => resolve())
      .end();
  });

export function vmScenarios(libvirt: () => PrivateLibvirt, server: FileServer): Scenario[] {
  const is = (state: string): boolean => libvirt().domstate('web') === state;
  const isSaved = (): boolean =>
    libvirt().virsh('list', '--all', '--with-managed-save', '--name').stdout.trim() === 'web';
  const post = async (appliance: Appliance, verb: string, body?: unknown): Promise<void> =>
    void (await mustSucceed(appliance, await appliance.rest('POST', path(verb), body)));
  const create = async (appliance: Appliance, change: object = {}) => {
    const [image] = appliance.query<{ id: string }>("SELECT id FROM images WHERE kind = 'disk'");
    return appliance.rest('POST', '/vms', {
      ...microRequest(image?.id ?? ''),
      ...change,
      id: VM_ID,
      cloudInit: { user: 'ann', sshKeys: [KEY], password: 'a guest password' },
    });
  };
  const remove = async (appliance: Appliance): Promise<void> => {
    if (is('running') || is('paused')) await post(appliance, '/stop', { graceSeconds: 0 });
    if (recordState(appliance)) await deleteForGood(appliance, VM_ID);
    if (isKept(appliance)) await mustSucceed(appliance, await deleteConfirmed(appliance, KEPT));
  };
  /** The pool, its image, and the network that every start needs; then the machine as a case wants it. */
  async function setUp(
    appliance: Appliance,
    wanted: 'gone' | 'off' | 'on' | 'paused' | 'saved',
    change: object = {},
  ): Promise<void> {
    if (appliance.query('SELECT 1 FROM pools WHERE guid = ?', POOL_GUID).length === 0)
      await makePool(appliance);
    if (appliance.query('SELECT 1 FROM images').length === 0)
      await addImage({ appliance, server }, 'Micro', microGuest());
    libvirt().virsh('net-start', 'default');
    if (wanted === 'gone') {
      await remove(appliance);
      const { dataDir } = appliance;
      // It stays where others may have machines in it: each case makes it anew.
      rmSync(join(dataDir, 'mnt/tank/machines'), { recursive: true, force: true });
      // A password goes right after the commit that ends its machine.
      while (names(join(dataDir, 'secrets')).length > 0) await sleep(10);
      return;
    }
    const isUefi =
      appliance.query("SELECT 1 FROM vms WHERE id = ? AND spec ->> '$.firmware' IS NOT NULL", VM_ID).length >
      0;
    if (recordState(appliance) !== 'ready' || isUefi !== 'firmware' in change) {
      await remove(appliance);
      const { body } = (await create(appliance, change)) as { body: { operationId: string } };
      await ended(appliance, body.operationId);
    }
    if (wanted === 'saved' && isSaved()) return;
    if (wanted === 'off') {
      if (!is('shut off')) await post(appliance, '/stop', { graceSeconds: 0 });
      if (isSaved()) await mustSucceed(appliance, await appliance.rest('DELETE', path('/saved-memory')));
      return;
    }
    if (is('shut off')) await post(appliance, '/start');
    if (wanted === 'paused' && is('running')) await post(appliance, '/pause');
    if (wanted === 'on' && is('paused')) await post(appliance, '/resume');
    if (wanted === 'on') await libvirt().guestListens('web');
    if (wanted === 'saved') await post(appliance, '/save');
  }
  /** Removed, with all that it had. */
  async function kept(appliance: Appliance, change: object = {}): Promise<void> {
    const has = appliance.query<{ uefi: number }>(
      "SELECT record ->> '$.spec.firmware' IS NOT NULL AS uefi FROM removed_vms",
    )[0]?.uefi;
    if (has === Number('firmware' in change) && !recordState(appliance)) return;
    await setUp(appliance, 'gone');
    await setUp(appliance, 'off', change);
    await mustSucceed(appliance, await appliance.rest('DELETE', path()));
  }
  const sizeOf = (cpus: number) => ({ cpus, memoryBytes: 32 * MIB });
  async function size(appliance: Appliance, cpus: number): Promise<void> {
    const [now] = appliance.query<{ cpus: number }>('SELECT cpus FROM vms WHERE id = ?', VM_ID);
    if (now?.cpus !== cpus)
      await mustSucceed(
        appliance,
        await appliance.rest('PUT', path('/size'), { ...sizeOf(cpus), topology: null }),
      );
  }
  async function moreDisks(appliance: Appliance, wanted: 0 | 1): Promise<void> {
    const [now] = appliance.query<{ count: number }>(
      "SELECT coalesce(json_array_length(spec, '$.moreDisks'), 0) AS count FROM vms WHERE id = ?",
      VM_ID,
    );
    if (now?.count === wanted) return;
    const asked =
      wanted === 1
        ? await appliance.rest('POST', path('/disks'), { sizeBytes: MIB })
        : await deleteConfirmed(appliance, path('/disks/2'));
    await mustSucceed(appliance, asked);
  }
  const isoId = (appliance: Appliance): string | undefined =>
    appliance.query<{ id: string }>("SELECT id FROM images WHERE kind = 'iso'")[0]?.id;
  const hasCd = (appliance: Appliance): boolean =>
    appliance.query("SELECT 1 FROM vms WHERE id = ? AND spec ->> '$.cdPath' IS NOT NULL", VM_ID).length > 0;
  const cardCount = (appliance: Appliance): number =>
    appliance.query<{ count: number }>(
      "SELECT coalesce(json_array_length(spec, '$.cards'), 1) AS count FROM vms WHERE id = ?",
      VM_ID,
    )[0]?.count ?? 0;
  async function cards(appliance: Appliance, wanted: 1 | 2): Promise<void> {
    if (cardCount(appliance) === wanted) return;
    const asked =
      wanted === 2
        ? await appliance.rest('POST', path('/network-cards'))
        : await appliance.rest('DELETE', path('/network-cards/2'));
    await mustSucceed(appliance, asked);
  }
  /** Nothing makes it small again: each case begins where the one before has ended. */
  let hadBytes = 0;
  const diskBytes = (appliance: Appliance): number =>
    appliance.query<{ bytes: number }>('SELECT disk_bytes AS bytes FROM vms WHERE id = ?', VM_ID)[0]?.bytes ??
    0;
  const capacity = (): number =>
    Number(/^Capacity:\s+(\d+)/.exec(libvirt().virsh('domblkinfo', 'web', 'vda').stdout)?.[1]);
  /** What the state of the machine does not show: domains, their files, rows and secrets. A creation that was taken back keeps its name and its password. */
  function observe(appliance: Appliance): unknown {
    const machines = join(appliance.dataDir, 'mnt/tank/machines');
    return {
      domains: libvirt().virsh('list', '--all', '--uuid', '--name').stdout.trim(),
      // Where a note was taken away libvirt leaves the empty element.
      definition: libvirt()
        .virsh('dumpxml', '--inactive', 'web')
        .stdout.replace(/^ *<metadata\/>\n/m, ''),
      is: libvirt().domstate('web'),
      saved: isSaved(),
      files: names(machines).flatMap((name) => [
        // Empty it may stay.
        ...(name === '.removed' ? [] : [name]),
        ...names(join(machines, name)).map((file) => `${name}/${file}`),
      ]),
      records: appliance.query(
        "SELECT id, name, state, cpus, memory_bytes, spec FROM vms WHERE state <> 'failed'",
      ),
      kept: appliance.query(
        "SELECT id, folder, record ->> '$.spec' AS spec, settings, facts FROM removed_vms",
      ),
      // Made at the first start, for good.
      tpms: names(libvirt().tpmFolder()),
      secrets: recordState(appliance) === 'failed' ? [] : names(join(appliance.dataDir, 'secrets')),
    };
  }

  return [
    {
      title: 'vm.create, above an image, with a password',
      kind: 'vm.create',
      setUp: (appliance) => setUp(appliance, 'gone'),
      begin: (appliance) => create(appliance),
      backward: true,
      observe,
    },
    {
      title: 'vm.create, with a secondary volume',
      kind: 'vm.create',
      setUp: (appliance) => setUp(appliance, 'gone'),
      begin: (appliance) => create(appliance, { disks: [{ sizeBytes: 16 * MIB, filesystem: 'ext4' }] }),
      backward: true,
      observe,
    },
    {
      title: 'vm.create, with secure boot and a TPM',
      kind: 'vm.create',
      setUp: (appliance) => setUp(appliance, 'gone'),
      begin: (appliance) => create(appliance, UEFI),
      backward: true,
      observe,
    },
    {
      title: 'vm.start',
      kind: 'vm.start',
      setUp: (appliance) => setUp(appliance, 'off'),
      begin: (appliance) => appliance.rest('POST', path('/start')),
      backward: true,
      observe,
    },
    {
      title: 'vm.stop, with time to shut down',
      kind: 'vm.stop',
      setUp: (appliance) => setUp(appliance, 'on'),
      begin: (appliance) => appliance.rest('POST', path('/stop'), { graceSeconds: 60 }),
      backward: false,
      observe,
    },
    {
      title: 'vm.stop, at once',
      kind: 'vm.stop',
      setUp: (appliance) => setUp(appliance, 'on'),
      begin: (appliance) => appliance.rest('POST', path('/stop'), { graceSeconds: 0 }),
      backward: false,
      observe,
    },
    {
      title: 'vm.stop-with-host',
      kind: 'vm.stop-with-host',
      async setUp(appliance) {
        await setUp(appliance, 'on');
        await appliance.rest('PUT', path('/host-stop'), { otherwise: 'save', startsAgain: true });
      },
      begin: (appliance) => hostGoesDown(appliance.dataDir),
      backward: false,
      observe,
    },
    {
      title: 'vm.pause',
      kind: 'vm.pause',
      setUp: (appliance) => setUp(appliance, 'on'),
      begin: (appliance) => appliance.rest('POST', path('/pause')),
      backward: true,
      observe,
    },
    {
      title: 'vm.resume',
      kind: 'vm.resume',
      setUp: (appliance) => setUp(appliance, 'paused'),
      begin: (appliance) => appliance.rest('POST', path('/resume')),
      backward: true,
      observe,
    },
    {
      title: 'vm.save',
      kind: 'vm.save',
      setUp: (appliance) => setUp(appliance, 'on'),
      begin: (appliance) => appliance.rest('POST', path('/save')),
      backward: true,
      observe,
    },
    {
      title: 'vm.start, with saved memory',
      kind: 'vm.start',
      setUp: (appliance) => setUp(appliance, 'saved'),
      begin: (appliance) => appliance.rest('POST', path('/start')),
      backward: true,
      observe,
    },
    {
      title: 'vm.discard-memory',
      kind: 'vm.discard-memory',
      setUp: (appliance) => setUp(appliance, 'saved'),
      begin: (appliance) => appliance.rest('DELETE', path('/saved-memory')),
      backward: false,
      observe,
    },
    {
      title: 'vm.resize, to more CPUs',
      kind: 'vm.resize',
      async setUp(appliance) {
        await setUp(appliance, 'off');
        await size(appliance, 1);
      },
      begin: (appliance) => appliance.rest('PUT', path('/size'), sizeOf(2)),
      backward: true,
      observe,
    },
    {
      title: 'vm.resize, to sockets and cores',
      kind: 'vm.resize',
      async setUp(appliance) {
        await setUp(appliance, 'off');
        await size(appliance, 1);
      },
      begin: (appliance) =>
        appliance.rest('PUT', path('/size'), {
          ...{ ...sizeOf(2), topology: { sockets: 1, cores: 2, threads: 1 } },
        }),
      backward: true,
      observe,
    },
    {
      title: 'vm.clone',
      kind: 'vm.clone',
      async setUp(appliance) {
        await setUp(appliance, 'off');
        if (appliance.query('SELECT 1 FROM vms WHERE id = ?', CLONE_ID).length > 0)
          await deleteForGood(appliance, CLONE_ID);
      },
      begin: (appliance) => appliance.rest('POST', path('/clone'), { name: 'web-2', id: CLONE_ID }),
      backward: true,
      observe,
    },
    {
      title: 'vm.export',
      kind: 'vm.export',
      async setUp(appliance) {
        await setUp(appliance, 'off');
        const [made] = appliance.query<{ id: string }>("SELECT id FROM images WHERE name = 'golden.qcow2'");
        if (made) await mustSucceed(appliance, await appliance.rest('DELETE', `/images/${made.id}`));
      },
      begin: (appliance) => appliance.rest('POST', path('/export'), { name: 'golden' }),
      backward: true,
      // What it wrote has its name by then, and goes with that.
      over: ['export'],
      observe,
    },
    {
      title: 'vm.export, as an OVA',
      kind: 'vm.export',
      async setUp(appliance) {
        await setUp(appliance, 'off');
        const [made] = appliance.query<{ id: string }>("SELECT id FROM images WHERE name = 'golden.ova'");
        if (made) await mustSucceed(appliance, await appliance.rest('DELETE', `/images/${made.id}`));
      },
      begin: (appliance) => appliance.rest('POST', path('/export'), { name: 'golden', format: 'ova' }),
      backward: true,
      // What they wrote is in the archive by then, or has its name.
      over: ['export-disk-1', 'write-descriptor', 'write-manifest', 'pack', 'make-work-folder'],
      observe,
    },
    {
      title: 'vm.create, of a machine in an OVA',
      kind: 'vm.create',
      async setUp(appliance) {
        await setUp(appliance, 'off');
        const [made] = appliance.query<{ state: string }>('SELECT state FROM vms WHERE id = ?', CLONE_ID);
        // One that a scenario before has left may be off.
        if (made?.state === 'ready' && libvirt().domstate('web-2') === 'running')
          await mustSucceed(
            appliance,
            await appliance.rest('POST', `/vms/${CLONE_ID}/stop`, { graceSeconds: 0 }),
          );
        if (made) await deleteForGood(appliance, CLONE_ID);
        if (appliance.query("SELECT 1 FROM images WHERE name = 'golden.ova'").length > 0) return;
        await mustSucceed(
          appliance,
          await appliance.rest('POST', path('/export'), { name: 'golden', format: 'ova' }),
        );
      },
      async begin(appliance) {
        const [image] = appliance.query<{ id: string }>("SELECT id FROM images WHERE name = 'golden.ova'");
        for (let known = false; !known; await sleep(50)) {
          const { body } = await appliance.rest<ImageDocument>('GET', `/images/${image?.id ?? ''}`);
          known = body.machine !== null;
        }
        const wish = { id: CLONE_ID, name: 'web-2', memoryBytes: 16 * MIB };
        return appliance.rest('POST', '/vms', microRequest(image?.id ?? '', wish));
      },
      backward: true,
      // The next step finds out whether it is a disk.
      over: ['copy-image', 'check-package'],
      observe,
    },
    ...vmSnapshotScenarios({ libvirt, path: path(), setUp, observe, id: VM_ID, uefi: UEFI }),
    {
      title: 'vm.grow-disk',
      kind: 'vm.grow-disk',
      async setUp(appliance) {
        await setUp(appliance, 'off');
        hadBytes = diskBytes(appliance);
      },
      begin: (appliance) => appliance.rest('PUT', path('/disks/1/size'), { sizeBytes: hadBytes + MIB }),
      backward: false,
      observe: (appliance) => ({
        is: libvirt().domstate('web'),
        definition: libvirt().virsh('dumpxml', '--inactive', 'web').stdout,
        grown: [diskBytes(appliance), capacity()].map((bytes) => bytes - hadBytes),
      }),
    },
    {
      title: 'vm.add-disk',
      kind: 'vm.add-disk',
      async setUp(appliance) {
        await setUp(appliance, 'off');
        await moreDisks(appliance, 0);
      },
      begin: (appliance) => appliance.rest('POST', path('/disks'), { sizeBytes: MIB }),
      backward: true,
      observe,
    },
    {
      title: 'vm.remove-disk',
      kind: 'vm.remove-disk',
      async setUp(appliance) {
        await setUp(appliance, 'off');
        await moreDisks(appliance, 1);
      },
      begin: (appliance) => deleteConfirmed(appliance, path('/disks/2')),
      backward: false,
      observe,
    },
    {
      title: 'vm.change-cd, of a machine that runs',
      kind: 'vm.change-cd',
      async setUp(appliance) {
        await setUp(appliance, 'on');
        if (!isoId(appliance)) await addImage({ appliance, server }, 'Disc', emptyCd(), 'iso');
        if (hasCd(appliance)) await mustSucceed(appliance, await appliance.rest('DELETE', path('/cd')));
      },
      begin: (appliance) => appliance.rest('PUT', path('/cd'), { imageId: isoId(appliance) }),
      backward: true,
      observe: (appliance) => ({
        is: libvirt().domstate('web'),
        drives: [['--inactive'], []].map((words) => libvirt().virsh('domblklist', 'web', ...words).stdout),
        spec: appliance.query('SELECT spec FROM vms'),
      }),
    },
    {
      title: 'vm.set-boot-order',
      kind: 'vm.set-boot-order',
      async setUp(appliance) {
        await setUp(appliance, 'off');
        if (
          appliance.query("SELECT 1 FROM vms WHERE id = ? AND spec ->> '$.boot[0]' = 'card-1'", VM_ID)
            .length > 0
        )
          await mustSucceed(
            appliance,
            await appliance.rest('PUT', path('/boot-order'), { order: ['disk-1', 'cd'] }),
          );
      },
      begin: (appliance) => appliance.rest('PUT', path('/boot-order'), { order: ['card-1', 'disk-1'] }),
      backward: true,
      observe,
    },
    ...(['vm.add-card', 'vm.remove-card'] as const).map((kind): Scenario => ({
      title: kind,
      kind,
      async setUp(appliance) {
        await setUp(appliance, 'off');
        await cards(appliance, kind === 'vm.add-card' ? 1 : 2);
      },
      begin: (appliance) =>
        kind === 'vm.add-card'
          ? appliance.rest('POST', path('/network-cards'))
          : appliance.rest('DELETE', path('/network-cards/2')),
      backward: true,
      observe: (appliance) => ({
        is: libvirt().domstate('web'),
        has: libvirt().virsh('domiflist', 'web', '--inactive').stdout,
        count: cardCount(appliance),
      }),
    })),
    {
      title: 'vm.move-card',
      kind: 'vm.move-card',
      async setUp(appliance) {
        await setUp(appliance, 'off');
        const bridges = libvirt().ip('link', 'show', 'type', 'bridge');
        if (!bridges.includes('br7')) libvirt().ip('link', 'add', 'br7', 'type', 'bridge');
        if (libvirt().virsh('domiflist', 'web', '--inactive').stdout.includes('br7'))
          await mustSucceed(
            appliance,
            await appliance.rest('PUT', path('/network-cards/1'), { bridge: null }),
          );
      },
      begin: (appliance) => appliance.rest('PUT', path('/network-cards/1'), { bridge: 'br7' }),
      backward: true,
      observe: (appliance) => ({
        has: libvirt().virsh('domiflist', 'web', '--inactive').stdout,
        bridge: appliance.query("SELECT spec ->> '$.cards[0].bridge' AS bridge FROM vms WHERE id = ?", VM_ID),
      }),
    },
    {
      title: 'vm.template',
      kind: 'vm.template',
      async setUp(appliance) {
        await setUp(appliance, 'off');
        if (appliance.query("SELECT 1 FROM vms WHERE id = ? AND spec ->> '$.isTemplate'", VM_ID).length > 0)
          await mustSucceed(appliance, await appliance.rest('DELETE', path('/template')));
      },
      begin: (appliance) => appliance.rest('PUT', path('/template')),
      backward: true,
      observe: (appliance) => ({
        ...(observe(appliance) as object),
        mode: statSync(join(appliance.dataDir, 'mnt/tank/machines/web/disk.qcow2')).mode,
      }),
    },
    {
      title: 'vm.remove, kept for a while',
      kind: 'vm.remove',
      async setUp(appliance) {
        // The first is to be like all that follow it: without what the scenarios before have given it.
        await setUp(appliance, 'gone');
        await setUp(appliance, 'off');
      },
      begin: (appliance) => appliance.rest('DELETE', path()),
      backward: true,
      observe,
    },
    {
      title: 'vm.bring-back',
      kind: 'vm.bring-back',
      setUp: (appliance) => kept(appliance),
      begin: (appliance) => appliance.rest('POST', `${KEPT}/restore`),
      backward: true,
      observe,
    },
    {
      title: 'vm.empty',
      kind: 'vm.empty',
      setUp: (appliance) => kept(appliance),
      begin: (appliance) => deleteConfirmed(appliance, KEPT),
      backward: false,
      observe,
    },
    {
      title: 'vm.bring-back, with secure boot and a TPM',
      kind: 'vm.bring-back',
      setUp: (appliance) => kept(appliance, UEFI),
      begin: (appliance) => appliance.rest('POST', `${KEPT}/restore`),
      backward: true,
      observe,
    },
    {
      title: 'vm.empty, with secure boot and a TPM',
      kind: 'vm.empty',
      setUp: (appliance) => kept(appliance, UEFI),
      begin: (appliance) => deleteConfirmed(appliance, KEPT),
      backward: false,
      observe,
    },
    {
      title: 'vm.remove, for good',
      kind: 'vm.remove',
      setUp: (appliance) => setUp(appliance, 'off'),
      begin: (appliance) => deleteConfirmed(appliance, path('?forGood=true')),
      backward: false,
      observe,
    },
    // Last: what is given up is in nobody's records.
    ...vmAdoptScenarios({ libvirt, id: VM_ID, setUp, observe }),
  ];
}
