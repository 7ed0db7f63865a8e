/** What the machine says about a btrfs pool. Changes nothing. */
import type {
  KernelWork,
  MemberReading,
  PluginContext,
  PoolDrive,
  PoolReading,
  PoolSpec,
} from '../../src/lib/plugin-api/storage';
import { profilesOf } from './btrfs';
import type { ShownDevice, ShownFilesystem } from './parse-show';
import { COUNTERS, type DeviceStats } from './parse-stats';
import { readProfiles, readShow, readStats, readWork, type WorkParsers } from './work';

interface Judged {
  members: MemberReading[];
  work: KernelWork[];
  mounted: boolean;
  readOnly: boolean;
  /** Profiles that are not the layout's: what was written while a drive was away. */
  strays: string[];
}
type Judgement = Pick<PoolReading, 'poolStatus' | 'health' | 'healthText'>;

const nameOf = (drive: PoolDrive): string => drive.serial ?? drive.label;
const listOf = (drives: PoolDrive[]): string =>
  `${drives.length === 1 ? 'Drive' : 'Drives'} ${drives.map(nameOf).join(', ')} ${drives.length === 1 ? 'is' : 'are'}`;
const tolerated = (spec: PoolSpec): number => (spec.layout === 'single' ? 0 : 1);

async function unmountedMembers(context: PluginContext, spec: PoolSpec): Promise<MemberReading[]> {
  const readings: MemberReading[] = [];
  for (const drive of spec.drives) {
    const path = context.path({ drive: drive.id });
    const found = path === null ? null : await context.probe(path);
    const ours = found?.type === 'btrfs' && found.uuid === spec.guid;
    readings.push({
      driveId: drive.id,
      status: path === null ? 'missing' : ours ? 'active' : 'faulty',
      detail: path === null || ours ? null : `holds ${found ? `${found.type} of another origin` : 'nothing'}`,
    });
  }
  return readings;
}

const errorsText = (stats: DeviceStats | undefined): string | null => {
  const errors = COUNTERS.filter((name) => (stats?.errors[name] ?? 0) > 0);
  if (!stats || errors.length === 0) return null;
  return errors
    .map((name) => `${stats.errors[name]} ${name.replace('_errs', '').replace('_', ' ')} errors`)
    .join(', ');
};

async function mountedMembers(
  context: PluginContext,
  spec: PoolSpec,
  showing: Promise<ShownFilesystem>,
  parsers: WorkParsers,
): Promise<MemberReading[]> {
  const [shown, stats] = await Promise.all([showing, readStats(context, parsers, spec.mountPath)]);
  const target = shown.devices.find((device) => device.devid === 0);
  const statsOf = new Map(stats.map((entry) => [context.driveIdOf(entry.device), entry]));
  const shownIds = new Set(shown.devices.map((device) => device.path && context.driveIdOf(device.path)));
  return spec.drives.map((drive) => {
    if (!shownIds.has(drive.id) || context.path({ drive: drive.id }) === null)
      return { driveId: drive.id, status: 'missing', detail: target ? newcomerText(context, target) : null };
    const errors = errorsText(statsOf.get(drive.id));
    return { driveId: drive.id, status: errors ? 'faulty' : 'active', detail: errors };
  });
}

const newcomerText = (context: PluginContext, target: ShownDevice): string => {
  const id = target.path === null ? null : context.driveIdOf(target.path);
  const serial = context.drives().find((drive) => drive.id === id)?.serial;
  return `a drive is being filled in its place: ${serial ?? target.path ?? 'one that is not there'}`;
};

async function straysOf(context: PluginContext, spec: PoolSpec, parsers: WorkParsers): Promise<string[]> {
  const wanted = profilesOf(spec.layout, spec.drives.length);
  const found = await readProfiles(context, parsers, spec.mountPath);
  return found
    .filter(({ usedBytes }) => usedBytes > 0)
    .filter(({ kind, profile }) => profile !== (kind === 'data' ? wanted.data : wanted.metadata))
    .map(({ kind, profile }) => `${kind} as ${profile}`);
}

function judge(spec: PoolSpec, { members: readings, work, mounted, readOnly, strays }: Judged): Judgement {
  const rebuilds = work.some((one) => one.kind === 'rebuild');
  const having = (status: MemberReading['status']): PoolDrive[] =>
    spec.drives.filter(
      (drive) => readings.find((reading) => reading.driveId === drive.id)?.status === status,
    );
  const missing = having('missing');
  const faulty = having('faulty');
  const lost = mounted ? missing : [...missing, ...faulty];
  if (lost.length > tolerated(spec))
    return {
      poolStatus: missing.length === lost.length && !mounted ? 'missing' : 'failed',
      health: 'critical',
      healthText: `${listOf(lost)} not there, and the layout ${spec.layout} needs ${spec.drives.length - tolerated(spec)} of ${spec.drives.length} drives. Plug in what is missing.`,
    };
  if (mounted && readOnly)
    return {
      poolStatus: 'degraded',
      health: 'critical',
      healthText:
        'The filesystem is read-only, which the kernel does after errors. Back up what matters, then unmount it and look at its drives.',
    };
  if (lost.length > 0)
    return {
      poolStatus: rebuilds ? 'resync' : 'degraded',
      health: 'critical',
      healthText: `${listOf(lost)} not there: one more loss would lose data. ${rebuilds ? 'A new drive is being filled: wait until it is complete.' : 'Plug it in again or replace it.'}`,
    };
  if (faulty.length > 0)
    return {
      poolStatus: 'active',
      health: 'warning',
      healthText: `${listOf(faulty)} reporting errors. Check cable and power, then clear the error counters; replace the drive when errors come again.`,
    };
  if (strays.length > 0 && work.length === 0)
    return {
      poolStatus: 'active',
      health: 'warning',
      healthText: `Some of the content is not kept as the layout ${spec.layout} asks (${strays.join(', ')}), as happens when files are written while a drive is away. Start a balance to mend it.`,
    };
  if (rebuilds) return { poolStatus: 'resync', health: 'healthy', healthText: null };
  return { poolStatus: mounted ? 'active' : 'inactive', health: 'healthy', healthText: null };
}

export async function status(
  context: PluginContext,
  spec: PoolSpec,
  parsers: WorkParsers,
): Promise<PoolReading> {
  const entry = context.mounts().findLast((mount) => mount.path === spec.mountPath);
  const driveId = entry ? context.driveIdOf(entry.source) : null;
  const anyGone = spec.drives.some((drive) => context.path({ drive: drive.id }) === null);
  const mounted =
    entry?.filesystem === 'btrfs' &&
    (driveId === null ? anyGone : spec.drives.some((drive) => drive.id === driveId));
  if (!mounted) {
    const members = await unmountedMembers(context, spec);
    return {
      ...judge(spec, { members, work: [], mounted, readOnly: false, strays: [] }),
      ...{ mounted, sizeBytes: null, usedBytes: null, availableBytes: null, members },
    };
  }
  // All at once: who waits for a new pool waits for this answer.
  const shown = readShow(context, parsers, spec.mountPath);
  const [members, { work, lastScrub }, strays, usage] = await Promise.all([
    mountedMembers(context, spec, shown, parsers),
    readWork(context, parsers, spec.mountPath, shown),
    straysOf(context, spec, parsers),
    context.usage(spec.mountPath),
  ]);
  return {
    ...judge(spec, { members, work, mounted, readOnly: entry.readOnly, strays }),
    mounted,
    sizeBytes: usage.sizeBytes,
    usedBytes: usage.usedBytes,
    availableBytes: usage.availableBytes,
    members,
    work,
    lastScrub,
  };
}
