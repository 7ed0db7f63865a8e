/** What the machine says about a pool on a share, within seconds, whatever has become of the server. Changes nothing. */
import type { PluginContext, PoolReading, PoolSpec, PoolUsage } from '../../src/lib/plugin-api/storage';
import { partsOf, type Parts } from './parts';
import { askServer, type ServerAnswer } from './server';

const RETURNS = 'Nothing on it is lost by that, and the pool works again by itself once the server is back.';
type Verdict = Pick<PoolReading, 'poolStatus' | 'health' | 'healthText'>;
type UsageAnswer = { usage: PoolUsage } | { usage: null; why: string | null };

/** The question is asked by a program that is left behind when the server never answers it. */
async function askUsage(context: PluginContext, path: string): Promise<UsageAnswer> {
  try {
    return { usage: await context.usage(path) };
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : null;
    if (code === 'command_timeout') return { usage: null, why: null };
    if (code === 'command_failed') return { usage: null, why: reasonOf(error as Error) };
    throw error;
  }
}
/** stat(1) ends its complaint with what the system said: "...: Stale file handle". */
function reasonOf(error: Error): string {
  const details: unknown = 'details' in error ? error.details : null;
  const stderr =
    typeof details === 'object' && details !== null && 'stderr' in details ? String(details.stderr) : '';
  return (stderr.trim() || error.message).split(': ').at(-1)?.trim() ?? error.message;
}

function judgeMounted({ server, source }: Parts, answer: ServerAnswer, asked: UsageAnswer): Verdict {
  if (asked.usage !== null) return { poolStatus: 'active', health: 'healthy', healthText: null };
  const gone = { poolStatus: 'failed', health: 'critical' } as const;
  if (!answer.answers) return { ...gone, healthText: `${answer.why} ${RETURNS}` };
  return {
    ...gone,
    healthText: asked.why
      ? `The server ${server} answers, but its share ${source} cannot be used: ${asked.why}. Look there whether it is still shared; then unmount the pool and mount it again.`
      : `The server ${server} answers, but its share ${source} does not yet. ${RETURNS}`,
  };
}

const judgeUnmounted = (answer: ServerAnswer): Verdict =>
  answer.answers
    ? { poolStatus: 'inactive', health: 'healthy', healthText: null }
    : { poolStatus: 'missing', health: 'critical', healthText: `${answer.why} ${RETURNS}` };

export async function status(context: PluginContext, spec: PoolSpec): Promise<PoolReading> {
  const parts = partsOf(spec);
  const entry = context.mounts().findLast((mount) => mount.path === spec.mountPath);
  const mounted = entry?.source === parts.source;
  const nothing: UsageAnswer = { usage: null, why: null };
  const [answer, first] = await Promise.all([
    askServer(context, parts),
    mounted ? askUsage(context, spec.mountPath) : nothing,
  ]);
  // A busy machine is late too: who answers is asked once more before the share is called dead.
  const isLate = mounted && answer.answers && first.usage === null && first.why === null;
  const asked = isLate ? await askUsage(context, spec.mountPath) : first;
  const verdict = mounted ? judgeMounted(parts, answer, asked) : judgeUnmounted(answer);
  return {
    ...verdict,
    mounted,
    sizeBytes: asked.usage?.sizeBytes ?? null,
    usedBytes: asked.usage?.usedBytes ?? null,
    availableBytes: asked.usage?.availableBytes ?? null,
    members: [],
  };
}
