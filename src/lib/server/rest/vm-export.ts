import { randomUUID } from 'node:crypto';
import { vmExportRequest } from '$lib/shared/wire/vms';
import { EXPORT, TEMPLATE } from '../vms/kinds';
import { answer, json } from './answer';
import { readJson } from './body';
import { verb } from './vms';

const exportBody = vmExportRequest.omit({ vmId: true, imageId: true });
/** `{"name", "poolGuid", "format"}`: its disk (qcow2), or all of it (ova), becomes an image; 202 with the image's id, whose file is at `/api/v1/images/{id}/file` when it is there. */
export const postVmExport = answer(
  'operator',
  async ({ services, actor, param, event }) => {
    const { id: vmId } = services.vms.get(param('id'));
    const { poolGuid, name, format } = exportBody.parse(await readJson(event.request));
    const request = {
      ...{ vmId, name, format, imageId: randomUUID() },
      ...(poolGuid === undefined ? {} : { poolGuid }),
    };
    const operation = await services.operations.start({ kind: EXPORT, request, actor });
    return json({ success: true, imageId: operation.subject.id, operationId: operation.id }, 202, {
      location: `/api/v1/operations/${operation.id}`,
    });
  },
  { body: exportBody },
);

/** PUT makes it a template, DELETE a machine again. */
export const putVmTemplate = answer('operator', (request) => verb(request, TEMPLATE, { value: true }));
export const deleteVmTemplate = answer('operator', (request) => verb(request, TEMPLATE, { value: false }));
