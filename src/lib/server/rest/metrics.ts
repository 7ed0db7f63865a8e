/** `GET /metrics` for Prometheus: a key with the scope `metrics` as bearer token or in X-Api-Key, or somebody signed in. */
import type { RequestEvent } from '@sveltejs/kit';
import { AppError } from '../errors';
import { getHandle } from '../handle';
import { metricsOf } from '../metrics/metrics';
import { errorAnswer } from './answer';

export async function getMetrics({ request, locals, url }: RequestEvent): Promise<Response> {
  const services = getHandle();
  const { address } = locals;
  const bearer = /^Bearer\s+(\S+)$/i.exec(request.headers.get('authorization') ?? '')?.[1];
  const apiKey = bearer ?? request.headers.get('x-api-key');
  const actor = apiKey ? await services.auth.identify({ token: null, apiKey, address }) : locals.actor;
  try {
    if (!actor) throw new AppError('unauthenticated', 'Metrics need a key with the scope "metrics".');
    if (actor.scopes && !actor.scopes.includes('metrics'))
      throw new AppError('scope_missing', `The key ${actor.name} does not have the scope "metrics".`);
    services.rates.take(actor);
    return new Response(metricsOf(services), {
      headers: { 'content-type': 'text/plain; version=0.0.4; charset=utf-8', 'cache-control': 'no-store' },
    });
  } catch (error) {
    const userAgent = request.headers.get('user-agent') ?? '';
    services.audit.denied({ actor, address, userAgent, what: `GET ${url.pathname}` }, error);
    return errorAnswer(error, services.log);
  }
}
