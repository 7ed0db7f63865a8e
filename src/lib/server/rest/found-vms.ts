import { vmAdoptRequest } from '$lib/shared/wire/vm-found';
import { ADOPT, RELEASE } from '../vms/kinds';
import { answer, json } from './answer';
import { begun, verb } from './vms';

/** Machines that engines know and the records do not. */
export const listFoundVms = answer('viewer', async ({ services }) => json(await services.vms.found.read()));

export const previewVmAdoption = answer('operator', async ({ services, param }) =>
  json(await services.operations.preview(ADOPT, { ...vmAdoptRequest.parse({ vmId: param('id') }) })),
);
export const adoptVm = answer('operator', async ({ services, actor, param }) => {
  const request = { ...vmAdoptRequest.parse({ vmId: param('id') }) };
  return begun(await services.operations.start({ kind: ADOPT, request, actor }));
});
/** Its record goes, and nothing else of it. */
export const releaseVm = answer('operator', (request) => verb(request, RELEASE));
