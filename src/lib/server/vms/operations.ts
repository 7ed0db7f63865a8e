/** Asking for a machine: the password is taken out of what is written down, and asking twice is asking once. */
import { randomUUID } from 'node:crypto';
import type { JsonObject } from '$lib/shared/json';
import { guestPasswordIssues } from '$lib/shared/vm-rules';
import type { Operation, PlanPreview } from '$lib/shared/wire/operations';
import type { Actor } from '$lib/shared/wire/session';
import type { VmCloneRequest, VmCreateRequest, VmPlanRequest } from '$lib/shared/wire/vms';
import { AppError, issuesError } from '../errors';
import type { Operations } from '../operations/types';
import { CLONE, CREATE } from './kinds';
import type { Vms } from './vm';

interface VmServices {
  vms: Vms;
  operations: Operations;
}

function withoutPassword(request: VmCreateRequest): {
  plan: VmPlanRequest;
  password: string | undefined;
} {
  const { cloudInit, ...rest } = request;
  const id = request.id ?? randomUUID();
  if (!cloudInit) return { plan: { ...rest, id }, password: undefined };
  const { password, ...login } = cloudInit;
  if (password !== undefined) {
    const issues = guestPasswordIssues(password);
    if (issues.length > 0) throw issuesError(issues);
  }
  return { plan: { ...rest, id, cloudInit: { ...login, hasPassword: password !== undefined } }, password };
}
const asJson = (plan: VmPlanRequest): JsonObject => JSON.parse(JSON.stringify(plan)) as JsonObject;

export const previewVm = ({ operations }: VmServices, request: VmCreateRequest): Promise<PlanPreview> =>
  operations.preview(CREATE, asJson(withoutPassword(request).plan));

const recordOf = (vms: Vms, id: string) => vms.list().find((vm) => vm.id === id) ?? null;

/** Who asks for what is being asked for already gets the same answer. */
export async function createVm(
  services: VmServices,
  request: VmCreateRequest,
  actor: Actor,
): Promise<Operation> {
  const { asking } = services.vms;
  const { plan, password } = withoutPassword(request);
  const before = asking.get(plan.id);
  if (before) return before;
  const now = begin(services, plan, password, actor).finally(() => asking.delete(plan.id));
  asking.set(plan.id, now);
  return now;
}

async function begin(
  { vms, operations }: VmServices,
  plan: VmPlanRequest,
  password: string | undefined,
  actor: Actor,
): Promise<Operation> {
  const there = recordOf(vms, plan.id);
  if (there && there.state !== 'failed-to-start') {
    const asked = operations.latest(CREATE, plan.id);
    if (asked && there.name === plan.name) return asked;
    throw new AppError('vm_wrong_state', `The machine "${there.name}" has this id.`);
  }
  if (password !== undefined && plan.cloudInit)
    await vms.secrets.keep(plan.id, plan.cloudInit.user, password);
  try {
    return await operations.start({ kind: CREATE, request: asJson(plan), actor });
  } catch (error) {
    if (!recordOf(vms, plan.id)) await vms.secrets.drop(plan.id);
    throw error;
  }
}

/** Who asks for what is being asked for already gets the same answer. */
export async function cloneVm(
  { vms, operations }: VmServices,
  request: VmCloneRequest,
  actor: Actor,
): Promise<Operation> {
  const there = recordOf(vms, request.cloneId);
  if (there && there.state !== 'failed-to-start') {
    const asked = operations.latest(CLONE, there.id);
    if (asked && there.name === request.name) return asked;
    throw new AppError('vm_wrong_state', `The machine "${there.name}" has this id.`);
  }
  return operations.start({
    kind: CLONE,
    request: JSON.parse(JSON.stringify(request)) as JsonObject,
    actor,
  });
}

/** The creation that failed, once more, from the request as it was kept. */
export async function retryVm({ vms, operations }: VmServices, id: string, actor: Actor): Promise<Operation> {
  const vm = vms.get(id);
  if (vm.state !== 'failed-to-start' || vm.failedOperationId === null)
    throw new AppError('vm_wrong_state', `The creation of "${vm.name}" did not fail.`);
  return operations.retry(vm.failedOperationId, actor);
}
