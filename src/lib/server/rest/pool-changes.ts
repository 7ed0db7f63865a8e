/** Changes of a pool that is there: `POST /api/v1/pools/{guid}/<what>`, and `.../preview` for the plan of any of them. */
import { z } from 'zod';
import { poolChangeRequest, requestIssues, type PoolChangeRequest } from '$lib/shared/wire/requests';
import { issuesError } from '../errors';
import { changePoolBy, previewChange } from '../pools/change-operations';
import { answer, json, type RestRequest } from './answer';
import { readJson } from './body';

type Verb = PoolChangeRequest['verb'];
const object = z.record(z.string(), z.unknown());
const confirmCode = z.string().max(200).nullish();
const action = z.enum(['start', 'stop']);

/** @throws AppError invalid_input | unknown_field with the path of every field */
function changeOf(body: Record<string, unknown>): PoolChangeRequest {
  const parsed = poolChangeRequest.safeParse(body);
  if (parsed.success) return parsed.data;
  throw issuesError(requestIssues(parsed.error));
}

async function accept({ services, actor }: RestRequest, change: PoolChangeRequest, code: string | null) {
  const { poolGroupGuid } = change;
  const { state } = services.pools.get(poolGroupGuid);
  const operation = await changePoolBy(services.operations, change, { actor, confirmCode: code });
  return json({ success: true, poolGroupGuid, state, operationId: operation.id }, 202, {
    location: `/api/v1/pools/${poolGroupGuid}`,
  });
}

/** @param verbOf the verb, and what is left of the body for it */
const post = (verbOf: (body: Record<string, unknown>) => { verb: Verb; rest: Record<string, unknown> }) =>
  answer('operator', async (request) => {
    const { guid } = request.services.pools.get(request.param('guid'));
    const { confirmCode: code, ...body } = object.parse(await readJson(request.event.request));
    const { verb, rest } = verbOf(body);
    return accept(request, changeOf({ ...rest, verb, poolGroupGuid: guid }), confirmCode.parse(code) ?? null);
  });
const postVerb = (verb: Verb) => post((rest) => ({ verb, rest }));
const postWork = (work: 'scrub' | 'balance') =>
  post(({ action: wanted, ...rest }) => ({ verb: `${action.parse(wanted)}-${work}` as const, rest }));

export const expandPool = postVerb('expand');
export const replaceDrive = postVerb('replace');
export const removeDrive = postVerb('remove-drive');
export const addDrive = postVerb('add-drive');
export const reAddDrive = postVerb('re-add');
export const scrubPool = postWork('scrub');
export const balancePool = postWork('balance');
export const clearPoolErrors = postVerb('clear-errors');
export const releasePool = postVerb('release');

/** The body of the change with its `verb` (`expand`, `replace`, `start-scrub`, ...): the plan, and its confirm code. */
export const previewPoolChange = answer(
  'operator',
  async ({ services, event, param }) => {
    const { guid } = services.pools.get(param('guid'));
    const body = object.parse(await readJson(event.request));
    return json(await previewChange(services.operations, changeOf({ ...body, poolGroupGuid: guid })));
  },
  { body: object },
);
