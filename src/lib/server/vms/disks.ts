/** What all changes of the disks of a machine begin with, and how its record follows them. */
import { z } from 'zod';
import { disksOf, type VmDisk, type VmPlugin, type VmSpec } from '$lib/plugin-api/vm';
import { AppError } from '../errors';
import type { RecordOwner } from '../operations/types';
import { promisedDiskBytes, refuseTooLargeDisk } from './accounts';
import type { VmDeps } from './deps';
import { tell, verbRecord } from './records';
import { changeVm, findVm, type VmRecord } from './store';
import { wrongState } from './verb';

export const fileOf = (slot: number): string => `disk-${slot}.qcow2`;

export function diskOf({ spec, name }: VmRecord, slot: number): VmDisk {
  const disk = disksOf(spec).find((one) => one.slot === slot);
  if (!disk) throw new AppError('disk_not_found', `"${name}" has no disk ${slot}.`);
  return disk;
}

export function disksFor(plugin: VmPlugin): NonNullable<VmPlugin['disks']> {
  if (plugin.disks) return plugin.disks;
  throw wrongState(`The plugin ${plugin.name} cannot change the disks of machines.`);
}

/** What it has lost it does not look for a system in any more, also when something else gets its slot. */
export const withoutBoot = (spec: VmSpec, device: string): VmSpec =>
  spec.boot ? { ...spec, boot: spec.boot.filter((one) => one !== device) } : spec;

/** One that has lost the last of them is as if there had never been any. */
function change({ moreDisks = [], ...spec }: VmSpec, to: (before: VmDisk[]) => VmDisk[]): VmSpec {
  const disks = to(moreDisks).toSorted((a, b) => a.slot - b.slot);
  return disks.length > 0 ? { ...spec, moreDisks: disks } : spec;
}
const others = (disks: VmDisk[], slot: number): VmDisk[] => disks.filter((disk) => disk.slot !== slot);

export const withDisk = (spec: VmSpec, disk: VmDisk): VmSpec =>
  disk.slot === 1
    ? { ...spec, diskBytes: disk.sizeBytes }
    : change(spec, (before) => [...others(before, disk.slot), disk]);
export const withoutDisk = (spec: VmSpec, slot: number): VmSpec =>
  change(withoutBoot(spec, `disk-${slot}`), (before) => others(before, slot));

/** The disk as it will be; `roomBytes`: see accounts.ts. */
const promise = z.object({
  disk: z.object({ slot: z.number(), path: z.string(), sizeBytes: z.number() }),
  roomBytes: z.number(),
});
export type DiskPromise = z.infer<typeof promise>;

/** What a disk will have is promised from the beginning; that it has it is written when it is so. */
export const promisingRecord = (deps: VmDeps): RecordOwner => ({
  ...verbRecord(deps),
  begin(tx, operationId, prepared) {
    const { disk, roomBytes } = promise.parse(prepared.input);
    verbRecord(deps, (_tx, record) => {
      const diskBytes = promisedDiskBytes(withDisk(record.spec, disk));
      refuseTooLargeDisk(tx, { ...record, diskBytes }, disk.sizeBytes, roomBytes);
      changeVm(tx, record.id, { diskBytes });
    }).begin(tx, operationId, prepared);
  },
  succeed(tx, _operationId, { input, subject: { id } }) {
    const record = findVm(tx, id);
    if (record) {
      const spec = withDisk(record.spec, promise.parse(input).disk);
      changeVm(tx, id, { spec, diskBytes: promisedDiskBytes(spec) });
    }
    tell(deps, id);
  },
  takenBack(tx, _operationId, { subject: { id } }) {
    const record = findVm(tx, id);
    if (record) changeVm(tx, id, { diskBytes: promisedDiskBytes(record.spec) });
    tell(deps, id);
  },
});
