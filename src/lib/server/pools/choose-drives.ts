/** The drives of a request: found, and everything that speaks against using them. */
import type { Issue } from '$lib/shared/error-codes';
import type { Drive } from '$lib/shared/wire/drives';
import type { PoolCreateRequest } from '$lib/shared/wire/requests';
import { formatBytes } from '$lib/shared/units';
import type { Layout, StoragePlugin } from '$lib/plugin-api/storage';
import { AppError, issue } from '../errors';

export interface Choice {
  drive: Drive;
  label: string;
}

type DriveRequest = Pick<PoolCreateRequest, 'drives'>;

const named = (drive: Drive): string => drive.serial ?? drive.kernelName ?? drive.id;

function driveIssues(drive: Drive, field: string, plugin: StoragePlugin | null, alone: boolean): Issue[] {
  const found = drive.issues.map((known): Issue => ({ ...known, field }));
  const has = (code: Issue['code']): boolean => found.some((known) => known.code === code);
  if (drive.pool && !has('drive_in_pool'))
    found.push(
      issue('drive_in_pool', `Drive ${named(drive)} belongs to the pool "${drive.pool.label}".`, field),
    );
  // Alone it is the drive at its place, whichever that is; among several, nobody could tell which slot it was.
  if (drive.identity !== 'strong' && !alone && !has('drive_ambiguous'))
    found.push(
      issue(
        'drive_ambiguous',
        `Drive ${named(drive)} cannot be told from others by a serial number of its own.`,
        field,
      ),
    );
  if (plugin && drive.sizeBytes < plugin.minimumDriveBytes)
    found.push(
      issue(
        'drive_too_small',
        `Drive ${named(drive)} has ${formatBytes(drive.sizeBytes)}; ${plugin.name} needs ${formatBytes(plugin.minimumDriveBytes)}.`,
        field,
      ),
    );
  return found;
}

/** Those that a request names, whose content is read before its plan is made. */
export function namedDrives(request: DriveRequest, drives: Drive[]): Drive[] {
  const wanted = new Set(
    request.drives.flatMap((drive) => [drive.id ?? '', drive.serial?.toLowerCase() ?? '']),
  );
  return drives.filter((drive) => wanted.has(drive.id) || wanted.has(drive.serial?.toLowerCase() ?? ' '));
}

/**
 * @param find by stable id or by serial; throws drive_ambiguous when several present drives have the serial
 * @param joining they join a pool that has drives already
 */
export function chooseDrives(
  request: DriveRequest,
  plugin: StoragePlugin | null,
  find: (idOrSerial: string) => Drive | null,
  joining = false,
): { choices: Choice[]; issues: Issue[] } {
  const issues: Issue[] = [];
  const choices: Choice[] = [];
  const seen = new Map<string, number>();
  request.drives.forEach((wanted, index) => {
    const field = `drives.${index}`;
    const name = wanted.id ?? wanted.serial ?? '';
    let drive: Drive | null = null;
    try {
      drive = find(name);
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      issues.push(issue(error.code, error.message, field, error.remedy));
      return;
    }
    if (!drive) {
      issues.push(issue('drive_not_found', `There is no drive ${JSON.stringify(name)}.`, field));
      return;
    }
    const before = seen.get(drive.id);
    if (before !== undefined) {
      issues.push(issue('drive_duplicate', `Drive ${named(drive)} is also number ${before + 1}.`, field));
      return;
    }
    seen.set(drive.id, index);
    issues.push(...driveIssues(drive, field, plugin, request.drives.length === 1 && !joining));
    choices.push({
      drive,
      label: wanted.label || drive.bayLabel || drive.serial || `Drive ${index + 1}`,
    });
  });
  return { choices, issues };
}

export function countIssues(count: number, layout: Layout | null): Issue[] {
  if (layout?.maxDrives === 0)
    return count === 0
      ? []
      : [issue('too_many_drives', `${layout.title} takes no drives of this machine.`, 'drives')];
  if (count === 0) return [issue('no_drives', 'No drive is chosen.', 'drives')];
  if (!layout) return [];
  if (count < layout.minDrives)
    return [
      issue(
        'too_few_drives',
        `${layout.title} needs at least ${layout.minDrives} drives; ${count} chosen.`,
        'drives',
      ),
    ];
  if (layout.maxDrives !== null && count > layout.maxDrives)
    return [
      issue(
        'too_many_drives',
        `${layout.title} takes at most ${layout.maxDrives} drives; ${count} chosen.`,
        'drives',
      ),
    ];
  return [];
}
