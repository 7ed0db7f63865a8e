/** Machines that start by UEFI and have a TPM, on a real libvirtd with real QEMU and swtpm. */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
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

  it('is not kept in a snapshot of its disk alone', async () => {
    await ask('POST', `${vm('safe')}/stop`, { graceSeconds: 0 });
    const asked = await rest<{ error: { code: string; message: string } }>(
      'POST',
      `${vm('safe')}/snapshots`,
      {
        name: 'one',
      },
    );
    expect(asked.body.error.code).toBe('not_supported');
    expect(asked.body.error.message).toMatch(/clone it instead/);
  });

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
