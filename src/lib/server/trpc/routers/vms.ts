import { z } from 'zod';
import type { Operation, PlanPreview, PreviewResult } from '$lib/shared/wire/operations';
import { consoleRequest, type ConsoleTicket } from '$lib/shared/wire/consoles';
import { vmHostStop } from '$lib/shared/wire/vm-host-stop';
import { VM_SAMPLE_RANGES, type VmUsageSample } from '$lib/shared/wire/vm-usage';
import { vmAutostart, vmLabels } from '$lib/shared/wire/vm-settings';
import type { VmHost } from '$lib/shared/wire/vm-host';
import {
  vmCloneRequest,
  vmCreateRequest,
  vmExportRequest,
  vmRemoveRequest,
  vmRequest,
  vmResizeRequest,
  vmStopRequest,
  vmTemplateRequest,
  vmWaitRequest,
  type Vm,
  type VmCloudInit,
} from '$lib/shared/wire/vms';
import { cloneVm, createVm, previewVm, retryVm } from '../../vms/operations';
import {
  CLONE,
  DISCARD,
  EXPORT,
  PAUSE,
  REMOVE,
  RESET,
  RESIZE,
  RESUME,
  SAVE,
  START,
  STOP,
  TEMPLATE,
} from '../../vms/kinds';
import { waitForVm } from '../../vms/wait';
import { adminProcedure, operatorProcedure, router, viewerProcedure } from '../init';
import { confirmCode, previewOf } from '../preview';
import { vmFoundProcedures } from './vm-found';
import { vmHardwareProcedures } from './vm-hardware';

const one = z.strictObject({ id: z.string().min(1).max(200) });

