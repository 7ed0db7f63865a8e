import { z } from 'zod';
import type { JsonObject } from '$lib/shared/json';
import type { CatalogRefresh, Image, ImageLook, UploadState } from '$lib/shared/wire/images';
import type { Operation, PlanPreview, PreviewResult } from '$lib/shared/wire/operations';
import {
  catalogEntryRequest,
  convertRequest,
  downloadRequest,
  uploadFinish,
  uploadRequest,
  type CatalogEntryRequest,
} from '$lib/shared/wire/requests';
import { CONVERT, DOWNLOAD, REMOVE, UPLOAD } from '../../images/define';
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
  /** To qcow2, beside it; the source stays. */
  convert: operatorProcedure.input(convertRequest).mutation(({ ctx, input }): Promise<Operation> =>
    ctx.services.operations.start({
      kind: CONVERT,
      request: JSON.parse(JSON.stringify(input)) as JsonObject,
      actor: ctx.actor,
    }),
  ),
  /** Its bytes are then sent to /api/v1/images/{id}/content, a piece at a time. */
  upload: operatorProcedure
    .input(uploadRequest)
    .mutation(({ ctx, input }): Promise<Operation> =>
      ctx.services.operations.start({ kind: UPLOAD, request: input, actor: ctx.actor }),
    ),
  uploadState: operatorProcedure
    .input(one)
    .query(({ ctx, input }): UploadState => ctx.services.images.uploads.state(input.id)),
  /** All of it was sent: it is compared with this checksum and gets its name. */
  finishUpload: operatorProcedure
    .input(one.extend(uploadFinish.shape))
    .mutation(({ ctx, input }): { ok: true } => {
      ctx.services.images.uploads.finish(input.id, input.sha256);
      return { ok: true };
    }),
  /** An entry of the catalog that somebody made here, as it is edited. */
  entry: operatorProcedure
    .input(one)
    .query(({ ctx, input }): CatalogEntryRequest =>
      catalogEntryRequest.strip().parse(ctx.services.images.catalog.get(input.id)),
    ),
  addEntry: operatorProcedure.input(catalogEntryRequest).mutation(({ ctx, input }): { id: string } => ({
    id: ctx.services.images.catalog.save(input, ctx.actor, null).id,
  })),
  /** All of it is sent again. */
  changeEntry: operatorProcedure
    .input(one.extend({ entry: catalogEntryRequest }))
    .mutation(({ ctx, input }): { id: string } => ({
      id: ctx.services.images.catalog.save(input.entry, ctx.actor, input.id).id,
    })),
  /** What was downloaded by it stays. */
  removeEntry: operatorProcedure.input(one).mutation(({ ctx, input }): { ok: true } => {
    ctx.services.images.catalog.remove(input.id);
    return { ok: true };
  }),
  /** Asks the publishers, or that of one entry, what they offer now; downloads nothing. */
  refreshCatalog: operatorProcedure
    .input(one.partial())
    .mutation(({ ctx, input }): Promise<CatalogRefresh> => ctx.services.images.refreshCatalog(input.id)),
  /** Searches every mounted pool for images that somebody put there. */
  look: operatorProcedure.mutation(({ ctx }): Promise<ImageLook> => ctx.services.images.lookAgain()),
  /** Takes a found image off the list. Its file stays. */
  forget: operatorProcedure.input(one).mutation(({ ctx, input }): { ok: true } => {
    ctx.services.images.forget(input.id);
    return { ok: true };
  }),
});
