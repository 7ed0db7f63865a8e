/** Machines that were removed, below `/api/v1/removed-vms`: listed, brought back, deleted for good. */
import { removedVmSettings } from '$lib/shared/wire/removed-vms';
import { BRING_BACK, EMPTY } from '../vms/kinds';
import { answer, json } from './answer';
import { readJson } from './body';
import { begun, codeOf, confirmBody } from './vms';

/** `{"machines", "keepDays"}` */
export const listRemovedVms = answer('viewer', ({ services }) => json(services.vms.removed.list()));
export const getRemovedVm = answer('viewer', ({ services, param }) =>
  json(services.vms.removed.get(param('id'))),
);
export const bringBackVm = answer('operator', async ({ services, actor, param }) => {
  const { id } = services.vms.removed.get(param('id'));
  return begun(await services.operations.start({ kind: BRING_BACK, request: { vmId: id }, actor }));
});
/** Without a confirm code the refusal names it, with what is lost. */
export const emptyRemovedVm = answer(
  'operator',
  async (request) => {
    const { services, actor, param } = request;
    const { id } = services.vms.removed.get(param('id'));
    const confirmCode = await codeOf(request);
    return begun(await services.operations.start({ kind: EMPTY, request: { vmId: id }, actor, confirmCode }));
  },
  { body: confirmBody },
);
/** `{"keepDays"}`: counts for what is removed from then on. */
export const putRemovedVmSettings = answer(
  'admin',
  async ({ services, event }) => {
    services.vms.removed.setKeepDays(removedVmSettings.parse(await readJson(event.request)).keepDays);
    return json(services.vms.removed.list());
  },
  { body: removedVmSettings },
);
