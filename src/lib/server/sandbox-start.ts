/** Sandbox drives at the start: made on the first, attached again on every later one, both by operations like any other. */
import { isLive } from '$lib/shared/states';
import type { JsonObject } from '$lib/shared/json';
import type { Actor } from '$lib/shared/wire/session';
import type { Services } from './services';

const CAIRN: Actor = { kind: 'system', id: 'cairn', name: 'cairn', role: 'admin', sessionId: null };

export const isSandboxKind = (kind: string): boolean => kind.startsWith('sandbox.');

type Parts = Pick<Services, 'config' | 'operations' | 'drives' | 'log'>;

/** A start without its drives is still a start: the failed operation says why, and can be tried again from its page. */
async function perform({ operations, log }: Parts, kind: string, request: JsonObject): Promise<void> {
  try {
    const { id } = await operations.start({ kind, request, actor: CAIRN });
    const ended = await operations.wait(id);
    if (ended.state !== 'succeeded')
      log.error({ operation: id, kind, error: ended.error }, 'sandbox drives are not there');
  } catch (error) {
    log.error({ error, kind }, 'sandbox drives are not there');
  }
}

export async function attachSandboxDrives(parts: Parts): Promise<void> {
  const { config, operations, drives } = parts;
  await operations.recover(isSandboxKind);
  const { items } = operations.page({ limit: 100, live: true });
  for (const operation of items)
    if (isSandboxKind(operation.kind) && isLive(operation.state)) await operations.wait(operation.id);
  if (!config.sandbox) return;

  const known = drives.list().filter((drive) => drive.sandbox);
  if (known.some((drive) => !drive.present)) await perform(parts, 'sandbox.attach-drives', {});
  else if (known.length === 0 && config.sandboxDrives > 0)
    await perform(parts, 'sandbox.create-drives', {
      count: config.sandboxDrives,
      sizeBytes: config.sandboxDriveBytes,
    });
}
