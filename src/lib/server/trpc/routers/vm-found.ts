/** Machines that somebody else has made: found, taken over, given up again; part of the router of machines. */
import type { Operation, PlanPreview, PreviewResult } from '$lib/shared/wire/operations';
import { vmAdoptRequest, type FoundVms } from '$lib/shared/wire/vm-found';
import { vmRequest } from '$lib/shared/wire/vms';
import { ADOPT, RELEASE } from '../../vms/kinds';
import { operatorProcedure, viewerProcedure } from '../init';
import { previewOf } from '../preview';

export const vmFoundProcedures = {
  /** Read from the engines now. */
  found: viewerProcedure.query(({ ctx }): Promise<FoundVms> => ctx.services.vms.found.read()),
  /** All of them, and again when they have changed, as long as somebody looks. */
  onFound: viewerProcedure.subscription(({ ctx, signal }) => ctx.services.vms.found.follow(signal)),
  /** Everything that is wrong with it, or the plan; changes nothing. */
  previewAdopt: operatorProcedure
    .input(vmAdoptRequest)
    .mutation(({ ctx, input }): Promise<PreviewResult> =>
      previewOf(() => ctx.services.operations.preview(ADOPT, { ...input })),
    ),
  /** It gets a record, and goes on as it is. */
  adopt: operatorProcedure
    .input(vmAdoptRequest)
    .mutation(({ ctx, input }): Promise<Operation> =>
      ctx.services.operations.start({ kind: ADOPT, request: { ...input }, actor: ctx.actor }),
    ),
  previewRelease: operatorProcedure
    .input(vmRequest)
    .query(({ ctx, input }): Promise<PlanPreview> => ctx.services.operations.preview(RELEASE, input)),
  /** Its record goes, and nothing else of it. */
  release: operatorProcedure
    .input(vmRequest)
    .mutation(({ ctx, input }): Promise<Operation> =>
      ctx.services.operations.start({ kind: RELEASE, request: input, actor: ctx.actor }),
    ),
};
