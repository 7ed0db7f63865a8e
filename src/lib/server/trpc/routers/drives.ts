import { z } from 'zod';
import type { Drive, DriveHealth, DriveSample, DriveUse } from '$lib/shared/wire/drives';
import type { Operation, PlanPreview } from '$lib/shared/wire/operations';
import { blinkSeconds } from '../../drives/identify';
import { driveHistory } from '../../drives/history';
import { adminProcedure, operatorProcedure, router, viewerProcedure } from '../init';

const id = z.string().min(1).max(300);
const one = z.strictObject({ id });

export const drivesRouter = router({
  list: viewerProcedure.query(({ ctx }): Drive[] => ctx.services.drives.list()),
  /** Processes that hold something on the drive, read now. */
  use: viewerProcedure
    .input(one)
    .query(({ ctx, input }): Promise<DriveUse> => ctx.services.drives.use(input.id)),
  protect: adminProcedure
    .input(one)
    .mutation(({ ctx, input }): Drive => ctx.services.drives.protect(input.id, true)),
  unprotect: adminProcedure
    .input(one)
    .mutation(({ ctx, input }): Drive => ctx.services.drives.protect(input.id, false)),
  /** Not to be offered for a new pool. */
  setAside: operatorProcedure
    .input(one.extend({ why: z.string().trim().min(1).max(200).default('somebody set it aside.') }))
    .mutation(({ ctx, input }): Drive => ctx.services.drives.setAside(input.id, input.why)),
  /** Trusted again. */
  release: operatorProcedure
    .input(one)
    .mutation(({ ctx, input }): Drive => ctx.services.drives.setAside(input.id, null)),
  setBayLabel: operatorProcedure
    .input(z.strictObject({ id, label: z.string().trim().max(32).nullable() }))
    .mutation(({ ctx, input }): Drive => ctx.services.drives.setBayLabel(input.id, input.label)),
  addSandbox: operatorProcedure
    .input(
      z.strictObject({
        count: z.number().int().min(1).max(32),
        sizeBytes: z
          .number()
          .int()
          .min(64 * 1024 ** 2)
          .max(64 * 1024 ** 4),
      }),
    )
    .mutation(({ ctx, input }): Promise<Operation> =>
      ctx.services.operations.start({ kind: 'sandbox.create-drives', request: input, actor: ctx.actor }),
    ),
  /** What would be lost, and the code that confirms it. */
  previewRemoveSandbox: operatorProcedure
    .input(one)
    .query(({ ctx, input }): Promise<PlanPreview> =>
      ctx.services.operations.preview('sandbox.remove-drive', { driveId: input.id }),
    ),
  removeSandbox: operatorProcedure
    .input(one.extend({ confirmCode: z.string().max(200).nullish() }))
    .mutation(({ ctx, input }): Promise<Operation> =>
      ctx.services.operations.start({
        kind: 'sandbox.remove-drive',
        request: { driveId: input.id },
        actor: ctx.actor,
        confirmCode: input.confirmCode ?? null,
      }),
    ),
  startSelfTest: operatorProcedure
    .input(one.extend({ kind: z.enum(['short', 'long']) }))
    .mutation(({ ctx, input }): Promise<Operation> =>
      ctx.services.operations.start({
        kind: 'drive.self-test',
        request: { driveId: input.id, kind: input.kind },
        actor: ctx.actor,
      }),
    ),
  /** Its light blinks until the operation is cancelled, five minutes at most. */
  identify: operatorProcedure
    .input(one.extend({ seconds: blinkSeconds.optional() }))
    .mutation(({ ctx, input: { id, ...rest } }): Promise<Operation> =>
      ctx.services.operations.start({
        kind: 'drive.identify',
        request: { driveId: id, ...rest },
        actor: ctx.actor,
      }),
    ),
  /** What would be wiped, and the code that confirms it. */
  previewWipe: operatorProcedure
    .input(one)
    .query(({ ctx, input }): Promise<PlanPreview> =>
      ctx.services.operations.preview('drive.wipe', { driveId: input.id }),
    ),
  wipe: operatorProcedure
    .input(one.extend({ confirmCode: z.string().max(200).nullish() }))
    .mutation(({ ctx, input }): Promise<Operation> =>
      ctx.services.operations.start({
        kind: 'drive.wipe',
        request: { driveId: input.id },
        actor: ctx.actor,
        confirmCode: input.confirmCode ?? null,
      }),
    ),
  restoreWipe: operatorProcedure
    .input(z.strictObject({ backupId: z.uuid() }))
    .mutation(({ ctx, input }): Promise<Operation> =>
      ctx.services.operations.start({ kind: 'drive.restore-wipe', request: input, actor: ctx.actor }),
    ),
  /** Reads what is on one drive or on all, also if that wakes them. */
  refresh: operatorProcedure
    .input(z.strictObject({ id: id.optional() }).optional())
    .mutation(async ({ ctx, input }): Promise<{ ok: true }> => {
      const { drives } = ctx.services;
      const name = input?.id === undefined ? null : drives.get(input.id).kernelName;
      await drives.refresh(name === null ? undefined : [name]);
      if (input?.id !== undefined) await ctx.services.driveHealth.read(input.id);
      return { ok: true };
    }),
  /** Points of the last days, oldest first. New ones come with the feed. */
  history: viewerProcedure
    .input(one.extend({ days: z.number().int().min(1).max(800) }))
    .query(({ ctx, input }): DriveSample[] => driveHistory(ctx.services, input.id, input.days)),
  /** Asks the drive about its health now; one that sleeps sleeps on. */
  readHealth: operatorProcedure.input(one).mutation(async ({ ctx, input }): Promise<DriveHealth> => {
    const { id: driveId } = ctx.services.drives.get(input.id);
    await ctx.services.driveHealth.read(driveId);
    return ctx.services.driveHealth.of(driveId);
  }),
});
