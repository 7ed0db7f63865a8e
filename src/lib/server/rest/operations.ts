import { z } from 'zod';
import type { Operation } from '$lib/shared/wire/operations';
import type { Operations } from '../operations/types';
import { followOperation } from '../operations/follow';
import { answer, json, lines } from './answer';
import { readJson } from './body';

const pageQuery = z.strictObject({
  before: z.coerce.number().int().optional(),
  limit: z.coerce.number().int().min(1).max(200).default(50),
  subjectId: z.string().max(300).optional(),
});
const resolveBody = z.strictObject({ decision: z.enum(['try-again', 'leave-as-is']) });

/** The commands of one operation, what they printed as lines in order. */
export const restCommands = (operations: Operations, { id, kind }: Operation) =>
  operations.commands(id).map(({ step, phase, argv, startedAt, endedAt, exitCode, signal, lines }) => ({
    operationId: id,
    kind,
    step,
    phase,
    command: argv,
    startedAt,
    endedAt,
    exitCode,
    signal,
    output: lines,
  }));

export const listOperations = answer(
  'viewer',
  ({ services, event }) =>
    json(services.operations.page(pageQuery.parse(Object.fromEntries(event.url.searchParams)))),
  { query: pageQuery },
);
export const getOperation = answer('viewer', ({ services, param }) =>
  json(services.operations.get(param('id'))),
);
export const operationOutputs = answer('viewer', ({ services, param }) => {
  const operation = services.operations.get(param('id'));
  return json({ operationId: operation.id, commands: restCommands(services.operations, operation) });
});
export const operationScript = answer('viewer', ({ services, param }) => {
  const script = services.operations.script(param('id'));
  return new Response(script, {
    headers: { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' },
  });
});
/** A JSON object a line (application/x-ndjson): `{"operation"}` or `{"output"}`; ends with the operation. */
export const operationFollow = answer('viewer', ({ services, event, param }) => {
  const { id } = services.operations.get(param('id'));
  return lines(followOperation(services, id, event.request.signal));
});
export const cancelOperation = answer('operator', ({ services, actor, param }) =>
  json(services.operations.cancel(param('id'), actor), 202),
);
export const retryOperation = answer('operator', async ({ services, actor, param }) =>
  json(await services.operations.retry(param('id'), actor), 202),
);
export const resolveOperation = answer(
  'operator',
  async ({ services, actor, event, param }) => {
    const { decision } = resolveBody.parse(await readJson(event.request));
    return json(await services.operations.resolve(param('id'), decision, actor), 202);
  },
  { body: resolveBody },
);
