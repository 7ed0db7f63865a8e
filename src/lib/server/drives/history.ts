/** The history of a drive, for whoever asks for it from outside. */
import type { DriveSample } from '$lib/shared/wire/drives';
import type { Clock } from '../clock';
import type { Drives } from './drive';
import type { DriveHealths } from './health';

const DAY_MS = 86_400_000;

/** @returns points of the last days, oldest first. @throws AppError drive_not_found */
export function driveHistory(
  services: { drives: Pick<Drives, 'get'>; driveHealth: Pick<DriveHealths, 'history'>; clock: Clock },
  driveId: string,
  days: number,
): DriveSample[] {
  const { id } = services.drives.get(driveId);
  return services.driveHealth.history(id, services.clock.now() - days * DAY_MS);
}
