/** Machines on a real libvirtd with real QEMU, from an image to nothing, and what happens to them from outside. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { HostLink } from '$lib/shared/wire/networks';
import type { Operation, PlanPreview } from '$lib/shared/wire/operations';
import type { Vm, VmCloudInit, VmDiskUse } from '$lib/shared/wire/vms';
import { expectNoLeaks, traces } from '../support/leaks';
import { deafGuest, lettingGoGuest } from '../support/micro-guest';
import {
  addImage,
  deleteConfirmed,
  deleteForGood,
  emptyCd,
  ended,
  microRequest,
  MIB,
  mustSucceed,
  POOL_GUID,
  startMachines,
  vmNamed,
  type Machines,
} from '../support/machines';

const before = traces();
const PASSWORD = 'a guest password';
const KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ2gqCq7rYHq0mF3Y1gqj4D8pK4oZ2e7nB6Uq3nJt5Xk ann@desk';
let machines: Machines;

beforeAll(async () => {
  machines = await startMachines();
}, 120_000);
afterAll(async () => {
  await machines.close();
  await expectNoLeaks(before, machines.appliance.dataDir);
});

const rest = <T = unknown>(method: string, path: string, body?: unknown) =>
  machines.appliance.rest<T>(method, path, body);
const create = (change: Record<string, unknown> = {}) =>
  rest<{ vmId: string; operationId: string }>('POST', '/vms', microRequest(machines.imageId, change));
const codeOf = ({ body }: { body: unknown }): unknown => (body as { error?: { code: string } }).error?.code;
const vm = (name = 'web') => vmNamed(machines.appliance, name);
async function until(state: Vm['state'], name = 'web'): Promise<Vm> {
  for (let tries = 0; tries < 400; tries += 1) {
    const now = await vm(name);
    if (now?.state === state) return now;
    await sleep(25);
  }
  throw new Error(`the machine did not become ${state}: ${JSON.stringify(await vm(name))}`);
}
const verb = async (name: string, body?: unknown): Promise<Operation> =>
  mustSucceed(machines.appliance, await rest('POST', `/vms/${(await vm())?.id ?? ''}/${name}`, body));

describe('a machine', () => {
  it('is previewed as commands, and nothing is made', async () => {
    const { status, body } = await rest<PlanPreview>(
      'POST',
      '/vms/preview',
      microRequest(machines.imageId, { cloudInit: { user: 'ann', sshKeys: [KEY], password: PASSWORD } }),
    );
    expect(status, JSON.stringify(body)).toBe(200);
    const commands = body.steps.map(({ command }) => command).join('\n');
    expect(commands).toMatch(/qemu-img create .*-b .*micro\.raw -F raw .*disk\.qcow2 10485760/);
    expect(commands).toMatch(/virsh .*define/);
    expect(commands).not.toContain(PASSWORD);
    expect(commands).not.toContain('$6$');
    expect(await vm()).toBeUndefined();
    expect(machines.libvirt.domstate('web')).toBeNull();
  });

  it('runs after it was asked for, and its password is nowhere but in its seed', async () => {
    const asked = await create({ cloudInit: { user: 'ann', sshKeys: [KEY], password: PASSWORD } });
    expect(asked.status).toBe(202);
    await mustSucceed(machines.appliance, asked);
    const made = await until('running');
    expect(machines.libvirt.domstate('web')).toBe('running');
    expect(made.virtType).toMatch(/kvm|qemu/);
    const folder = made.folder ?? '';
    expect(readdirSync(folder).sort()).toEqual(['disk.qcow2', 'meta-data', 'seed.iso', 'user-data']);
    const seed = readFileSync(join(folder, 'seed.iso'), 'latin1');
    expect(seed).toMatch(/\$6\$[./0-9A-Za-z]{16}\$[./0-9A-Za-z]{86}/);
    expect(seed).toContain('ann@desk');
    const { dataDir } = machines.appliance;
    expect(readdirSync(join(dataDir, 'secrets'))).toEqual([]);
    for (const name of ['cairn.db', 'cairn.db-wal']) {
      const content = readFileSync(join(dataDir, name), 'latin1');
      expect(content).not.toContain(PASSWORD);
      expect(content).not.toContain('$6$');
    }
    expect(machines.appliance.output).not.toContain('$6$');
  });

  it('has a definition to be read, without a password', async () => {
    const { body } = await rest<{ definition: string }>('GET', `/vms/${(await vm())?.id ?? ''}/definition`);
    expect(body.definition).toContain('<name>web</name>');
    expect(body.definition).not.toMatch(/passwd|\$6\$/);
  });

  it('is the same one when it is asked for twice with its id', async () => {
    const id = (await vm())?.id;
    const again = await create({ id });
    expect(again.body).toMatchObject({ vmId: id });
    expect(machines.appliance.query('SELECT id FROM vms')).toHaveLength(1);
  });

  it('cannot be started while it runs, nor removed, nor lose its image', async () => {
    const id = (await vm())?.id ?? '';
    expect(codeOf(await rest('POST', `/vms/${id}/start`))).toBe('vm_wrong_state');
    expect(codeOf(await rest('DELETE', `/vms/${id}`))).toBe('vm_wrong_state');
    const size = { cpus: 2, memoryBytes: 64 * 1024 ** 2 };
    expect(codeOf(await rest('PUT', `/vms/${id}/size`, size))).toBe('vm_wrong_state');
    expect(codeOf(await rest('DELETE', `/images/${machines.imageId}`))).toBe('image_in_use');
  });

  it('stands still when it is paused, and goes on as the same process', async () => {
    const id = (await vm())?.id ?? '';
    expect(codeOf(await rest('POST', `/vms/${id}/resume`))).toBe('vm_wrong_state');
    const pid = machines.libvirt.pidOf('web');
    await verb('pause');
    expect((await vm())?.state).toBe('paused');
    expect(machines.libvirt.domstate('web')).toBe('paused');
    expect(codeOf(await rest('POST', `/vms/${id}/pause`))).toBe('vm_wrong_state');
    // It would not notice its power button.
    expect(codeOf(await rest('POST', `/vms/${id}/stop`))).toBe('vm_wrong_state');
    await verb('resume');
    expect((await vm())?.state).toBe('running');
    expect(machines.libvirt.pidOf('web')).toBe(pid);
  });

  it('shuts down when it is asked to, without force', async () => {
    await machines.libvirt.guestListens('web');
    const operation = await verb('stop', { graceSeconds: 60 });
    expect(operation.steps.find(({ name }) => name === 'switch-off')?.state).toBe('skipped');
    expect((await vm())?.state).toBe('stopped');
    for (const wrong of ['stop', 'pause', 'resume'])
      expect(codeOf(await rest('POST', `/vms/${(await vm())?.id ?? ''}/${wrong}`))).toBe('vm_wrong_state');
  });

  it('is saved with its memory and goes on from there, or is started anew', async () => {
    const path = `/vms/${(await vm())?.id ?? ''}`;
    const { libvirt } = machines;
    await verb('start');
    await libvirt.guestListens('web');
    await verb('save');
    expect(await vm()).toMatchObject({ state: 'saved', stateText: expect.stringContaining('memory') });
    expect(libvirt.domstate('web')).toBe('shut off');
    expect(codeOf(await rest('POST', `${path}/save`))).toBe('vm_wrong_state');
    const size = { cpus: 2, memoryBytes: 64 * 1024 ** 2 };
    expect(codeOf(await rest('PUT', `${path}/size`, size))).toBe('vm_wrong_state');
    const operation = await verb('start');
    expect(operation.steps.map(({ name }) => name)).toEqual(['start-network', 'restore']);
    expect((await vm())?.state).toBe('running');
    // It has not started anew: it still listens to its button.
    await verb('save');
    await mustSucceed(machines.appliance, await rest('DELETE', `${path}/saved-memory`));
    expect((await vm())?.state).toBe('stopped');
    expect(codeOf(await rest('DELETE', `${path}/saved-memory`))).toBe('vm_wrong_state');
  });

  it('is not removed while it is protected', async () => {
    const path = `/vms/${(await vm())?.id ?? ''}`;
    expect((await rest('PUT', `${path}/protection`)).body).toMatchObject({ protected: true });
    expect((await rest('DELETE', path)).body).toMatchObject({
      error: { code: 'vm_protected', message: expect.stringContaining('web') },
    });
    expect((await rest('DELETE', `${path}/protection`)).body).toMatchObject({ protected: false });
  });

  it('shuts down without force also when it did not hear the first press, because it had just been started', async () => {
    await verb('start');
    const operation = await verb('stop', { graceSeconds: 60 });
    expect(operation.steps.find(({ name }) => name === 'switch-off')?.state).toBe('skipped');
  });

  it('keeps its pool from being removed while it is off', async () => {
    const refused = await rest('DELETE', `/pools/${POOL_GUID}`);
    expect(refused.body).toMatchObject({
      error: { code: 'pool_needed', message: expect.stringContaining('web') },
    });
  });

  it('gets another size while it is off, and keeps what somebody added with virsh', async () => {
    const path = `/vms/${(await vm())?.id ?? ''}`;
    const { libvirt } = machines;
    libvirt.virsh('desc', 'web', '--config', '--title', 'kept by hand');
    const size = async () => {
      const xml = libvirt.virsh('dumpxml', '--inactive', 'web').stdout;
      return ['memory', 'currentMemory', 'vcpu', 'title'].map(
        (tag) => new RegExp(`<${tag}[^>]*>([^<]*)<`).exec(xml)?.[1],
      );
    };
    const resize = async (cpus: number, mib: number) =>
      mustSucceed(
        machines.appliance,
        await rest('PUT', `${path}/size`, { cpus, memoryBytes: mib * 1024 ** 2 }),
      );
    await resize(2, 48);
    expect(await size()).toEqual(['49152', '49152', '2', 'kept by hand']);
    expect(await vm()).toMatchObject({ cpus: 2, memoryBytes: 48 * 1024 ** 2 });
    expect(codeOf(await rest('PUT', `${path}/size`, { cpus: 0, memoryBytes: 48 * 1024 ** 2 }))).toBe(
      'cpus_invalid',
    );
    await resize(1, 32);
    expect(await size()).toEqual(['32768', '32768', '1', 'kept by hand']);
  });

  it('gets a larger disk while it is off and while it runs, and never a smaller one', async () => {
    const { id = '', folder = '' } = (await vm()) ?? {};
    const grow = (mib: number) => rest('PUT', `/vms/${id}/disks/1/size`, { sizeBytes: mib * MIB });
    const capacity = () =>
      Number(/Capacity:\s+(\d+)/.exec(machines.libvirt.virsh('domblkinfo', id, 'vda').stdout)?.[1]) / MIB;
    const commands = ({ steps }: Operation) => steps.map(({ command }) => command).join();
    expect(commands(await mustSucceed(machines.appliance, await grow(12)))).toContain('qemu-img resize');
    expect(capacity()).toBe(12);
    await verb('start');
    expect(commands(await mustSucceed(machines.appliance, await grow(16)))).toContain('blockresize');
    expect(capacity()).toBe(16);
    expect(await vm()).toMatchObject({ diskBytes: 16 * MIB });
    for (const [mib, code] of [
      [15, 'disk_shrink'],
      [16, 'vm_wrong_state'],
      [100_000, 'pool_full'],
    ] as const)
      expect(codeOf(await grow(mib))).toBe(code);
    // What somebody made larger in a shell is not cut off either.
    machines.libvirt.virsh('blockresize', id, join(folder ?? '', 'disk.qcow2'), '24MiB');
    expect(codeOf(await grow(20))).toBe('disk_shrink');
    expect(capacity()).toBe(24);
    await verb('save');
    expect(codeOf(await grow(32))).toBe('vm_wrong_state');
    await verb('start');
    await verb('stop', { graceSeconds: 0 });
  });

  it('gets another disk at once, keeps it when it is made known again, and what somebody added with virsh', async () => {
    const { id = '', folder = '' } = (await vm()) ?? {};
    const { appliance, libvirt } = machines;
    const disks = `/vms/${id}/disks`;
    const targets = (...words: string[]) =>
      [...libvirt.virsh('domblklist', id, ...words).stdout.matchAll(/^ *(vd\w)/gm)].map(([, name]) => name);
    libvirt.virsh('desc', id, '--config', '--title', 'kept by hand');
    const add = async () => mustSucceed(appliance, await rest('POST', disks, { sizeBytes: 2 * MIB }));
    expect((await add()).steps.map(({ name }) => name)).toEqual(['make-volume', 'attach']);
    expect([targets('--inactive'), targets()]).toEqual([
      ['vda', 'vdb'],
      ['vda', 'vdb'],
    ]);
    await verb('start');
    expect((await add()).steps.map(({ name }) => name)).toEqual(['make-volume', 'attach', 'plug-in']);
    expect([targets('--inactive'), targets()]).toEqual([
      ['vda', 'vdb', 'vdc'],
      ['vda', 'vdb', 'vdc'],
    ]);
    const { body } = await rest<{ disks: VmDiskUse[] }>('GET', disks);
    expect(body.disks.map(({ slot, path, sizeBytes }) => [slot, path, sizeBytes / MIB])).toEqual([
      [1, join(folder ?? '', 'disk.qcow2'), 16],
      [2, join(folder ?? '', 'disk-2.qcow2'), 2],
      [3, join(folder ?? '', 'disk-3.qcow2'), 2],
    ]);
    expect(body.disks.every(({ takenBytes }) => (takenBytes ?? 0) > 0)).toBe(true);
    expect(libvirt.virsh('dumpxml', '--inactive', id).stdout).toContain('kept by hand');
    // One of the added ones grows as the first does.
    await mustSucceed(appliance, await rest('PUT', `${disks}/3/size`, { sizeBytes: 4 * MIB }));
    expect(libvirt.virsh('domblkinfo', id, 'vdc').stdout).toMatch(/Capacity: +4194304/);
    await verb('stop', { graceSeconds: 0 });
    libvirt.virsh('undefine', id);
    await until('missing');
    expect(codeOf(await rest('POST', disks, { sizeBytes: MIB }))).toBe('vm_wrong_state');
    await verb('start');
    expect(targets()).toEqual(['vda', 'vdb', 'vdc']);
  });

  it('does not lose a disk that its guest does not let go of, and nothing of it is deleted', async () => {
    const { id = '', folder = '' } = (await vm()) ?? {};
    const { appliance, libvirt } = machines;
    expect(codeOf(await rest('DELETE', `/vms/${id}/disks/1`))).toBe('disk_needed');
    expect(codeOf(await rest('DELETE', `/vms/${id}/disks/7`))).toBe('disk_not_found');
    const refused = await rest<{ error: { details: { loses: string[] } } }>('DELETE', `/vms/${id}/disks/3`);
    expect(codeOf(refused)).toBe('confirm_required');
    expect(refused.body.error.details.loses).toEqual([
      `${folder ?? ''}/disk-3.qcow2, with everything that is on it.`,
    ]);
    const asked = (await deleteConfirmed(appliance, `/vms/${id}/disks/3`)).body as { operationId: string };
    const failed = await ended(appliance, asked.operationId);
    expect(failed).toMatchObject({
      state: 'failed',
      error: { message: expect.stringContaining('has not let go of it') },
    });
    expect(readdirSync(folder ?? '')).toContain('disk-3.qcow2');
    expect(libvirt.virsh('domblklist', id, '--inactive').stdout).toContain('disk-3.qcow2');
    expect((await vm())?.disks).toHaveLength(3);
    await verb('stop', { graceSeconds: 0 });
    for (const slot of [3, 2])
      await mustSucceed(appliance, await deleteConfirmed(appliance, `/vms/${id}/disks/${slot}`));
    expect(readdirSync(folder ?? '')).not.toEqual(expect.arrayContaining([expect.stringMatching(/disk-/)]));
    expect(libvirt.virsh('domblklist', id, '--inactive').stdout).not.toContain('disk-');
    expect((await vm())?.diskBytes).toBe(16 * MIB);
  });

  it('loses a disk while it runs when its guest lets go of it, never one that somebody put in its place', async () => {
    const { appliance, libvirt } = machines;
    const imageId = await addImage(machines, 'Letting', lettingGoGuest());
    const { body } = await create({ name: 'letting', imageId });
    await ended(appliance, body.operationId);
    const disks = `/vms/${body.vmId}/disks`;
    const { folder } = (await vm('letting')) ?? {};
    for (let count = 0; count < 2; count += 1)
      await mustSucceed(appliance, await rest('POST', disks, { sizeBytes: MIB }));
    await mustSucceed(appliance, await deleteConfirmed(appliance, `${disks}/2`));
    const cards = `/vms/${body.vmId}/network-cards`;
    const macs = (...words: string[]) =>
      libvirt.virsh('domiflist', 'letting', ...words).stdout.match(/52:54:00(?::\w\w){3}/g) ?? [];
    await mustSucceed(appliance, await rest('POST', cards));
    const had = (await vm('letting'))?.cards.map(({ mac }) => mac);
    expect([macs(), macs('--inactive')]).toEqual([had, had]);
    await mustSucceed(appliance, await rest('DELETE', `${cards}/1`));
    expect([macs(), macs('--inactive')]).toEqual([had?.slice(1), had?.slice(1)]);
    expect(libvirt.virsh('domblklist', 'letting').stdout).not.toContain('disk-2.qcow2');
    expect(existsSync(join(folder ?? '', 'disk-2.qcow2'))).toBe(false);
    await mustSucceed(appliance, await rest('POST', `/vms/${body.vmId}/stop`, { graceSeconds: 0 }));
    // Somebody's own file, as the disk that Cairn would take away.
    const own = join(appliance.dataDir, 'own.qcow2');
    writeFileSync(own, '');
    libvirt.virsh('detach-disk', 'letting', 'vdc', '--config');
    libvirt.virsh('attach-disk', 'letting', own, 'vdc', '--config', '--subdriver', 'qcow2');
    const asked = (await deleteConfirmed(appliance, `${disks}/3`)).body as { operationId: string };
    expect(await ended(appliance, asked.operationId)).toMatchObject({
      ...{ state: 'failed', error: { code: 'foreign_state' } },
    });
    expect(libvirt.virsh('domblklist', 'letting', '--inactive').stdout).toContain(own);
    expect(existsSync(join(folder ?? '', 'disk-3.qcow2'))).toBe(true);
    await deleteForGood(appliance, body.vmId);
    expect(existsSync(folder ?? '')).toBe(false);
  });

  it('gets another network card at once, and keeps its address when it is made known again', async () => {
    const { id = '' } = (await vm()) ?? {};
    const { appliance, libvirt } = machines;
    const cards = `/vms/${id}/network-cards`;
    const macs = (...words: string[]) =>
      libvirt.virsh('domiflist', id, ...words).stdout.match(/52:54:00(?::\w\w){3}/g) ?? [];
    const shown = async () => (await vm())?.cards.map(({ mac }) => mac);
    expect(macs('--inactive')).toEqual(await shown());
    await verb('start');
    await mustSucceed(appliance, await rest('POST', cards));
    expect(macs()).toEqual(await shown());
    expect(macs()).toHaveLength(2);
    const { body } = await rest<{ operationId: string }>('DELETE', `${cards}/2`);
    expect(await ended(appliance, body.operationId)).toMatchObject({
      state: 'failed',
      error: { message: expect.stringContaining('has not let go of it') },
    });
    expect([macs(), macs('--inactive')]).toEqual([await shown(), await shown()]);
    await verb('stop', { graceSeconds: 0 });
    libvirt.virsh('undefine', id);
    await until('missing');
    await verb('start');
    expect(macs()).toEqual(await shown());
    await verb('stop', { graceSeconds: 0 });
    await mustSucceed(appliance, await rest('DELETE', `${cards}/2`));
    expect([macs('--inactive'), await shown()]).toEqual([macs(), macs()]);
    expect(macs()).toHaveLength(1);
    expect(codeOf(await rest('DELETE', `${cards}/2`))).toBe('card_not_found');
  });

  it('is on a bridge of the host, with the address that was asked for, and is plugged in elsewhere while it runs', async () => {
    const { appliance, libvirt } = machines;
    libvirt.ip('link', 'add', 'br7', 'type', 'bridge');
    libvirt.ip('link', 'set', 'br7', 'up');
    const mac = '52:54:00:07:07:07';
    const network = [{ addresses: ['192.168.7.10/24'], gateways: ['192.168.7.1'], search: ['home.arpa'] }];
    const { body } = await create({
      ...{ name: 'bridged', cards: [{ bridge: 'br7', mac }] },
      cloudInit: { user: 'ann', sshKeys: [KEY], password: PASSWORD, network },
    });
    await ended(appliance, body.operationId);
    const { body: told } = await rest<VmCloudInit>('GET', `/vms/${body.vmId}/cloud-init`);
    const text = told.files?.find(({ name }) => name === 'network-config')?.text ?? '';
    expect(text).toContain(`macaddress: "${mac}"`);
    expect(JSON.stringify(told)).not.toMatch(/\$6\$|a guest password/);
    const seed = readFileSync(join((await vm('bridged'))?.folder ?? '', 'seed.iso'), 'latin1');
    expect(seed).toContain(text);
    const on = (...words: string[]): string[][] =>
      libvirt
        .virsh('domiflist', 'bridged', ...words)
        .stdout.trim()
        .split('\n')
        .map((line) => line.trim().split(/ +/).slice(1));
    expect(on()).toEqual([['bridge', 'br7', 'virtio', mac]]);
    const { body: networks } = await rest<{ links: HostLink[] }>('GET', '/networks');
    expect(networks.links.filter(({ bridge }) => bridge === 'br7')).toMatchObject([{ kind: 'machine' }]);
    const card = `/vms/${body.vmId}/network-cards/1`;
    await mustSucceed(appliance, await rest('PUT', card, { bridge: null }));
    expect([on(), on('--inactive')]).toEqual([
      ...[[['network', 'default', 'virtio', mac]], [['network', 'default', 'virtio', mac]]],
    ]);
    await mustSucceed(appliance, await rest('PUT', card, { bridge: 'br7' }));
    expect([on(), on('--inactive')]).toEqual([
      ...[[['bridge', 'br7', 'virtio', mac]], [['bridge', 'br7', 'virtio', mac]]],
    ]);
    expect(libvirt.ip('link', 'show', 'master', 'br7')).toContain('vnet');
    await mustSucceed(appliance, await rest('POST', `/vms/${body.vmId}/stop`, { graceSeconds: 0 }));
    libvirt.ip('link', 'delete', 'br7');
    const refused = await rest('POST', `/vms/${body.vmId}/start`);
    expect(codeOf(refused)).toBe('bridge_not_found');
    await mustSucceed(appliance, await rest('DELETE', `/vms/${body.vmId}`));
  });

  it('gets CDs into its drive and out of it, off and on, and keeps their images while they are in', async () => {
    const { id = '' } = (await vm()) ?? {};
    const { appliance, libvirt } = machines;
    const [one, two] = [
      await addImage(machines, 'One', emptyCd(), 'iso'),
      await addImage(machines, 'Two', emptyCd(), 'iso'),
    ];
    const cd = `/vms/${id}/cd`;
    const inside = () =>
      [['--inactive'], []].map(
        (words) => /sda +(?:.*\/)?(\S+)$/m.exec(libvirt.virsh('domblklist', id, ...words).stdout)?.[1],
      );
    const insert = async (imageId: string) => mustSucceed(appliance, await rest('PUT', cd, { imageId }));
    const eject = async () => mustSucceed(appliance, await rest('DELETE', cd));
    expect(inside()).toEqual(['-', '-']);
    expect(codeOf(await rest('DELETE', cd))).toBe('vm_wrong_state');
    expect(codeOf(await rest('PUT', cd, { imageId: machines.imageId }))).toBe('image_no_cd');
    await insert(one);
    expect(inside()).toEqual(['one.iso', 'one.iso']);
    await verb('start');
    await insert(two);
    expect(inside()).toEqual(['two.iso', 'two.iso']);
    expect((await vm())?.cd).toEqual({ imageId: two, name: 'Two' });
    expect(codeOf(await rest('DELETE', `/images/${two}`))).toBe('image_in_use');
    await mustSucceed(appliance, await rest('DELETE', `/images/${one}`));
    await eject();
    expect(inside()).toEqual(['-', '-']);
    await insert(two);
    await verb('stop', { graceSeconds: 0 });
    // Made known again, it has what is in its drive; one that somebody took its drive from gets one.
    libvirt.virsh('undefine', id);
    await until('missing');
    await verb('start');
    expect(inside()).toEqual(['two.iso', 'two.iso']);
    await verb('stop', { graceSeconds: 0 });
    libvirt.virsh('detach-disk', id, 'sda', '--config');
    await verb('start');
    expect(codeOf(await rest('PUT', cd, { imageId: two }))).toBe('cd_drive_missing');
    await verb('stop', { graceSeconds: 0 });
    expect((await insert(two)).steps.map(({ name }) => name)).toEqual(['add-drive', 'change']);
    await eject();
    await mustSucceed(appliance, await rest('DELETE', `/images/${two}`));
  });

  it('starts again, is reset, and is switched off at once', async () => {
    await verb('start');
    await until('running');
    await verb('reset');
    expect((await vm())?.state).toBe('running');
    const operation = await verb('stop', { graceSeconds: 0 });
    expect(operation.steps.map(({ name }) => name)).toEqual(['switch-off']);
    await until('stopped');
  });

  it('is switched off when it does not react to its power button in time', async () => {
    const imageId = await addImage(machines, 'Deaf', deafGuest());
    const { body } = await create({ name: 'deaf', imageId });
    await ended(machines.appliance, body.operationId);
    const asked = await rest('POST', `/vms/${body.vmId}/stop`, { graceSeconds: 2 });
    await until('stopping', 'deaf');
    const operation = await mustSucceed(machines.appliance, asked);
    expect(operation.steps.find(({ name }) => name === 'switch-off')?.state).toBe('done');
    await until('stopped', 'deaf');
    await deleteForGood(machines.appliance, body.vmId);
  });
});

describe('what happens to a machine outside of Cairn', () => {
  it('is shown when virsh starts, pauses and ends it', async () => {
    machines.libvirt.virsh('start', 'web');
    await until('running');
    machines.libvirt.virsh('suspend', 'web');
    await until('paused');
    machines.libvirt.virsh('resume', 'web');
    await until('running');
    machines.libvirt.virsh('destroy', 'web');
    await until('stopped');
  });

  it('tells a crash from a stop', async () => {
    await verb('start');
    process.kill(machines.libvirt.pidOf('web'), 'SIGKILL');
    expect((await until('crashed')).stateText).toMatch(/without having been asked/);
    await verb('start');
    await until('running');
  });

  it('loses nothing when libvirtd is killed and started again', async () => {
    const pid = machines.libvirt.pidOf('web');
    await machines.libvirt.killLibvirtd();
    expect((await until('unknown')).stateText).toMatch(/virsh/);
    expect(codeOf(await rest('POST', `/vms/${(await vm())?.id ?? ''}/stop`))).toBe('plugin_unavailable');
    await machines.libvirt.startLibvirtd();
    await until('running');
    expect(machines.libvirt.pidOf('web')).toBe(pid);
    // It is listened to again, too.
    machines.libvirt.virsh('destroy', 'web');
    await until('stopped');
  });

  it('makes a machine known again that was undefined, when it is started', async () => {
    machines.libvirt.virsh('undefine', 'web');
    await until('missing');
    await verb('start');
    await until('running');
    expect(machines.libvirt.domstate('web')).toBe('running');
    await verb('stop', { graceSeconds: 0 });
  });
});

describe('a machine that cannot be', () => {
  it.each([
    [{ name: 'web' }, 'vm_name_taken'],
    [{ name: 'data', cpus: 4_096 }, 'cpus_too_many'],
    [{ name: 'data', memoryBytes: 1e15 }, 'memory_too_much'],
    [{ name: 'data', diskBytes: 1e12 }, 'pool_full'],
    [{ name: 'data', imageId: 'catalog:debian-13-x86_64' }, 'image_not_ready'],
    [{ name: 'data', diskBytes: 0 }, 'disk_invalid'],
  ])('is refused: %j', async (change, code) => {
    expect(codeOf(await create(change))).toBe(code);
    expect(machines.appliance.query('SELECT id FROM vms')).toHaveLength(1);
  });

  it('gets the room that is there only once, when two are asked for at the same time', async () => {
    const size = 300 * 1024 ** 2;
    const answers = await Promise.all([
      create({ name: 'one', diskBytes: size }),
      create({ name: 'two', diskBytes: size }),
    ]);
    expect(answers.map(({ status }) => status).sort()).toEqual([202, 409]);
    const refused = answers.find(({ status }) => status === 409);
    expect(refused && codeOf(refused)).toBe('pool_full');
    const made = answers.find(({ status }) => status === 202);
    await mustSucceed(machines.appliance, made ?? { status: 0, body: {} });
    const id = made?.body.vmId ?? '';
    await mustSucceed(machines.appliance, await rest('POST', `/vms/${id}/stop`, { graceSeconds: 0 }));
    await deleteForGood(machines.appliance, id);
  });

  it('is kept with the reason when it fails to start, and made when it is tried again', async () => {
    const { libvirt, appliance } = machines;
    const definition = join(appliance.dataDir, 'network.xml');
    writeFileSync(definition, libvirt.virsh('net-dumpxml', 'default').stdout);
    libvirt.virsh('net-destroy', 'default');
    libvirt.virsh('net-undefine', 'default');
    const { body: asked } = await create({
      ...{ name: 'late', disk: 'copy' },
      cloudInit: { user: 'ann', sshKeys: [], password: PASSWORD },
    });
    expect((await ended(appliance, asked.operationId)).state).toBe('failed');
    const failed = await until('failed-to-start', 'late');
    expect(failed.stateText).toMatch(/net-start|virsh/);
    expect(existsSync(failed.folder ?? '')).toBe(false);
    expect(libvirt.domstate('late')).toBeNull();
    // Its name is kept for it.
    expect(codeOf(await create({ name: 'late' }))).toBe('vm_name_taken');
    libvirt.virsh('net-define', definition);
    await mustSucceed(appliance, await rest('POST', `/vms/${asked.vmId}/retry`));
    expect((await until('running', 'late')).failedOperationId).toBeNull();
    expect(readdirSync(join(appliance.dataDir, 'secrets'))).toEqual([]);
    await mustSucceed(appliance, await rest('POST', `/vms/${asked.vmId}/stop`, { graceSeconds: 0 }));
    await deleteForGood(appliance, asked.vmId);
    expect(await vm('late')).toBeUndefined();
  });
});

describe('a machine that is removed', () => {
  it('takes each file of its own with it, and leaves the image', async () => {
    const { id = '', folder = '' } = (await vm()) ?? {};
    await deleteForGood(machines.appliance, id);
    expect(existsSync(folder ?? '')).toBe(false);
    expect(machines.libvirt.domstate('web')).toBeNull();
    expect(machines.appliance.query('SELECT id FROM vms')).toEqual([]);
    const { body } = await rest<{ badge: string }>('GET', `/images/${machines.imageId}`);
    expect(body.badge).toBe('ready');
  });
});
