/** What the machine says about a btrfs pool. Changes nothing. */
import type {
  MemberReading,
  PluginContext,
  PoolDrive,
  PoolReading,
  PoolSpec,
} from '../../src/lib/plugin-api/storage';
import type { Parser } from '../../src/lib/plugin-api/parse';
import { BTRFS } from './btrfs';
import type { ShownFilesystem } from './parse-show';
import { COUNTERS, type DeviceStats } from './parse-stats';

export interface Parsers {
  show: Parser<ShownFilesystem>;
  stats: Parser<DeviceStats[]>;
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
  parsers: Parsers,
): Promise<MemberReading[]> {
  const [shownText, stats] = await Promise.all([
    context.read(BTRFS, ['filesystem', 'show', '--raw', spec.mountPath]),
    readStats(context, spec, parsers),
  ]);
  const shown = parsers.show(shownText.stdout);
  const statsOf = new Map(stats.map((entry) => [context.driveIdOf(entry.device), entry]));
  const shownIds = new Set(shown.devices.map((device) => device.path && context.driveIdOf(device.path)));
  return spec.drives.map((drive) => {
    if (!shownIds.has(drive.id) || context.path({ drive: drive.id }) === null)
      return { driveId: drive.id, status: 'missing', detail: null };
    const errors = errorsText(statsOf.get(drive.id));
    return { driveId: drive.id, status: errors ? 'faulty' : 'active', detail: errors };
  });
}

/** Exit codes from 64 on say that errors were counted (btrfs-device(8), --check): fine for reading. */
async function readStats(context: PluginContext, spec: PoolSpec, parsers: Parsers): Promise<DeviceStats[]> {
  const json = await context.read(BTRFS, ['--format', 'json', 'device', 'stats', spec.mountPath], {
    okExitCodes: [0, 1, 64],
  });
  if (json.exitCode !== 1) return parsers.stats(json.stdout);
  const text = await context.read(BTRFS, ['device', 'stats', spec.mountPath], { okExitCodes: [0, 64] });
  return parsers.stats(text.stdout);
}

function judge(spec: PoolSpec, readings: MemberReading[], mounted: boolean, readOnly: boolean): Judgement {
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
      poolStatus: 'degraded',
      health: 'critical',
      healthText: `${listOf(lost)} not there: one more loss would lose data. Plug it in again or replace it.`,
    };
  if (faulty.length > 0)
    return {
      poolStatus: 'active',
      health: 'warning',
      healthText: `${listOf(faulty)} reporting errors. Check cable and power, and replace it when errors go on.`,
    };
  return { poolStatus: mounted ? 'active' : 'inactive', health: 'healthy', healthText: null };
}

export async function status(context: PluginContext, spec: PoolSpec, parsers: Parsers): Promise<PoolReading> {
  const entry = context.mounts().findLast((mount) => mount.path === spec.mountPath);
  const driveId = entry ? context.driveIdOf(entry.source) : null;
  const anyGone = spec.drives.some((drive) => context.path({ drive: drive.id }) === null);
  const mounted =
    entry?.filesystem === 'btrfs' &&
    (driveId === null ? anyGone : spec.drives.some((drive) => drive.id === driveId));
  const members = mounted
    ? await mountedMembers(context, spec, parsers)
    : await unmountedMembers(context, spec);
  const usage = mounted ? await context.usage(spec.mountPath) : null;
  return {
    ...judge(spec, members, mounted, entry?.readOnly ?? false),
    mounted,
    sizeBytes: usage?.sizeBytes ?? null,
    usedBytes: usage?.usedBytes ?? null,
    availableBytes: usage?.availableBytes ?? null,
    members,
  };
}
