/** Secondary volumes of a new machine, as its plan and its seed have them. */
import { existsSync } from 'node:fs';
import { posix } from 'node:path';
import type { VmDisk, VmFormat, VmPlugin } from '$lib/plugin-api/vm';
import { derivedUuid } from '$lib/plugin-api/steps';
import type { Issue } from '$lib/shared/error-codes';
import { volumeLabel } from '$lib/shared/vm-volumes';
import type { VmPlanRequest } from '$lib/shared/wire/vms';
import { issue } from '../errors';
import type { Mount } from './cloud-init';
import { fileOf } from './disks';

type Request = Pick<VmPlanRequest, 'id' | 'disks'>;
/** `packed`: how many disks besides the first one it begins with, which come before those that are asked for. */
const slotOf = (index: number, packed: number): number => index + 2 + packed;

export const volumesOf = ({ disks }: Request, folder: string, packed: number[] = []): VmDisk[] =>
  [...packed, ...disks.map(({ sizeBytes }) => sizeBytes)].map((sizeBytes, index) => ({
    ...{ slot: slotOf(index, 0), sizeBytes },
    path: posix.join(folder, fileOf(slotOf(index, 0))),
  }));

/** The UUID follows from the machine: the same whenever it is tried again. */
export const formatsOf = ({ id, disks }: Request, packed = 0): VmFormat[] =>
  disks.flatMap((disk, index): VmFormat[] =>
    disk.filesystem === 'none'
      ? []
      : [
          {
            ...{ slot: slotOf(index, packed), type: disk.filesystem, label: volumeLabel(disk, index) },
            uuid: derivedUuid(id, `volume-${slotOf(index, packed)}`),
          },
        ],
  );

export const mountsOf = ({ disks }: Request): Mount[] =>
  disks.flatMap((disk, index) =>
    disk.mountPoint === '' ? [] : [{ label: volumeLabel(disk, index), path: disk.mountPoint }],
  );

/** A filesystem whose program is not here, and a plugin that makes none. */
export function mkfsIssues(
  plugin: Pick<VmPlugin, 'name' | 'disks'>,
  { disks, devices }: Request & Pick<VmPlanRequest, 'devices'>,
  packed = 0,
): Issue[] {
  const kind = devices === 'common' ? { devices } : {};
  const most = (plugin.disks?.most(kind) ?? 1) - 1;
  if (disks.length + packed > most)
    return [issue('disks_too_many', `${plugin.name} gives a machine ${most + 1} disks at most.`, 'disks')];
  return disks.flatMap(({ filesystem }, index) => {
    if (filesystem === 'none') return [];
    const program = plugin.disks?.mkfs?.[filesystem];
    const field = `disks.${index}.filesystem`;
    if (program === undefined)
      return [issue('not_supported', `${plugin.name} makes no filesystem in a disk.`, field)];
    return existsSync(program)
      ? []
      : [
          issue(
            'program_missing',
            `${program} is not installed.`,
            field,
            'Install it: apt-get install ' + (filesystem === 'xfs' ? 'xfsprogs' : 'e2fsprogs'),
          ),
        ];
  });
}
