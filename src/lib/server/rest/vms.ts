import { z } from 'zod';
import type { JsonObject } from '$lib/shared/json';
import type { Operation } from '$lib/shared/wire/operations';
import { consoleRequest } from '$lib/shared/wire/consoles';
import { CONSOLE_PATH, CONSOLE_PROTOCOL } from '$lib/shared/console-protocol';
import { vmHostStop } from '$lib/shared/wire/vm-host-stop';
import { USAGE_EVERY_MS, VM_SAMPLE_RANGES } from '$lib/shared/wire/vm-usage';
import { vmAutostart, vmLabels } from '$lib/shared/wire/vm-settings';
import {
  vmCloneRequest,
  vmCreateRequest,
  vmResizeRequest,
  vmStopRequest,
  vmWaitRequest,
} from '$lib/shared/wire/vms';
import { randomUUID } from 'node:crypto';
import { AppError } from '../errors';
import { DISCARD, PAUSE, REMOVE, RESET, RESIZE, RESUME, SAVE, START, STOP } from '../vms/kinds';
import { cloneVm, createVm, previewVm, retryVm } from '../vms/operations';
import { waitForVm } from '../vms/wait';
import { answer, json, lines, type RestRequest } from './answer';
import { readJson } from './body';

export const listVms = answer('viewer', ({ services }) => json({ vms: services.vms.list() }));
export const getVm = answer('viewer', ({ services, param }) => json(services.vms.get(param('id'))));

/** 202: what was asked for is on disk and goes on by itself; its operation tells how far it is. */
export const begun = (operation: Operation): Response =>
  json({ success: true, vmId: operation.subject.id, operationId: operation.id }, 202, {
    location: `/api/v1/operations/${operation.id}`,
  });

export const postVm = answer(
  'operator',
  async ({ services, actor, event }) =>
    begun(await createVm(services, vmCreateRequest.parse(await readJson(event.request)), actor)),
  { body: vmCreateRequest },
);
export const previewVmPlan = answer(
  'operator',
  async ({ services, event }) =>
    json(await previewVm(services, vmCreateRequest.parse(await readJson(event.request)))),
  { body: vmCreateRequest },
);
export const retryCreation = answer('operator', async ({ services, actor, param }) =>
  begun(await retryVm(services, param('id'), actor)),
);

const cloneBody = vmCloneRequest.omit({ vmId: true, cloneId: true }).extend({
  id: vmCloneRequest.shape.cloneId.optional(),
});
/** `{"name", "poolGuid", "id"}`: of the clone; asked twice with the same `id`, it is the same one. */
export const postVmClone = answer(
  'operator',
  async ({ services, actor, param, event }) => {
    const { id = randomUUID(), ...rest } = cloneBody.parse(await readJson(event.request));
    const { id: vmId } = services.vms.get(param('id'));
    return begun(await cloneVm(services, { vmId, cloneId: id, ...rest }, actor));
  },
  { body: cloneBody },
);

/** Begins what is done to the machine of the path. */
export async function verb(
  { services, actor, param }: RestRequest,
  kind: string,
  more: JsonObject = {},
  confirmCode: string | null = null,
): Promise<Response> {
  const { id } = services.vms.get(param('id'));
  return begun(await services.operations.start({ kind, request: { vmId: id, ...more }, actor, confirmCode }));
}
export const confirmBody = z.object({ confirmCode: z.string().max(200).nullish() });
/** Of what destroys something: in the body, or as `?confirmCode=`. */
export async function codeOf({ event }: RestRequest): Promise<string | null> {
  const { confirmCode } = confirmBody.parse((await readJson(event.request)) ?? {});
  return confirmCode ?? event.url.searchParams.get('confirmCode');
}
const stopBody = vmStopRequest.pick({ graceSeconds: true });
const sizeBody = vmResizeRequest.omit({ vmId: true });

export const startVm = answer('operator', (request) => verb(request, START));
export const stopVm = answer(
  'operator',
  async (request) => verb(request, STOP, stopBody.parse((await readJson(request.event.request)) ?? {})),
  { body: stopBody },
);
export const resetVm = answer('operator', (request) => verb(request, RESET));
export const pauseVm = answer('operator', (request) => verb(request, PAUSE));
export const resumeVm = answer('operator', (request) => verb(request, RESUME));
export const saveVm = answer('operator', (request) => verb(request, SAVE));
export const discardVmMemory = answer('operator', (request) => verb(request, DISCARD));
export const resizeVm = answer(
  'operator',
  async (request) => verb(request, RESIZE, sizeBody.parse(await readJson(request.event.request))),
  { body: sizeBody },
);
const removeQuery = z.object({ forGood: z.stringbool().default(false) });
/** It is kept for a while; `?forGood=true` deletes it at once, with the confirm code that the refusal names. */
export const removeVm = answer(
  'operator',
  async (request) => {
    const { forGood } = removeQuery.parse(Object.fromEntries(request.event.url.searchParams));
    return verb(request, REMOVE, { forGood }, await codeOf(request));
  },
  { body: confirmBody, query: removeQuery },
);

