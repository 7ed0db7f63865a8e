import { Readable } from 'node:stream';
import { answer } from './answer';

/** What somebody who helps needs to know, without secrets: a gzip of tar. */
export const getSupportBundle = answer('admin', async ({ services }) => {
  const { name, stream } = await services.support.bundle();
  return new Response(Readable.toWeb(Readable.from(stream)) as ReadableStream, {
    headers: {
      'content-type': 'application/gzip',
      'content-disposition': `attachment; filename="${name}"`,
      'cache-control': 'no-store',
    },
  });
});
