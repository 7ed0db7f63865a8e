/** What the machine says about a single-drive pool. Changes nothing. */
import type { JsonObject, LookResult } from '../../src/lib/plugin-api/plan';
import type { PluginContext, PoolReading, PoolSpec } from '../../src/lib/plugin-api/storage';
import { partsOf } from './plan';

type Verdict = Pick<PoolReading, 'poolStatus' | 'health' | 'healthText'> & {
  member: PoolReading['members'][number]['status'];
  detail?: string;
};

function judgeMounted(readOnly: boolean, drivePresent: boolean, name: string): Verdict {
  if (!drivePresent)
    return {
      poolStatus: 'failed',
      health: 'critical',
      healthText: `Drive ${name} is gone while the pool is mounted. Plug it in again, then unmount and mount the pool.`,
      member: 'missing',
    };
  if (readOnly)
    return {
      poolStatus: 'degraded',
      health: 'critical',
      healthText: `The filesystem on drive ${name} is read-only, which the kernel does after errors. Back up what matters, then unmount and check it.`,
      member: 'faulty',
      detail: 'mounted read-only',
    };
  return { poolStatus: 'active', health: 'healthy', healthText: null, member: 'active' };
}

async function judgeUnmounted(context: PluginContext, spec: PoolSpec, name: string): Promise<Verdict> {
  const { drive, at, type } = partsOf(spec);
  if (context.path({ drive: drive.id }) === null)
    return {
      poolStatus: 'missing',
      health: 'critical',
      healthText: `Drive ${name} is not there. Plug it in again; what is on it is not lost by that.`,
      member: 'missing',
    };
  const path = context.path(at);
  const found = path === null ? null : await context.probe(path);
  if (found?.type !== type || found.uuid !== spec.guid)
    return {
      poolStatus: 'failed',
      health: 'critical',
      healthText: `The pool's ${type} filesystem is not on drive ${name} any more: ${found ? `${found.type} is there` : 'nothing is recognised there'}. If it was erased by mistake, restore from a backup.`,
      member: 'faulty',
      detail: found ? `holds ${found.type}` : 'holds nothing that is recognised',
    };
  return { poolStatus: 'inactive', health: 'healthy', healthText: null, member: 'active' };
}

export async function status(context: PluginContext, spec: PoolSpec): Promise<PoolReading> {
  const { drive } = partsOf(spec);
  const name = drive.serial ?? drive.label;
  const entry = context.mounts().findLast((mount) => mount.path === spec.mountPath);
  const present = context.path({ drive: drive.id }) !== null;
  // A mount whose drive has been pulled is still ours: its device is known to nobody any more.
  const source = entry ? context.driveIdOf(entry.source) : null;
  const ours = entry !== undefined && (source === drive.id || (source === null && !present));
  const usage = ours ? await context.usage(spec.mountPath) : null;
  const { member, detail, ...verdict } = ours
    ? judgeMounted(entry.readOnly, present, name)
    : await judgeUnmounted(context, spec, name);
  return {
    ...verdict,
    mounted: ours,
    sizeBytes: usage?.sizeBytes ?? null,
    usedBytes: usage?.usedBytes ?? null,
    availableBytes: usage?.availableBytes ?? null,
    members: [{ driveId: drive.id, status: member, detail: detail ?? null }],
  };
}

/** Has the mounted filesystem this label? Not mounted is foreign: the label would be set on whatever lies below. */
export async function lookAtLabel(context: PluginContext, args: JsonObject): Promise<LookResult> {
  const drive = String(args.drive);
  const partition = Number(args.partition);
  const path = context.path(partition > 0 ? { drive, partition } : { drive });
  const found = path === null ? null : await context.probe(path);
  if (!found || found.uuid !== args.uuid)
    return { status: 'foreign', evidence: 'The filesystem of the pool is not on its drive.' };
  const entry = context.mounts().findLast((mount) => mount.path === args.mountPath);
  if (!entry || context.driveIdOf(entry.source) !== drive)
    return { status: 'foreign', evidence: `The pool is not mounted at ${String(args.mountPath)}.` };
  return {
    status: found.label === args.label ? 'done' : 'absent',
    evidence: `The filesystem's label is ${found.label ?? 'empty'}.`,
  };
}
