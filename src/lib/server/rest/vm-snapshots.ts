/** Snapshots below `/api/v1/vms/{id}`: listed, taken, restored, deleted. */
import { z } from 'zod';
import { requestIssues } from '$lib/shared/wire/requests';
import { vmSnapshotRequest, type VmSnapshotRequest } from '$lib/shared/wire/vm-snapshots';
import { issuesError } from '../errors';
import { previewSnapshot, startSnapshot } from '../vms/snapshot-operations';
import { answer, json, type RestRequest } from './answer';
import { readJson } from './body';

const object = z.record(z.string(), z.unknown());
const confirmCode = z.string().max(200).nullish();

function requestOf({ services, param }: RestRequest, body: Record<string, unknown>): VmSnapshotRequest {
  const parsed = vmSnapshotRequest.safeParse({ ...body, vmId: services.vms.get(param('id')).id });
  if (parsed.success) return parsed.data;
  throw issuesError(requestIssues(parsed.error));
}

/** Without a confirm code, where one is needed, the refusal names it, with what is lost. */
async function start(request: RestRequest, fixed: Record<string, unknown>): Promise<Response> {
  const { services, actor, event } = request;
  const { confirmCode: code, ...body } = object.parse((await readJson(event.request)) ?? {});
  const wanted = requestOf(request, { ...body, ...fixed });
  const operation = await startSnapshot(services.operations, wanted, {
    actor,
    confirmCode: confirmCode.parse(code) ?? event.url.searchParams.get('confirmCode'),
  });
  return json({ success: true, vmId: wanted.vmId, operationId: operation.id }, 202, {
    location: `/api/v1/operations/${operation.id}`,
  });
}

export const listVmSnapshots = answer('viewer', async ({ services, param }) => {
  const { id, ...rest } = await services.vms.snapshots.read(param('id'));
  return json({ vmId: id, ...rest });
});
/** `{"name", "description"}` */
export const takeVmSnapshot = answer('operator', (request) => start(request, { verb: 'take' }));
/** `{"keepAs"}` keeps what is there now as a snapshot first; else `{"confirmCode"}`. */
export const restoreVmSnapshot = answer('operator', (request) =>
  start(request, { verb: 'restore', name: request.param('name') }),
);
export const deleteVmSnapshot = answer('operator', (request) =>
  start(request, { verb: 'delete', name: request.param('name') }),
);
/** The body of what is wanted with its `verb` (`take`, `restore`, `delete`): the plan. */
export const previewVmSnapshot = answer(
  'operator',
  async (request) => {
    const body = object.parse(await readJson(request.event.request));
    return json(await previewSnapshot(request.services.operations, requestOf(request, body)));
  },
  { body: object },
);
