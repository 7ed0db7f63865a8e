/** Another CD in the drive of a machine, or none; at once when it is on. */
import { z } from 'zod';
import type { JsonObject } from '$lib/shared/json';
import type { Image } from '$lib/shared/wire/images';
import { vmCdRequest } from '$lib/shared/wire/vms';
import { AppError, issuesError } from '../errors';
import { usesLock } from '../operations/locks';
import type { Prepared, RecordOwner } from '../operations/types';
import { imageIssues } from './check-request';
import type { VmDeps } from './deps';
import { refuseBetween, refuseUnknown } from './hardware-rules';
import { reachIssues } from './place';
import { tell, verbRecord } from './records';
import { changeVm, findVm } from './store';
import { isOff, parse, prepared, recordOf, statusNow, wrongState } from './verb';

/** @throws AppError image_not_found | image_not_ready | image_no_cd | folder_not_reachable */
async function cdOf({ images, config }: VmDeps, imageId: string): Promise<Image & { path: string }> {
  const image = images.list().find(({ id }) => id === imageId) ?? null;
  const issues = imageIssues(image, imageId);
  if (!image || image.path === null || issues.length > 0) throw issuesError(issues);
  const { path, name } = image;
  if (image.format !== 'iso') throw new AppError('image_no_cd', `"${name}" is no ISO image.`);
  const unreachable = config.sandbox ? [] : await reachIssues(path, 'imageId');
  if (unreachable.length > 0) throw issuesError(unreachable);
  return { ...image, path };
}

export async function prepareChangeCd(deps: VmDeps, request: JsonObject): Promise<Prepared> {
  const { vmId, imageId } = parse(vmCdRequest, request);
  const record = recordOf(deps.db, vmId);
  const { name, spec } = record;
  const plugin = deps.plugins.vm(record.plugin);
  if (!plugin.cd) throw wrongState(`The plugin ${plugin.name} cannot change CDs.`);
  const image = imageId === null ? null : await cdOf(deps, imageId);
  const status = await statusNow(deps, record);
  refuseBetween(name, status);
  refuseUnknown(record, plugin, status);
  const drive = await deps.plugins.vmCdDrive(plugin.id, spec);
  if (!drive && !isOff(status))
    throw new AppError('cd_drive_missing', `"${name}" is on, and was made without a drive for CDs.`);
  const path = image?.path ?? null;
  const steps = plugin.cd.change(spec, path, drive, !isOff(status));
  if (steps.length === 0 && path === spec.cdPath)
    throw wrongState(
      image ? `"${image.name}" is in the drive of "${name}" already.` : `The drive of "${name}" is empty.`,
    );
  return prepared(plugin, record, {
    title: image ? `Put ${image.name} into the drive of ${name}` : `Empty the drive of ${name}`,
    steps,
    locks: image
      ? [usesLock(`image:${image.id}`), ...(image.pool ? [usesLock(`pool:${image.pool.guid}`)] : [])]
      : [],
    more: { cdPath: path },
  });
}

const changeInput = z.object({ cdPath: z.string().nullable() });

export const cdRecord = (deps: VmDeps): RecordOwner => ({
  ...verbRecord(deps),
  succeed(tx, _operationId, { input, subject: { id } }) {
    const record = findVm(tx, id);
    if (record) changeVm(tx, id, { spec: { ...record.spec, cdPath: changeInput.parse(input).cdPath } });
    tell(deps, id);
  },
});
