/** Machines that start by UEFI and have a TPM, on a real libvirtd with real QEMU and swtpm. */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { VmSnapshots } from '$lib/shared/wire/vm-snapshots';
import { viewConsole } from '../support/console-viewer';
import { expectNoLeaks, traces } from '../support/leaks';
import {
  deleteConfirmed,
  deleteForGood,
  microRequest,
  MIB,
  mustSucceed,
  startMachines,
  vmNamed,
  type Machines,
} from '../support/machines';

const before = traces();
const hostLogs = existsSync('/var/log/swtpm/libvirt/qemu') ? readdirSync('/var/log/swtpm/libvirt/qemu') : [];
const TEMPLATE = '/usr/share/OVMF/OVMF_VARS_4M.fd';
let machines: Machines;
const ids = new Map<string, string>();

beforeAll(async () => {
  machines = await startMachines();
}, 120_000);
afterAll(async () => {
  await machines.close();
  await expectNoLeaks(before, machines.appliance.dataDir);
  const logs = existsSync('/var/log/swtpm/libvirt/qemu') ? readdirSync('/var/log/swtpm/libvirt/qemu') : [];
  expect(logs).toEqual(hostLogs);
});

interface Refusal {
  code: string;
  message: string;
  details: Record<string, unknown>;
}
const rest = <T = unknown>(method: string, where: string, body?: unknown) =>
  machines.appliance.rest<T>(method, where, body);
const ask = async (method: string, where: string, body?: unknown) =>
  mustSucceed(machines.appliance, await rest(method, where, body));
const refusal = async (asked: ReturnType<typeof rest>) => ((await asked).body as { error: Refusal }).error;
const vm = (name: string) => `/vms/${ids.get(name) ?? ''}`;

async function make(name: string, change: Record<string, unknown>): Promise<string> {
  const asked = await rest<{ vmId: string }>(
    ...([
      'POST',
      '/vms',
      microRequest(machines.imageId, { name, memoryBytes: 128 * MIB, ...change }),
    ] as const),
  );
  await mustSucceed(machines.appliance, asked);
  ids.set(name, asked.body.vmId);
  return (await vmNamed(machines.appliance, name))?.folder ?? '';
}
const definition = (name: string): string => machines.libvirt.virsh('dumpxml', '--inactive', name).stdout;
const tpmFile = (name: string): string =>
  join(machines.libvirt.tpmFolder(ids.get(name)), 'tpm2/tpm2-00.permall');
/** Its own words on its serial line, when it has found nothing that it can start. */
async function uefiSpeaks(name: string, words: RegExp): Promise<void> {
  const viewer = await viewConsole(machines.appliance, ids.get(name) ?? '', 'serial');
  try {
    for (let tries = 0; !words.test(viewer.text()); tries += 1) {
      if (tries === 1_200) throw new Error(`it only said: ${viewer.text()}`);
      // What it had said before is gone: a key has it say more.
      viewer.socket.send(Buffer.from('\r'));
      await sleep(50);
    }
  } finally {
    viewer.socket.close();
  }
}

describe('a machine that starts by UEFI', () => {
  it('runs it, and keeps what that remembers in its own folder', async () => {
    const folder = await make('efi', { firmware: 'uefi' });
    expect(await vmNamed(machines.appliance, 'efi')).toMatchObject({ firmware: 'uefi', tpm: false });
    expect(definition('efi')).toContain(`>${folder}/nvram.fd</nvram>`);
    await uefiSpeaks('efi', /BdsDxe|UEFI Interactive Shell|Shell>/);
    expect(statSync(join(folder, 'nvram.fd')).size).toBe(statSync(TEMPLATE).size);
    expect(readFileSync(join(folder, 'nvram.fd')).equals(readFileSync(TEMPLATE))).toBe(false);
  }, 120_000);

  it('gives a clone a copy of what it remembers', async () => {
    await ask('POST', `${vm('efi')}/stop`, { graceSeconds: 0 });
    const asked = await rest<{ vmId: string }>('POST', `${vm('efi')}/clone`, { name: 'efi-2' });
    await mustSucceed(machines.appliance, asked);
    ids.set('efi-2', asked.body.vmId);
    const [one, two] = [await vmNamed(machines.appliance, 'efi'), await vmNamed(machines.appliance, 'efi-2')];
    expect(two?.firmware).toBe('uefi');
    const nvram = (folder: string | null | undefined) => join(folder ?? '', 'nvram.fd');
    expect(readFileSync(nvram(two?.folder)).equals(readFileSync(nvram(one?.folder)))).toBe(true);
    expect(definition('efi-2')).toContain(`>${nvram(two?.folder)}</nvram>`);
    await deleteForGood(machines.appliance, asked.body.vmId);
    expect(existsSync(two?.folder ?? '/')).toBe(false);
  });

  it('is as it was when libvirt had forgotten it, and when it was given up and adopted again', async () => {
    const { folder } = (await vmNamed(machines.appliance, 'efi')) ?? {};
    const nvram = readFileSync(join(folder ?? '', 'nvram.fd'));
    machines.libvirt.virsh('undefine', 'efi', '--keep-nvram');
    await ask('POST', `${vm('efi')}/start`);
    await ask('POST', `${vm('efi')}/stop`, { graceSeconds: 0 });
    expect(definition('efi')).toContain(`>${folder ?? ''}/nvram.fd</nvram>`);
    await ask('POST', `${vm('efi')}/release`);
    await ask('POST', `${vm('efi').replace('/vms/', '/found-vms/')}/adopt`);
    const back = await vmNamed(machines.appliance, 'efi');
    expect(back).toMatchObject({ adopted: null, firmware: 'uefi', folder });
    expect(readFileSync(join(folder ?? '', 'nvram.fd')).length).toBe(nvram.length);
    await deleteForGood(machines.appliance, ids.get('efi') ?? '');
    expect(existsSync(folder ?? '/')).toBe(false);
  });

  it('needs more memory than the smallest machine', async () => {
    const asked = rest('POST', '/vms', microRequest(machines.imageId, { firmware: 'uefi' }));
    expect((await refusal(asked)).details['issues']).toMatchObject([{ code: 'memory_invalid' }]);
  });
});

