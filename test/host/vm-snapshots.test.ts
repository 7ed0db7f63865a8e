/** Snapshots of machines on a real libvirtd with real QEMU: what is on a disk and in a memory comes back, and nothing else is lost. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Operation, PlanPreview } from '$lib/shared/wire/operations';
import type { VmSnapshot, VmSnapshots } from '$lib/shared/wire/vm-snapshots';
import { expectNoLeaks, traces } from '../support/leaks';
import { microRequest, MIB, mustSucceed, startMachines, vmNamed, type Machines } from '../support/machines';

const before = traces();
let machines: Machines;
let path = '';
let disk = '';

beforeAll(async () => {
  machines = await startMachines();
  const asked = await rest<{ vmId: string }>('POST', '/vms', microRequest(machines.imageId));
  await mustSucceed(machines.appliance, asked);
  path = `/vms/${asked.body.vmId}`;
  disk = join((await vmNamed(machines.appliance, 'web'))?.folder ?? '', 'disk.qcow2');
  await stop();
}, 120_000);
afterAll(async () => {
  await machines.close();
  await expectNoLeaks(before, machines.appliance.dataDir);
});

interface Refusal {
  error: { code: string; message: string; remedy: string | null; details: Record<string, unknown> };
}
const rest = <T = unknown>(method: string, where: string, body?: unknown) =>
  machines.appliance.rest<T>(method, where, body);
const refusalOf = async (asked: ReturnType<typeof rest>): Promise<Refusal['error']> =>
  ((await asked).body as Refusal).error;
const ask = async (method: string, where: string, body?: unknown): Promise<Operation> =>
  mustSucceed(machines.appliance, await rest(method, `${path}${where}`, body));
const start = () => ask('POST', '/start');
const stop = () => ask('POST', '/stop', { graceSeconds: 0 });
const take = (name: string, description?: string) =>
  ask('POST', '/snapshots', { name, ...(description === undefined ? {} : { description }) });
const vm = () => vmNamed(machines.appliance, 'web');
const all = async (): Promise<VmSnapshots> => (await rest<VmSnapshots>('GET', `${path}/snapshots`)).body;
async function one(name: string): Promise<VmSnapshot | undefined> {
  return (await all()).snapshots.find((snapshot) => snapshot.name === name);
}
/** As somebody who has read what is lost. */
async function confirmed(method: string, where: string): Promise<Operation> {
  const { details } = await refusalOf(rest(method, `${path}${where}`));
  const code = String(details['confirmCode']);
  return ask(method, `${where}?confirmCode=${code}`);
}

/** What the guest has on its disk, at a place that the smallest guest never touches. */
function qemuIo(command: string): number | null {
  return spawnSync('/usr/bin/qemu-io', ['-f', 'qcow2', '-c', command, disk]).status;
}
const write = (letter: string): void => expect(qemuIo(`write -P ${letter.charCodeAt(0)} 4M 64k`)).toBe(0);
function isWritten(letter: string): boolean {
  const { stdout } = spawnSync(
    '/usr/bin/qemu-io',
    ['-f', 'qcow2', '-r', '-c', `read -P ${letter.charCodeAt(0)} 4M 64k`, disk],
    { encoding: 'utf8' },
  );
  return !stdout.includes('Pattern verification failed');
}

