/** Snapshots of a machine as scenarios of the crash matrix: what is on its disk tells whether it was restored. */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Appliance } from '../support/appliance';
import { deleteConfirmed, mustSucceed } from '../support/machines';
import type { PrivateLibvirt } from '../support/private-libvirt';
import type { Scenario } from './cases';
import { confirmed } from './confirmed';

interface Machine {
  libvirt: () => PrivateLibvirt;
  /** Of its page in REST. */
  path: string;
  setUp(appliance: Appliance, wanted: 'off' | 'on', change?: object): Promise<void>;
  /** Of a machine that is more than its disk. */
  id: string;
  uefi: object;
  observe(appliance: Appliance): unknown;
}
const NAME = 'one';

/** At a place that the guest never touches. */
function qemuIo(appliance: Appliance, mode: string[], command: string): string {
  const disk = join(appliance.dataDir, 'mnt/tank/machines/web/disk.qcow2');
  return spawnSync('/usr/bin/qemu-io', ['-f', 'qcow2', ...mode, '-c', command, disk], { encoding: 'utf8' })
    .stdout;
}
const inDisk = (appliance: Appliance): string =>
  spawnSync(
    '/usr/bin/qemu-img',
    ['snapshot', '-l', '-U', join(appliance.dataDir, 'mnt/tank/machines/web/disk.qcow2')],
    { encoding: 'utf8' },
  )
    .stdout.split('\n')
    .slice(2)
    .map((line) => line.trim().split(/\s+/)[1] ?? '')
    .join(' ');
const write = (appliance: Appliance, byte: number): unknown =>
  qemuIo(appliance, [], `write -P ${byte} 4M 64k`);
const isWritten = (appliance: Appliance, byte: number): boolean =>
  !qemuIo(appliance, ['-r', '-U'], `read -P ${byte} 4M 64k`).includes('failed');

/** The last byte of each, where nothing is kept. */
function lastBytes(paths: string[]): number[] {
  return paths.map((path) => readFileSync(path).at(-1) ?? -1);
}

export function vmSnapshotScenarios(machine: Machine): Scenario[] {
  return [...plainScenarios(machine), ...wholeScenarios(machine)];
}

/** Of a machine with secure boot and a TPM: its disk and both are kept, put back and deleted as one. */
function wholeScenarios({ libvirt, path, setUp, observe, id, uefi }: Machine): Scenario[] {
  const list = (): string[] =>
    libvirt().virsh('snapshot-list', 'web', '--name').stdout.split('\n').filter(Boolean);
  const folder = (appliance: Appliance): string => join(appliance.dataDir, 'mnt/tank/machines/web');
  const outside = (appliance: Appliance): string[] => [
    join(folder(appliance), 'nvram.fd'),
    join(libvirt().tpmFolder(id), 'tpm2/tpm2-00.permall'),
  ];
  function change(appliance: Appliance, byte: number): void {
    write(appliance, byte);
    for (const file of outside(appliance)) {
      const content = readFileSync(file);
      content[content.length - 1] = byte;
      writeFileSync(file, content);
    }
  }
  const namesBelow = (at: string): string[] =>
    existsSync(at) ? (readdirSync(at, { recursive: true }) as string[]).sort() : [];
  const seen = (appliance: Appliance): unknown => ({
    ...(observe(appliance) as object),
    snapshots: list(),
    current: libvirt().virsh('snapshot-current', 'web', '--name').stdout.trim(),
    disk: [1, 2].filter((byte) => isWritten(appliance, byte)),
    inDisk: inDisk(appliance),
    outside: lastBytes(outside(appliance)),
    kept: namesBelow(join(folder(appliance), 'states')),
    tpm: namesBelow(join(libvirt().tpmFolder(id), 'tpm2')).filter((name) => name !== '.lock'),
  });
  async function take(appliance: Appliance): Promise<void> {
    if (list().includes(NAME)) return;
    change(appliance, 1);
    await mustSucceed(appliance, await appliance.rest('POST', `${path}/snapshots`, { name: NAME }));
  }
  const drop = async (appliance: Appliance): Promise<void> => {
    for (const name of list())
      await mustSucceed(appliance, await deleteConfirmed(appliance, `${path}/snapshots/${name}`));
  };
  return [
    {
      title: 'vm.snapshot, of a machine with secure boot and a TPM',
      kind: 'vm.snapshot',
      async setUp(appliance) {
        await setUp(appliance, 'off', uefi);
        await drop(appliance);
      },
      begin: (appliance) => appliance.rest('POST', `${path}/snapshots`, { name: NAME }),
      backward: true,
      observe: seen,
    },
    {
      title: 'vm.restore-snapshot, of a machine with secure boot and a TPM',
      kind: 'vm.restore-snapshot',
      async setUp(appliance) {
        await setUp(appliance, 'off', uefi);
        await take(appliance);
        change(appliance, 2);
      },
      begin: (appliance) => confirmed(appliance, `${path}/snapshots/${NAME}/restore`),
      backward: false,
      observe: seen,
    },
    {
      title: 'vm.delete-snapshot, of a machine with secure boot and a TPM',
      kind: 'vm.delete-snapshot',
      async setUp(appliance) {
        await setUp(appliance, 'off', uefi);
        await take(appliance);
      },
      begin: (appliance) => deleteConfirmed(appliance, `${path}/snapshots/${NAME}`),
      backward: false,
      observe: seen,
    },
  ];
}

function plainScenarios({ libvirt, path, setUp, observe }: Machine): Scenario[] {
  const list = (): string[] =>
    libvirt().virsh('snapshot-list', 'web', '--name').stdout.split('\n').filter(Boolean);
  const dropAll = (): void => {
    for (const name of list()) libvirt().virsh('snapshot-delete', 'web', name);
  };
  const seen = (appliance: Appliance): unknown => ({
    ...(observe(appliance) as object),
    snapshots: list(),
    current: libvirt().virsh('snapshot-current', 'web', '--name').stdout.trim(),
    disk: [1, 2].filter((byte) => isWritten(appliance, byte)),
  });
  return [
    {
      title: 'vm.snapshot, with memory',
      kind: 'vm.snapshot',
      async setUp(appliance) {
        await setUp(appliance, 'on');
        dropAll();
      },
      begin: (appliance) => appliance.rest('POST', `${path}/snapshots`, { name: NAME }),
      backward: true,
      observe: seen,
    },
    {
      title: 'vm.restore-snapshot, to one with memory',
      kind: 'vm.restore-snapshot',
      async setUp(appliance) {
        if (!list().includes(NAME)) {
          await setUp(appliance, 'off');
          dropAll();
          write(appliance, 1);
          await setUp(appliance, 'on');
          libvirt().virsh('snapshot-create-as', 'web', NAME);
        }
        // Quicker than an operation, and as good.
        libvirt().virsh('destroy', 'web');
        write(appliance, 2);
      },
      begin: (appliance) => confirmed(appliance, `${path}/snapshots/${NAME}/restore`),
      backward: false,
      observe: seen,
    },
    {
      title: 'vm.delete-snapshot',
      kind: 'vm.delete-snapshot',
      async setUp(appliance) {
        await setUp(appliance, 'off');
        if (!list().includes(NAME)) libvirt().virsh('snapshot-create-as', 'web', NAME);
      },
      begin: (appliance) => deleteConfirmed(appliance, `${path}/snapshots/${NAME}`),
      backward: false,
      observe: seen,
    },
  ];
}
