/** From what was read to what a person should know. Pure. */
import type { MemberReading, PoolDrive, PoolReading, PoolSpec } from '../../src/lib/plugin-api/storage';
import { layoutOf, nameOf } from './names';
import type { Group, Volume } from './parse-report';

export type Judgement = Pick<PoolReading, 'poolStatus' | 'health' | 'healthText'>;
export interface Facts {
  spec: PoolSpec;
  members: MemberReading[];
  group: Group | null;
  volume: Volume | null;
  pool: Volume | null;
  mounted: boolean;
  readOnly: boolean;
}

/** How full a thin pool may be before it is told, percent. */
const NEARLY_FULL = 80;
const FULL = 95;

/** @param count drives that the pool was made of */
export function toleranceOf(layout: string, count: number): number {
  if (layout === 'mirror') return Math.max(0, count - 1);
  return layout === 'raid5' ? 1 : 0;
}

const having = ({ spec, members }: Facts, ...states: MemberReading['status'][]): PoolDrive[] =>
  spec.drives.filter((drive) =>
    members.some((member) => member.driveId === drive.id && states.includes(member.status)),
  );
const listOf = (drives: PoolDrive[]): string =>
  `${drives.length === 1 ? 'Drive' : 'Drives'} ${drives.map(nameOf).join(', ')} ${drives.length === 1 ? 'is' : 'are'}`;

function lossOf(facts: Facts): Judgement | null {
  const { spec, mounted } = facts;
  const missing = having(facts, 'missing');
  const faulty = having(facts, 'faulty');
  const lost = [...missing, ...faulty];
  const tolerance = toleranceOf(spec.layout, spec.drives.length);
  if (lost.length > tolerance)
    return {
      poolStatus: missing.length === lost.length && !mounted ? 'missing' : 'failed',
      health: 'critical',
      healthText: `${listOf(lost)} not there, and the layout ${spec.layout} needs ${spec.drives.length - tolerance} of ${spec.drives.length} drives. Plug in what is missing.`,
    };
  if (missing.length > 0)
    return {
      poolStatus: 'degraded',
      health: 'critical',
      healthText: `${listOf(missing)} not there${lost.length === tolerance ? ': one more loss would lose data' : ''}. Plug it in again or replace it.`,
    };
  if (faulty.length > 0)
    return {
      poolStatus: 'degraded',
      health: 'critical',
      healthText: `${listOf(faulty)} not up to date${lost.length === tolerance ? ': the loss of another drive would lose data' : ''}. Take it in again; replace it if it fails again.`,
    };
  return null;
}

const percent = (value: number | null): string => `${Math.round(value ?? 0)} %`;

/** A thin pool that is full stops every write, and without metadata even what is there may be lost. */
function fillOf({ pool, volume }: Facts): Judgement | null {
  if (!pool) return null;
  const most = Math.max(pool.dataPercent ?? 0, pool.metadataPercent ?? 0);
  if (most < NEARLY_FULL) return null;
  const promised = volume && volume.sizeBytes > pool.sizeBytes;
  return {
    poolStatus: 'active',
    health: most >= FULL ? 'critical' : 'warning',
    healthText: `The thin pool is nearly full: ${percent(pool.dataPercent)} of its data, ${percent(pool.metadataPercent)} of its metadata${promised ? ' (the volume promises more than there is)' : ''}. When it is full, writing fails. Delete files or snapshots, or add a drive.`,
  };
}

function kernelOf({ volume }: Facts): Judgement | null {
  if (!volume) return null;
  if (volume.syncAction === 'resync' || volume.syncAction === 'recover' || volume.syncAction === 'reshape')
    return {
      poolStatus: volume.syncAction === 'recover' ? 'degraded' : 'resync',
      health: volume.syncAction === 'recover' ? 'warning' : 'healthy',
      healthText:
        volume.syncAction === 'recover'
          ? 'A copy is being built again; until then the loss of another drive may lose data.'
          : null,
    };
  if ((volume.mismatches ?? 0) > 0 && volume.syncAction === 'idle')
    return {
      poolStatus: 'active',
      health: 'warning',
      healthText: `The last scrub found ${volume.mismatches} sectors in which the copies differ. Check the drives' health, and compare the files that matter with a backup.`,
    };
  return null;
}

export function judge(facts: Facts): Judgement {
  const loss = lossOf(facts);
  if (loss) return loss;
  if (facts.mounted && facts.readOnly)
    return {
      poolStatus: 'degraded',
      health: 'critical',
      healthText:
        'The filesystem is read-only, which the kernel does after errors. Back up what matters, then unmount it and look at its drives.',
    };
  if (!facts.volume)
    return {
      poolStatus: 'failed',
      health: 'critical',
      healthText: `Its drives are there, but the volume ${layoutOf(facts.spec) === 'thin' ? '(thin) ' : ''}is not on them: something else has changed the volume group.`,
    };
  return (
    fillOf(facts) ??
    kernelOf(facts) ?? {
      poolStatus: facts.mounted ? 'active' : 'inactive',
      health: 'healthy',
      healthText: null,
    }
  );
}
