/** Snapshots of a machine as scenarios of the crash matrix: what is on its disk tells whether it was restored. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import type { Appliance } from '../support/appliance';
import { deleteConfirmed } from '../support/machines';
import type { PrivateLibvirt } from '../support/private-libvirt';
import type { Scenario } from './cases';
import { confirmed } from './confirmed';

interface Machine {
  libvirt: () => PrivateLibvirt;
  /** Of its page in REST. */
  path: string;
  setUp(appliance: Appliance, wanted: 'off' | 'on'): Promise<void>;
  observe(appliance: Appliance): unknown;
}
const NAME = 'one';

/** At a place that the guest never touches. */
function qemuIo(appliance: Appliance, mode: string[], command: string): string {
  const disk = join(appliance.dataDir, 'mnt/tank/machines/web/disk.qcow2');
  return spawnSync('/usr/bin/qemu-io', ['-f', 'qcow2', ...mode, '-c', command, disk], { encoding: 'utf8' })
    .stdout;
}
const write = (appliance: Appliance, byte: number): unknown =>
  qemuIo(appliance, [], `write -P ${byte} 4M 64k`);
const isWritten = (appliance: Appliance, byte: number): boolean =>
  !qemuIo(appliance, ['-r', '-U'], `read -P ${byte} 4M 64k`).includes('failed');

export function vmSnapshotScenarios({ libvirt, path, setUp, observe }: Machine): Scenario[] {
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