describe('a machine with secure boot and a TPM', () => {
  let folder = '';
  it('starts, and refuses what nobody has signed', async () => {
    folder = await make('safe', { firmware: 'uefi-secure', tpm: true });
    expect(await vmNamed(machines.appliance, 'safe')).toMatchObject({ firmware: 'uefi-secure', tpm: true });
    expect(existsSync(tpmFile('safe'))).toBe(true);
    await uefiSpeaks('safe', /Security Violation|No bootable option|Boot Manager/);
  }, 120_000);

  it('has no snapshot taken while it is on, and is told what to do first', async () => {
    const { code, message } = await refusal(rest('POST', `${vm('safe')}/snapshots`, { name: 'one' }));
    expect([code, message]).toEqual(['not_supported', expect.stringMatching(/Shut it down first/)]);
    await ask('POST', `${vm('safe')}/stop`, { graceSeconds: 0 });
  });

  it('goes back to a snapshot with its disk, its UEFI and its TPM as one', async () => {
    const [disk, nvram, tpm] = [join(folder, 'disk.qcow2'), join(folder, 'nvram.fd'), tpmFile('safe')];
    const qemuIo = (command: string): string =>
      spawnSync('/usr/bin/qemu-io', ['-f', 'qcow2', '-c', command, disk], { encoding: 'utf8' }).stdout;
    const seen = () => ({
      disk: [1, 2].filter((byte) => !qemuIo(`read -P ${byte} 4M 64k`).includes('failed')),
      nvram: readFileSync(nvram).toString('base64'),
      tpm: readFileSync(tpm).toString('base64'),
      beside: readdirSync(dirname(tpm)).filter((name) => name !== '.lock'),
      files: readdirSync(folder).sort(),
    });
    const change = (byte: number): void => {
      qemuIo(`write -P ${byte} 4M 64k`);
      for (const path of [nvram, tpm]) {
        const content = readFileSync(path);
        content[content.length - 1] = byte;
        writeFileSync(path, content);
      }
    };
    // Changes in a place that neither of them reads; it starts with what it had at first in the end.
    const [firstNvram, firstTpm] = [readFileSync(nvram), readFileSync(tpm)];
    qemuIo('write -P 1 4M 64k');
    const one = seen();
    await ask('POST', `${vm('safe')}/snapshots`, { name: 'one', description: 'as it was first' });
    expect(seen()).toEqual(one);
    change(2);
    const two = seen();
    expect(two.disk).toEqual([2]);
    const list = async () =>
      (await rest<VmSnapshots>('GET', `${vm('safe')}/snapshots`)).body.snapshots.map(
        ({ name, parent, isCurrent, wasIn, restoreWhy, deleteWhy }) =>
          [name, parent, isCurrent, wasIn, restoreWhy, deleteWhy] as const,
      );
    expect(await list()).toEqual([['one', null, true, 'off', null, null]]);
    await ask('POST', `${vm('safe')}/snapshots/one/restore`, { keepAs: 'two' });
    expect(seen()).toEqual(one);
    expect(readFileSync(nvram).equals(firstNvram) && readFileSync(tpm).equals(firstTpm)).toBe(true);
    expect(await list()).toEqual([
      ['one', null, true, 'off', null, null],
      ['two', 'one', false, 'off', null, null],
    ]);
    await ask('POST', `${vm('safe')}/snapshots/two/restore`, { keepAs: 'three' });
    expect(seen()).toEqual(two);
    await ask('POST', `${vm('safe')}/snapshots/one/restore`, { keepAs: 'four' });
    expect(seen()).toEqual(one);

    // What it was put back to can be started, and nothing can be done with its snapshots meanwhile.
    await ask('POST', `${vm('safe')}/start`);
    await uefiSpeaks('safe', /Security Violation|No bootable option|Boot Manager/);
    expect(
      (await list()).every(([, , , , restoreWhy, deleteWhy]) => restoreWhy !== null && deleteWhy !== null),
    ).toBe(true);
    await ask('POST', `${vm('safe')}/stop`, { graceSeconds: 0 });
    for (const name of ['two', 'three', 'four'])
      await mustSucceed(
        machines.appliance,
        await deleteConfirmed(machines.appliance, `${vm('safe')}/snapshots/${name}`),
      );
    expect(readdirSync(join(folder, 'states'))).toHaveLength(1);
    expect((await list()).map(([name]) => name)).toEqual(['one']);
  }, 120_000);

  it('keeps what both remember, byte for byte, while it is removed', async () => {
    const nvram = readFileSync(join(folder, 'nvram.fd'));
    const tpm = readFileSync(tpmFile('safe'));
    const was = definition('safe');
    await ask('DELETE', vm('safe'));
    expect(machines.libvirt.domstate('safe')).toBeNull();
    expect(existsSync(folder)).toBe(false);
    expect(readFileSync(tpmFile('safe')).equals(tpm)).toBe(true);
    await ask('POST', `${vm('safe').replace('/vms/', '/removed-vms/')}/restore`);
    expect(readFileSync(join(folder, 'nvram.fd')).equals(nvram)).toBe(true);
    expect(readFileSync(tpmFile('safe')).equals(tpm)).toBe(true);
    expect(definition('safe')).toBe(was);
    // With its snapshot.
    await ask('POST', `${vm('safe')}/snapshots/one/restore`, { keepAs: 'later' });
    await ask('POST', `${vm('safe')}/start`);
    await ask('POST', `${vm('safe')}/stop`, { graceSeconds: 0 });
  });

  it('does not lose what its TPM keeps to a plain undefine, nor to its start after that', async () => {
    machines.libvirt.virsh('undefine', 'safe', '--keep-nvram');
    expect(existsSync(tpmFile('safe'))).toBe(true);
    await ask('POST', `${vm('safe')}/start`);
    await ask('POST', `${vm('safe')}/stop`, { graceSeconds: 0 });
    const { details } = await refusal(
      rest('POST', '/vms', {
        ...microRequest(machines.imageId, { name: 'other', memoryBytes: 128 * MIB, tpm: true }),
        id: ids.get('safe'),
      }),
    );
    expect(details).toBeDefined();
  });

  it('gives a clone a TPM of its own', async () => {
    const asked = await rest<{ vmId: string }>('POST', `${vm('safe')}/clone`, { name: 'safe-2' });
    await mustSucceed(machines.appliance, asked);
    ids.set('safe-2', asked.body.vmId);
    expect(existsSync(tpmFile('safe-2'))).toBe(false);
    await ask('POST', `${vm('safe-2')}/start`);
    expect(readFileSync(tpmFile('safe-2')).equals(readFileSync(tpmFile('safe')))).toBe(false);
    await ask('POST', `${vm('safe-2')}/stop`, { graceSeconds: 0 });
    await deleteForGood(machines.appliance, asked.body.vmId);
    expect(existsSync(machines.libvirt.tpmFolder(asked.body.vmId))).toBe(false);
  });

  it('goes for good with both, after saying so', async () => {
    await ask('DELETE', vm('safe'));
    const where = vm('safe').replace('/vms/', '/removed-vms/');
    const { details } = await refusal(rest('DELETE', where));
    expect(details['loses']).toEqual(
      expect.arrayContaining([expect.stringMatching(/nvram\.fd/), expect.stringMatching(/TPM.*BitLocker/)]),
    );
    await mustSucceed(machines.appliance, await deleteConfirmed(machines.appliance, where));
    expect(existsSync(machines.libvirt.tpmFolder(ids.get('safe')))).toBe(false);
    expect(spawnSync('/usr/bin/pgrep', ['-f', ids.get('safe') ?? 'none']).stdout.toString()).toBe('');
  });
});