/** A rate needs two readings. */
const USAGE_WAIT_MS = 4 * USAGE_EVERY_MS;
const consoleBody = consoleRequest.pick({ kind: true });
/** A ticket is offered as `ticket-<ticket>` beside the protocol, never in the address. */
export const openConsole = answer(
  'operator',
  async ({ services, actor, param, event }) => {
    const { kind } = consoleBody.parse((await readJson(event.request)) ?? {});
    const ticket = await services.consoles.ticket(actor, { vmId: param('id'), kind });
    return json({ success: true, ...ticket, path: CONSOLE_PATH, protocol: CONSOLE_PROTOCOL });
  },
  { body: consoleBody },
);

const usageQuery = z.object({ range: z.enum(['now', ...VM_SAMPLE_RANGES]).default('now') });
/** `?range=day`: averages of what it used. The samples of the last minutes without it; when nobody looks at the machine, one that is taken for it. */
export const getVmUsage = answer(
  'viewer',
  async ({ services, param, event }) => {
    const { id, name, state } = services.vms.get(param('id'));
    const { range } = usageQuery.parse(Object.fromEntries(event.url.searchParams));
    if (range !== 'now') return json({ samples: services.vms.usageHistory.range(id, range) });
    if (state !== 'running' && state !== 'paused')
      throw new AppError('vm_not_running', `"${name}" is not on.`);
    const signal = AbortSignal.any([event.request.signal, AbortSignal.timeout(USAGE_WAIT_MS)]);
    for await (const update of services.vms.usages.follow(id, signal))
      return json({ samples: update[id] ?? [] });
    return json({ samples: [] });
  },
  { query: usageQuery },
);

/** A JSON object a line (application/x-ndjson), as things happen; the last one says how it ended in `end`. */
export const waitForMachine = answer('viewer', ({ services, param, event }) => {
  const request = vmWaitRequest.parse({
    vmId: param('id'),
    ...Object.fromEntries(event.url.searchParams),
  });
  services.vms.get(request.vmId);
  return lines(waitForVm(services, request, event.request.signal));
});

/** PUT protects it against being removed, DELETE takes that away. */
const protection = (value: boolean) =>
  answer('admin', ({ services, param }) => {
    services.vms.protect(param('id'), value);
    return json(services.vms.get(param('id')));
  });
export const putVmProtection = protection(true);
export const deleteVmProtection = protection(false);

/** `{"on", "order", "delaySeconds"}`; counts from the next start of the host on. */
export const putVmAutostart = answer(
  'operator',
  async ({ services, param, event }) => {
    services.vms.setAutostart(param('id'), vmAutostart.parse(await readJson(event.request)));
    return json(services.vms.get(param('id')));
  },
  { body: vmAutostart },
);

/** `{"seconds", "otherwise", "startsAgain"}`: what is left out is as of a machine of which nobody has said anything. */
export const putVmHostStop = answer(
  'operator',
  async ({ services, param, event }) => {
    services.vms.setHostStop(param('id'), vmHostStop.parse(await readJson(event.request)));
    return json(services.vms.get(param('id')));
  },
  { body: vmHostStop },
);

/** `{"tags", "notes"}`: what is left out is emptied. */
export const putVmLabels = answer(
  'operator',
  async ({ services, param, event }) => {
    services.vms.label(param('id'), vmLabels.parse(await readJson(event.request)));
    return json(services.vms.get(param('id')));
  },
  { body: vmLabels },
);

/** `{"files"}`: what cloud-init was told of it, without a password. */
export const getVmCloudInit = answer('viewer', async ({ services, param }) =>
  json(await services.vms.cloudInit(param('id'))),
);

/** `{"definition"}`: what its engine keeps of it, to be read. */
export const getVmDefinition = answer('viewer', async ({ services, param }) =>
  json({ definition: await services.vms.definition(param('id')) }),
);