describe('a snapshot of a machine that is off', () => {
  it('is taken, with what it is for, and shown as the one that the machine goes on from', async () => {
    write('a');
    const { body } = await rest<PlanPreview>('POST', `${path}/snapshots/preview`, {
      ...{ verb: 'take', name: 'before-upgrade' },
    });
    expect(body.steps.map(({ name }) => name)).toEqual(['take-snapshot']);
    expect(body.notes.join(' ')).toMatch(/It is off: its disk is in it.*up to 10 MiB more on the pool/);
    expect(body.confirmCode).toBeNull();
    await take('before-upgrade', 'as it <came>');
    expect(await all()).toMatchObject({ takeWhy: null, strays: [], error: null });
    expect(await one('before-upgrade')).toMatchObject({
      ...{ description: 'as it <came>', parent: null, isCurrent: true, wasIn: 'off', memoryBytes: null },
      ...{ restoreWhy: null, deleteWhy: null, size: { cpus: 1, memoryBytes: 32 * 1024 ** 2 } },
    });
  });

  it('has a name of its own, in letters, digits, dots and dashes', async () => {
    const codeOf = async (name: string) =>
      (await refusalOf(rest('POST', `${path}/snapshots`, { name }))).code;
    expect(await codeOf('before-upgrade')).toBe('snapshot_name_taken');
    for (const wrong of ['../up', 'a b', '-a', 'ä', 'x'.repeat(49)])
      expect(await codeOf(wrong), wrong).toBe('snapshot_name_invalid');
    // One that only the disk knows: QEMU would keep both, and take either for the other.
    expect(spawnSync('/usr/bin/qemu-img', ['snapshot', '-c', 'stray', disk]).status).toBe(0);
    expect(await codeOf('stray')).toBe('snapshot_name_taken');
    expect((await all()).strays).toEqual(['stray']);
    spawnSync('/usr/bin/qemu-img', ['snapshot', '-d', 'stray', disk]);
  });

  it('is restored only by somebody who was told what is lost, and then the disk is as it was', async () => {
    write('b');
    const refused = await refusalOf(rest('POST', `${path}/snapshots/before-upgrade/restore`));
    expect(refused.code).toBe('confirm_required');
    expect(refused.details['loses']).toEqual([
      'Everything that was written to the disk of "web" since "before-upgrade" was taken.',
    ]);
    expect(isWritten('b')).toBe(true);
    const stale = rest('POST', `${path}/snapshots/before-upgrade/restore`, { confirmCode: 'ffffffffffff' });
    expect((await refusalOf(stale)).code).toBe('confirm_stale');
    const operation = await confirmed('POST', '/snapshots/before-upgrade/restore');
    expect(operation.steps.map(({ name }) => name)).toEqual(['note-restore', 'restore']);
    expect(isWritten('a')).toBe(true);
    expect((await vm())?.state).toBe('stopped');
    expect(machines.libvirt.virsh('dumpxml', '--inactive', 'web').stdout).not.toContain('urn:cairn');
  });

  it('loses nothing when what is there now is kept first, and both can be gone back to', async () => {
    write('c');
    await ask('POST', '/snapshots/before-upgrade/restore', { keepAs: 'before-restore' });
    expect(isWritten('a')).toBe(true);
    expect(await one('before-restore')).toMatchObject({
      ...{ parent: 'before-upgrade', isCurrent: false },
      description: 'As it was before "before-upgrade" was restored',
    });
    await confirmed('POST', '/snapshots/before-restore/restore');
    expect(isWritten('c')).toBe(true);
  });

  it('cannot be restored or deleted when it is not there', async () => {
    for (const [method, where] of [
      ['POST', '/snapshots/never/restore'],
      ['DELETE', '/snapshots/never'],
    ] as const)
      expect(await refusalOf(rest(method, `${path}${where}`))).toMatchObject({
        ...{ code: 'snapshot_not_found', message: '"web" has no snapshot "never".' },
      });
  });
});

describe('a snapshot of a machine that runs', () => {
  it('has its memory in it, and the machine runs on', async () => {
    await start();
    await machines.libvirt.guestListens('web');
    const pid = machines.libvirt.pidOf('web');
    await take('with-memory');
    expect((await vm())?.state).toBe('running');
    expect(machines.libvirt.pidOf('web')).toBe(pid);
    const taken = await one('with-memory');
    expect(taken).toMatchObject({ parent: 'before-restore', wasIn: 'running', isCurrent: true });
    expect(taken?.memoryBytes).toBeGreaterThan(100_000);
  });

  it('lets it go on from that moment, with what it had then', async () => {
    await stop();
    await ask('PUT', '/size', { cpus: 2, memoryBytes: 48 * 1024 ** 2 });
    write('d');
    const operation = await confirmed('POST', '/snapshots/with-memory/restore');
    expect(operation.state).toBe('succeeded');
    expect(await vm()).toMatchObject({ state: 'running', cpus: 1, memoryBytes: 32 * 1024 ** 2 });
    // It did not start anew: it listens already.
    await machines.libvirt.guestListens('web');
    await stop();
    expect(isWritten('c')).toBe(true);
  });

  it('tells that its memory is lost too, when one that is on is restored, and leaves it off where none was in it', async () => {
    await start();
    const { body } = await rest<PlanPreview>('POST', `${path}/snapshots/preview`, {
      ...{ verb: 'restore', name: 'before-upgrade' },
    });
    expect(body).toMatchObject({
      loses: [expect.stringContaining('disk'), 'What it has in its memory now.'],
      confirmText: 'web',
      notes: [expect.stringMatching(/taken first/), expect.stringMatching(/off afterwards/)],
    });
    await confirmed('POST', '/snapshots/before-upgrade/restore');
    expect((await vm())?.state).toBe('stopped');
    expect(isWritten('a')).toBe(true);
  });
});

