import { z } from 'zod';
import type { JsonObject } from '$lib/shared/json';
import type { Image, ImageLook } from '$lib/shared/wire/images';
import type { Operation, PlanPreview, PreviewResult } from '$lib/shared/wire/operations';
import { downloadRequest } from '$lib/shared/wire/requests';
import { DOWNLOAD, REMOVE } from '../../images/define';
import { downloadImage } from '../../images/operations';
import { previewOf } from '../preview';
import { operatorProcedure, router, viewerProcedure } from '../init';

const one = z.strictObject({ id: z.string().min(1).max(200) });

export const imagesRouter = router({
  /** Downloaded ones and what the catalog offers besides. */
  list: viewerProcedure.query(({ ctx }): Image[] => ctx.services.images.list()),
  get: viewerProcedure.input(one).query(({ ctx, input }): Image => ctx.services.images.get(input.id)),
  /** Asks the server for size and checksum; downloads nothing. */
  previewDownload: operatorProcedure
    .input(downloadRequest)
    .mutation(({ ctx, input }): Promise<PreviewResult> =>
      previewOf(() =>
        ctx.services.operations.preview(DOWNLOAD, JSON.parse(JSON.stringify(input)) as JsonObject),
      ),
    ),
  /** Asked twice for the same, it is the same download. */
  download: operatorProcedure
    .input(downloadRequest)
    .mutation(({ ctx, input }): Promise<Operation> => downloadImage(ctx.services, input, ctx.actor)),
  previewRemove: operatorProcedure
    .input(one)
    .query(({ ctx, input }): Promise<PlanPreview> =>
      ctx.services.operations.preview(REMOVE, { imageId: input.id }),
    ),
  remove: operatorProcedure
    .input(one)
    .mutation(({ ctx, input }): Promise<Operation> =>
      ctx.services.operations.start({ kind: REMOVE, request: { imageId: input.id }, actor: ctx.actor }),
    ),
  /** Searches every mounted pool for images that somebody put there. */
  look: operatorProcedure.mutation(({ ctx }): Promise<ImageLook> => ctx.services.images.lookAgain()),
  /** Takes a found image off the list. Its file stays. */
  forget: operatorProcedure.input(one).mutation(({ ctx, input }): { ok: true } => {
    ctx.services.images.forget(input.id);
    return { ok: true };
  }),
});
