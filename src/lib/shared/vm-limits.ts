/** How far what is wanted of machines may go; forms and the server ask the same. */
export const LONGEST_KEEP_DAYS = 365;
export const VM_SNAPSHOT_TEXT_MAX = 200;
export const HIGHEST_START_ORDER = 1_000;
export const LONGEST_START_DELAY_SECONDS = 3_600;
export const LONGEST_HOST_STOP_SECONDS = 600;
/** Characters; cloud-init itself takes more, some platforms do not. */
export const LONGEST_CLOUD_CONFIG = 16_384;

/** qcow2: its first disk. ova: all of it in one file, for other programs that run machines. */
export const VM_EXPORT_FORMATS = ['qcow2', 'ova'] as const;
export type VmExportFormat = (typeof VM_EXPORT_FORMATS)[number];
