/** Who a drive is, on whatever port and under whatever name: pure. */
import { basename, dirname } from 'node:path';
import type { Drive } from '$lib/shared/wire/drives';
import type { KernelDrive } from './sysfs';

export interface Identity {
  id: string;
  identity: Drive['identity'];
  sandbox: boolean;
  serial: string | null;
  model: string | null;
}

const kebab = (text: string): string =>
  text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '');

const SANDBOX_FILE = /^(.+)\.img$/;

function ownIdentity(drive: KernelDrive, sandboxDir: string): Identity {
  const { backingFile, serial, model, wwn } = drive;
  const sandboxSerial =
    backingFile && dirname(backingFile) === sandboxDir ? SANDBOX_FILE.exec(basename(backingFile))?.[1] : null;
  if (sandboxSerial)
    return {
      id: `drive-${kebab(sandboxSerial)}`,
      identity: 'strong',
      sandbox: true,
      serial: sandboxSerial,
      model: 'Sandbox drive',
    };
  const base = { sandbox: false, serial, model: backingFile ? 'Loop device' : model };
  if (backingFile) return { ...base, id: `drive-loop-${kebab(backingFile)}`, identity: 'weak' };
  if (wwn) return { ...base, id: `drive-${kebab(wwn)}`, identity: 'strong' };
  if (serial) return { ...base, id: `drive-${kebab(`${model ?? drive.bus} ${serial}`)}`, identity: 'strong' };
  return { ...base, id: `drive-at-${kebab(drive.place)}`, identity: 'weak' };
}

/**
 * Stable ids of all present drives. Where two claim the same (cloned WWN, two paths to one drive, a file attached
 * twice), none of them is believed: all are ambiguous and told apart by their place.
 */
export function identify(drives: KernelDrive[], sandboxDir: string): (KernelDrive & Identity)[] {
  const own = drives
    .map((drive) => ({ ...drive, ...ownIdentity(drive, sandboxDir) }))
    // Detached, and still open somewhere: it is as good as gone, and may be attached again under another name already.
    .filter((drive) => !(drive.sandbox && drive.leaving));
  const count = new Map<string, number>();
  for (const { id } of own) count.set(id, (count.get(id) ?? 0) + 1);
  return own.map((drive) =>
    (count.get(drive.id) ?? 0) > 1
      ? { ...drive, id: `${claimedBy(drive.id)}${kebab(drive.place)}`, identity: 'ambiguous' }
      : drive,
  );
}

const claimedBy = (id: string): string => `${id}-at-`;
/** The drive says that it has this id, and so does another one. */
export const isClaimant = (drive: Pick<Identity, 'id' | 'identity'>, id: string): boolean =>
  drive.identity === 'ambiguous' && drive.id.startsWith(claimedBy(id));
