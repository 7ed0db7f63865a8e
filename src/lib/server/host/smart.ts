/**
 * Asks drives about their health and whether they sleep. Nothing in here wakes one: `-n standby` makes smartctl(8) look at
 * the power mode first and leave a sleeping drive alone. It opens the drive for reading only, so udev sees no change.
 */
import { AppError } from '../errors';
import { PROGRAMS } from './programs';
import { parseSmart, STANDBY_EXIT, type SmartAnswer } from './smart-answer';
import type { BlockDrive, CommandRunner } from './types';

const TIMEOUT_MS = 60_000;
/** Every combination of the eight bits has a meaning of its own. */
const ANY_EXIT = Array.from({ length: 256 }, (_, code) => code);

/** Virtual buses: smartctl has no words for them, so it is not even started. */
const VIRTUAL: Partial<Record<BlockDrive['bus'], string>> = {
  loop: 'It is a file, not a drive: it has no SMART data.',
  virtio: 'It is a virtual drive: its host knows about its health.',
  mmc: 'Cards have no SMART data.',
};

const SPINNING_BUSES: readonly BlockDrive['bus'][] = ['sata', 'sas', 'scsi', 'usb', 'unknown'];
/** Is there something in it that can spin down? */
const maySleep = (drive: Pick<BlockDrive, 'bus' | 'rotational'>): boolean =>
  drive.rotational !== false && SPINNING_BUSES.includes(drive.bus);

/** @throws AppError parse_failed | command_failed | command_timeout | program_missing */
export async function readSmart(
  commands: Pick<CommandRunner, 'read'>,
  drive: Pick<BlockDrive, 'path' | 'bus'>,
  signal?: AbortSignal,
): Promise<SmartAnswer> {
  const virtual = VIRTUAL[drive.bus];
  if (virtual) return { kind: 'unsupported', reason: virtual };
  const { stdout, exitCode } = await commands.read(
    PROGRAMS.smartctl,
    ['--json', '--nocheck', `standby,${STANDBY_EXIT}`, '--all', '--', drive.path],
    { timeoutMs: TIMEOUT_MS, okExitCodes: ANY_EXIT, ...(signal ? { signal } : {}) },
  );
  return parseSmart(stdout, exitCode);
}

/**
 * Does it sleep now? A drive that cannot is not asked; one that does not answer (or smartctl is not installed) counts as
 * awake, since whoever asks reads it then, and that tells better what is wrong with it.
 */
export async function isAsleep(
  commands: Pick<CommandRunner, 'read'>,
  drive: Pick<BlockDrive, 'path' | 'bus' | 'rotational'>,
): Promise<boolean> {
  if (!maySleep(drive)) return false;
  try {
    const { exitCode } = await commands.read(
      PROGRAMS.smartctl,
      ['--json', '--nocheck', `standby,${STANDBY_EXIT}`, '--info', '--', drive.path],
      { timeoutMs: TIMEOUT_MS, okExitCodes: ANY_EXIT },
    );
    return exitCode === STANDBY_EXIT;
  } catch (error) {
    if (error instanceof AppError) return false;
    throw error;
  }
}
