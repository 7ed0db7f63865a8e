/** Calls of lvm(8): typed call in, argv out. Pure. */
import type { Argument, DriveRef, ExecAction } from '../../src/lib/plugin-api/plan';

export const LVM = '/usr/sbin/lvm';
export const DMSETUP = '/usr/sbin/dmsetup';
/** LVM starts it by itself for thin pools. */
export const THIN_CHECK = '/usr/sbin/thin_check';

/**
 * lvm.conf(5) for every call: it starts no daemons of its own (they would see all drives), keeps no copies of the metadata
 * outside of the drives, and begins the data where `capacity.ts` says.
 */
const CONFIG = [
  // A full thin pool answers at once with an error; waiting for more space would hang whoever writes.
  'activation/error_when_full=1',
  'activation/monitoring=0',
  'backup/backup=0',
  'backup/archive=0',
  'devices/data_alignment_detection=0',
  'global/use_lvmpolld=0',
  'report/time_format="%s"',
].join(' ');

/** The drives that LVM may see and touch; all others are not there for it, whatever its own configuration says. */
const only = <T extends string | DriveRef>(drives: T[]): (string | T)[] =>
  drives.flatMap((drive) => ['--devices', drive]);

export interface Call {
  verb: string;
  drives: DriveRef[];
  argv: Argument[];
  timeoutMs?: number;
  okExitCodes?: number[];
}
/** A command that changes something, and asks nothing. */
export const lvm = ({ verb, drives, argv, ...limits }: Call): ExecAction => ({
  do: 'exec',
  program: LVM,
  argv: [verb, '--yes', '--config', CONFIG, ...only(drives), ...argv],
  ...limits,
});

const FIELDS = {
  vg: [
    'vg_name',
    'vg_uuid',
    'vg_tags',
    'vg_extent_size',
    'vg_free_count',
    'vg_missing_pv_count',
    'vg_exported',
  ],
  pv: ['pv_uuid', 'pv_name', 'vg_name', 'pv_missing', 'pv_pe_count', 'pv_pe_alloc_count'],
  lv: [
    ...[
      'lv_name',
      'lv_size',
      'lv_attr',
      'lv_role',
      'lv_active',
      'lv_time',
      'lv_health_status',
      'lv_permissions',
    ],
    ...['data_percent', 'metadata_percent', 'copy_percent', 'raid_sync_action', 'raid_mismatch_count'],
    ...['origin', 'pool_lv', 'move_pv'],
  ],
  seg: ['lv_name', 'segtype', 'stripes', 'devices'],
} as const;

/**
 * Everything about some drives in one answer: groups, physical volumes, volumes and their segments (lvmreport(7)). It
 * waits for no lock: what is committed on the drives can be read at any time.
 */
export const reportArgv = (paths: string[]): string[] => [
  'fullreport',
  // Hints about where to look may be older than the last change.
  ...['--config', `${CONFIG} devices/hints="none"`, ...only(paths), '--nolocking', '--all'],
  ...['--reportformat', 'json', '--units', 'b', '--nosuffix'],
  ...Object.entries(FIELDS).flatMap(([name, fields]) => ['--configreport', name, '-o', fields.join(',')]),
  ...['--configreport', 'pvseg', '-o', 'pvseg_start'],
];