export const vmsRouter = router({
  ...vmHardwareProcedures,
  ...vmFoundProcedures,
  list: viewerProcedure.query(({ ctx }): Vm[] => ctx.services.vms.list()),
  get: viewerProcedure.input(one).query(({ ctx, input }): Vm => ctx.services.vms.get(input.id)),
  /** Starts a machine without a disk, to see whether the processor helps; nothing stays of it. */
  tryOut: operatorProcedure.mutation(({ ctx }): Promise<VmHost> => ctx.services.vms.tryOut()),
  /** Everything that is wrong with it, or the plan; makes nothing. */
  preview: operatorProcedure
    .input(vmCreateRequest)
    .mutation(({ ctx, input }): Promise<PreviewResult> => previewOf(() => previewVm(ctx.services, input))),
  /** Asked twice with the same id, it is the same machine. */
  create: operatorProcedure
    .input(vmCreateRequest)
    .mutation(({ ctx, input }): Promise<Operation> => createVm(ctx.services, input, ctx.actor)),
  /** A machine that begins as another one is; the plan, and the act. */
  previewClone: operatorProcedure
    .input(vmCloneRequest)
    .mutation(({ ctx, input }): Promise<PreviewResult> =>
      previewOf(() => ctx.services.operations.preview(CLONE, input)),
    ),
  clone: operatorProcedure
    .input(vmCloneRequest)
    .mutation(({ ctx, input }): Promise<Operation> => cloneVm(ctx.services, input, ctx.actor)),
  /** Its disk as an image; the plan, and the act. */
  previewExport: operatorProcedure
    .input(vmExportRequest)
    .mutation(({ ctx, input }): Promise<PreviewResult> =>
      previewOf(() => ctx.services.operations.preview(EXPORT, { ...input })),
    ),
  export: operatorProcedure
    .input(vmExportRequest)
    .mutation(({ ctx, input }): Promise<Operation> =>
      ctx.services.operations.start({ kind: EXPORT, request: { ...input }, actor: ctx.actor }),
    ),
  /** Whether it is a template, which is never started. */
  template: operatorProcedure
    .input(vmTemplateRequest)
    .mutation(({ ctx, input }): Promise<Operation> =>
      ctx.services.operations.start({ kind: TEMPLATE, request: input, actor: ctx.actor }),
    ),
  /** A creation that failed, once more. */
  retry: operatorProcedure
    .input(vmRequest)
    .mutation(({ ctx, input }): Promise<Operation> => retryVm(ctx.services, input.vmId, ctx.actor)),
  start: operatorProcedure
    .input(vmRequest)
    .mutation(({ ctx, input }): Promise<Operation> =>
      ctx.services.operations.start({ kind: START, request: input, actor: ctx.actor }),
    ),
  /** With time to shut down, and then by force. */
  stop: operatorProcedure
    .input(vmStopRequest)
    .mutation(({ ctx, input }): Promise<Operation> =>
      ctx.services.operations.start({ kind: STOP, request: input, actor: ctx.actor }),
    ),
  reset: operatorProcedure
    .input(vmRequest)
    .mutation(({ ctx, input }): Promise<Operation> =>
      ctx.services.operations.start({ kind: RESET, request: input, actor: ctx.actor }),
    ),
  /** What one machine uses, or all of them: the last minutes first, then every two seconds. */
  onUsage: viewerProcedure
    .input(z.strictObject({ id: z.string().min(1).max(200).nullable() }))
    .subscription(({ ctx, input, signal }) => {
      const id = input.id === null ? null : ctx.services.vms.get(input.id).id;
      return ctx.services.vms.usages.follow(id, signal);
    }),
  /** What it used: averages of five minutes or more, oldest first. */
  usageHistory: viewerProcedure
    .input(z.strictObject({ id: z.string().min(1).max(200), range: z.enum(VM_SAMPLE_RANGES) }))
    .query(({ ctx, input: { id, range } }): VmUsageSample[] =>
      ctx.services.vms.usageHistory.range(ctx.services.vms.get(id).id, range),
    ),
  /** The files of its seed; a password is in none of them. */
  cloudInit: viewerProcedure
    .input(one)
    .query(({ ctx, input }): Promise<VmCloudInit> => ctx.services.vms.cloudInit(input.id)),
  /** What its engine keeps of it, to be read. */
  definition: viewerProcedure
    .input(one)
    .query(async ({ ctx, input }) => ({ definition: await ctx.services.vms.definition(input.id) })),
  /** A line for each thing that happens until it is on, or has an address; the last one says how it ended. */
  onWait: viewerProcedure.input(vmWaitRequest).subscription(({ ctx, input, signal }) => {
    const { id } = ctx.services.vms.get(input.vmId);
    return waitForVm(ctx.services, { ...input, vmId: id }, signal);
  }),
  /** Opens a console once, by a socket; looks first whether there is one now. */
  openConsole: operatorProcedure
    .input(consoleRequest)
    .mutation(({ ctx, input }): Promise<ConsoleTicket> => ctx.services.consoles.ticket(ctx.actor, input)),
  /** It stands still and keeps its memory. */
  pause: operatorProcedure
    .input(vmRequest)
    .mutation(({ ctx, input }): Promise<Operation> =>
      ctx.services.operations.start({ kind: PAUSE, request: input, actor: ctx.actor }),
    ),
  resume: operatorProcedure
    .input(vmRequest)
    .mutation(({ ctx, input }): Promise<Operation> =>
      ctx.services.operations.start({ kind: RESUME, request: input, actor: ctx.actor }),
    ),
  /** It goes off with its memory kept; `start` lets it go on. */
  save: operatorProcedure
    .input(vmRequest)
    .mutation(({ ctx, input }): Promise<Operation> =>
      ctx.services.operations.start({ kind: SAVE, request: input, actor: ctx.actor }),
    ),
  /** What was kept goes: it starts anew. */
  discardMemory: operatorProcedure
    .input(vmRequest)
    .mutation(({ ctx, input }): Promise<Operation> =>
      ctx.services.operations.start({ kind: DISCARD, request: input, actor: ctx.actor }),
    ),
  /** CPUs and memory of one that is off. */
  resize: operatorProcedure
    .input(vmResizeRequest)
    .mutation(({ ctx, input }): Promise<Operation> =>
      ctx.services.operations.start({ kind: RESIZE, request: input, actor: ctx.actor }),
    ),
  /** Against being removed. */
  protect: adminProcedure.input(vmRequest.extend({ value: z.boolean() })).mutation(({ ctx, input }): Vm => {
    ctx.services.vms.protect(input.vmId, input.value);
    return ctx.services.vms.get(input.vmId);
  }),
  /** Counts from the next start of the host on. */
  setAutostart: operatorProcedure
    .input(vmRequest.extend({ autostart: vmAutostart }))
    .mutation(({ ctx, input }): Vm => {
      ctx.services.vms.setAutostart(input.vmId, input.autostart);
      return ctx.services.vms.get(input.vmId);
    }),
  /** What becomes of it when the host goes down. */
  setHostStop: operatorProcedure
    .input(vmRequest.extend({ hostStop: vmHostStop }))
    .mutation(({ ctx, input }): Vm => {
      ctx.services.vms.setHostStop(input.vmId, input.hostStop);
      return ctx.services.vms.get(input.vmId);
    }),
  /** Tags and notes of people. */
  label: operatorProcedure.input(vmRequest.extend(vmLabels.shape)).mutation(({ ctx, input }): Vm => {
    const { vmId, ...labels } = input;
    ctx.services.vms.label(vmId, labels);
    return ctx.services.vms.get(vmId);
  }),
  /** Names each file that goes. */
  previewRemove: operatorProcedure
    .input(vmRemoveRequest)
    .query(({ ctx, input }): Promise<PlanPreview> => ctx.services.operations.preview(REMOVE, input)),
  remove: operatorProcedure
    .input(vmRemoveRequest.extend({ confirmCode }))
    .mutation(({ ctx, input: { confirmCode: code, ...request } }): Promise<Operation> =>
      ctx.services.operations.start({ kind: REMOVE, request, actor: ctx.actor, confirmCode: code ?? null }),
    ),
});