describe('a machine whose disks have changed since', () => {
  const sizeOf = (): number =>
    (
      JSON.parse(
        spawnSync('/usr/bin/qemu-img', ['info', '-U', '--output=json', disk], { encoding: 'utf8' }).stdout,
      ) as { 'virtual-size': number }
    )['virtual-size'];
  const grow = (sizeBytes: number) => ask('PUT', '/disks/1/size', { sizeBytes });

  it('has the disk of then when it is restored, and that can be made larger again', async () => {
    const before = sizeOf();
    await grow(before + MIB);
    expect(sizeOf()).toBe(before + MIB);
    await confirmed('POST', '/snapshots/before-upgrade/restore');
    expect(sizeOf()).toBe(before);
    expect(isWritten('a')).toBe(true);
    await grow(before + MIB);
    expect(sizeOf()).toBe(before + MIB);
    await start();
    await stop();
  });

  it('is not restored without a disk that it had', async () => {
    await ask('POST', '/disks', { sizeBytes: MIB });
    await take('two-disks');
    write('d');
    const removal = await confirmed('DELETE', '/disks/2');
    expect(removal.state).toBe('succeeded');
    expect((await one('two-disks'))?.restoreWhy).toMatch(/disk/);
    const refused = await refusalOf(rest('POST', `${path}/snapshots/two-disks/restore`));
    expect(refused.code).toBe('not_supported');
    expect(isWritten('d')).toBe(true);
    await confirmed('DELETE', '/snapshots/two-disks');
    await confirmed('POST', '/snapshots/before-upgrade/restore');
    expect(isWritten('a')).toBe(true);
  });
});

describe('a machine whose memory is saved', () => {
  it('is neither restored nor taken a snapshot of: its memory fits its disk only as it is', async () => {
    await start();
    await machines.libvirt.guestListens('web');
    await ask('POST', '/save');
    for (const asked of [
      rest('POST', `${path}/snapshots`, { name: 'saved' }),
      rest('POST', `${path}/snapshots/before-upgrade/restore`, { keepAs: 'kept' }),
    ])
      expect(await refusalOf(asked)).toMatchObject({
        ...{ code: 'vm_wrong_state', message: expect.stringContaining('saved memory') },
      });
    await ask('DELETE', '/saved-memory');
  });
});

describe('what virsh does with snapshots', () => {
  it('is shown, and one in files of its own is left alone', async () => {
    const { libvirt } = machines;
    const made = libvirt.virsh('snapshot-create-as', 'web', 'by hand');
    expect(made.status, made.stderr).toBe(0);
    expect(await one('by hand')).toMatchObject({ parent: 'before-upgrade', deleteWhy: null });
    await confirmed('DELETE', '/snapshots/by%20hand');
    const file = join(disk, '../outside.qcow2');
    const spec = `vda,file=${file}`;
    const outside = libvirt.virsh('snapshot-create-as', 'web', 'outside', '--disk-only', '--diskspec', spec);
    expect(outside.status, outside.stderr).toBe(0);
    expect((await one('outside'))?.restoreWhy).toMatch(/files of its own/);
    for (const [method, where] of [
      ['POST', '/snapshots/outside/restore'],
      ['DELETE', '/snapshots/outside'],
    ] as const)
      expect((await refusalOf(rest(method, `${path}${where}`))).code).toBe('not_supported');
    expect(existsSync(file)).toBe(true);
    expect(libvirt.virsh('snapshot-delete', 'web', 'outside', '--metadata').status).toBe(0);
  });
});
