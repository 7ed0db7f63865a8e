/** An appliance with a libvirtd of its own, a pool, and the smallest guest as an image on it. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Image } from '$lib/shared/wire/images';
import type { Operation } from '$lib/shared/wire/operations';
import type { Vm } from '$lib/shared/wire/vms';
import { Appliance, type Answer } from './appliance';
import { startFileServer, type FileServer } from './file-server';
import { microGuest } from './micro-guest';
import { PrivateLibvirt } from './private-libvirt';

export const MIB = 1024 ** 2;
/** Files run side by side, and btrfs knows a filesystem by it. */
export const POOL_GUID = `${process.pid.toString(16).padStart(8, '0')}-77aa-4d5e-9f43-0d1c2b3a4f55`;

export interface Machines {
  appliance: Appliance;
  libvirt: PrivateLibvirt;
  server: FileServer;
  imageId: string;
  close(): Promise<void>;
}

/** @throws Error with what the operation says when it did not succeed */
export async function ended(appliance: Appliance, id: string): Promise<Operation> {
  for (let tries = 0; tries < 600; tries += 1) {
    const { body } = await appliance.rest<Operation>('GET', `/operations/${id}`);
    if (!['running', 'undoing'].includes(body.state)) return body;
    await sleep(50);
  }
  throw new Error(`the operation ${id} did not end`);
}
/**
 * Waits for what was asked for in a browser: a page shows what came of an operation a moment before the operation has
 * ended and given its lock back.
 */
export async function allEnded(appliance: Appliance): Promise<void> {
  const busy = appliance.query<{ id: string }>(
    `SELECT id FROM operations WHERE state IN ('running', 'undoing')`,
  );
  for (const { id } of busy) await ended(appliance, id);
}
export async function mustSucceed(
  appliance: Appliance,
  asked: { status: number; body: unknown },
): Promise<Operation> {
  const { operationId } = asked.body as { operationId?: string };
  if (!operationId) throw new Error(`it was refused: ${JSON.stringify(asked.body)}`);
  const operation = await ended(appliance, operationId);
  if (operation.state !== 'succeeded')
    throw new Error(`${operation.title}: ${operation.state}, ${JSON.stringify(operation.error)}`);
  return operation;
}

interface Refused {
  error?: { details?: { confirmCode?: string } };
}
/** As a script does: again, with the confirm code that the refusal names. */
export async function deleteConfirmed(appliance: Appliance, path: string): Promise<Answer> {
  const refused = await appliance.rest<Refused>('DELETE', path);
  const code = refused.body.error?.details?.confirmCode;
  if (!code) return refused;
  return appliance.rest('DELETE', `${path}${path.includes('?') ? '&' : '?'}confirmCode=${code}`);
}
/** A machine, without keeping it for a while. */
export const deleteForGood = async (appliance: Appliance, id: string): Promise<Operation> =>
  mustSucceed(appliance, await deleteConfirmed(appliance, `/vms/${id}?forGood=true`));

/** Downloads it to the pool. @returns the image's id */
export async function addImage(
  { appliance, server }: Pick<Machines, 'appliance' | 'server'>,
  name: string,
  content: Buffer,
  kind: 'disk' | 'cloud' | 'iso' = 'disk',
): Promise<string> {
  const format = kind === 'iso' ? 'iso' : 'raw';
  const file = `${name.toLowerCase()}.${format}`;
  server.files.set(`/${file}`, { content });
  await mustSucceed(
    appliance,
    await appliance.rest('POST', '/images', {
      ...{ url: `${server.url}/${file}`, poolGuid: POOL_GUID, allowPrivate: true },
      ...{ kind, format, name },
    }),
  );
  const { body } = await appliance.rest<{ images: Image[] }>('GET', '/images');
  return body.images.find((image) => image.name === name)?.id ?? '';
}

/** A pool on the first sandbox drive. */
export async function makePool(appliance: Appliance, plugin = 'single-drive'): Promise<void> {
  const [drive] = appliance.query<{ serial: string }>('SELECT serial FROM drives WHERE sandbox = 1');
  await mustSucceed(
    appliance,
    await appliance.rest('POST', '/pools', {
      ...{ poolGroupGuid: POOL_GUID, label: 'tank', plugin, layout: 'single' },
      drives: [{ serial: drive?.serial }],
    }),
  );
}

/** Only the appliance and its libvirtd. */
export async function startHost(driveBytes = 512 * MIB): Promise<Omit<Machines, 'imageId'>> {
  const late: { libvirt?: PrivateLibvirt } = {};
  const appliance = new Appliance({
    // Its bridges are in the same network as those of its libvirtd.
    lateEnv: () => ({ CAIRN_NETWORK_NAMESPACE: late.libvirt?.networkNamespace ?? '' }),
    ...{ drives: 1, driveBytes },
    enter: (folder) => late.libvirt?.enter(folder) ?? [],
  });
  const libvirt = new PrivateLibvirt(appliance.dataDir);
  late.libvirt = libvirt;
  const server = await startFileServer();
  const close = async (): Promise<void> => {
    await appliance.stopAndUnmount();
    await libvirt.close();
    await appliance.remove();
    await server.close();
  };
  try {
    await libvirt.start();
    await appliance.start();
    await appliance.setUp();
    return { appliance, libvirt, server, close };
  } catch (error) {
    await close();
    throw error;
  }
}

export async function startMachines(plugin?: string): Promise<Machines> {
  const started = await startHost();
  try {
    await makePool(started.appliance, plugin);
    return { ...started, imageId: await addImage(started, 'Micro', microGuest()) };
  } catch (error) {
    await started.close();
    throw error;
  }
}

/** A CD with nothing on it but what says that it is one (ECMA-119, 8.1). */
export function emptyCd(): Buffer {
  const content = Buffer.alloc(40 * 1024);
  content.write('\u0001CD001\u0001', 16 * 2_048, 'latin1');
  return content;
}

export const microRequest = (imageId: string, change: Record<string, unknown> = {}) => ({
  ...{ name: 'web', imageId, poolGuid: POOL_GUID, cpus: 1, memoryBytes: 32 * MIB, diskBytes: 10 * MIB },
  ...change,
});

export async function vmNamed(appliance: Appliance, name: string): Promise<Vm | undefined> {
  const { body } = await appliance.rest<{ vms: Vm[] }>('GET', '/vms');
  return body.vms.find((vm) => vm.name === name);
}
