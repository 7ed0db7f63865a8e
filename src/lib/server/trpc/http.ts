import { fetchRequestHandler } from '@trpc/server/adapters/fetch';
import { appRouter } from './app-router';
import type { RequestContext } from './context';

export const TRPC_ENDPOINT = '/trpc';

/** One call, or a small batch, over HTTP. Whatever goes wrong is in the answer, in the shape of error-formatter.ts. */
export const answerTrpc = (request: Request, context: RequestContext): Promise<Response> =>
  fetchRequestHandler({
    endpoint: TRPC_ENDPOINT,
    req: request,
    router: appRouter,
    createContext: () => context,
    maxBatchSize: 20,
    responseMeta: () => ({ headers: { 'cache-control': 'no-store' } }),
  });
