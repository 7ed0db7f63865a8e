/** What labels and mount paths may be; the form and the server ask the same functions. */
import type { Issue } from './error-codes';
import { issueOf } from './issue';

export const LABEL_MAX_LENGTH = 32;

/** Labels that differ only in case or in how an accent is written are the same label. */
export const labelKey = (label: string): string => label.normalize('NFC').toLowerCase();

/** @returns at most one issue: the first rule that the label breaks */
export function labelIssues(label: string, field = 'label'): Issue[] {
  const length = [...label].length;
  if (label.trim() === '') return [issueOf('label_empty', 'The label is empty.', field)];
  if (length > LABEL_MAX_LENGTH)
    return [issueOf('label_too_long', `The label has ${length} characters.`, field)];
  if (label.startsWith('-')) return [issueOf('label_leading_dash', 'The label starts with a dash.', field)];
  if (/\p{Cc}/u.test(label)) return [issueOf('label_invalid', 'The label has control characters.', field)];
  if (!/^[\p{L}\p{N}][\p{L}\p{M}\p{N} ._-]*$/u.test(label) || label.endsWith(' '))
    return [
      issueOf(
        'label_invalid',
        'The label has characters that are not allowed, or begins or ends with one that may only stand inside.',
        field,
      ),
    ];
  return [];
}

/** A folder name for a label: lower case, ASCII, no spaces. Empty when nothing of the label can be used. */
export const folderName = (label: string): string =>
  label
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, '-')
    .replace(/^[-.]+|[-.]+$/g, '');

/** Where a pool is mounted unless the user says otherwise. */
export const defaultMountPath = (mountRoot: string, label: string, guid: string): string =>
  `${mountRoot}/${folderName(label) || `pool-${guid.slice(0, 8)}`}`;

/** Folders of the system: nothing is mounted on or below them. */
const SYSTEM_FOLDERS = [
  ...['/bin', '/boot', '/dev', '/etc', '/lib', '/lib32', '/lib64', '/libx32', '/proc', '/root', '/run'],
  ...['/sbin', '/sys', '/tmp', '/usr', '/var'],
];
/** Folders that hold others: only something below them may be a mount path. */
const SHARED_FOLDERS = ['/home', '/media', '/mnt', '/opt', '/srv'];

const MOUNT_PATH_MAX_BYTES = 1024;
export const isBelow = (path: string, folder: string): boolean => path.startsWith(`${folder}/`);

/**
 * What the text alone tells about a mount path; whether it is free is asked of the machine.
 * @param mountRoot Cairn's own folder for mounts; below it everything is allowed, wherever it lies
 */
export function mountPathIssues(path: string, mountRoot: string, field = 'mountPath'): Issue[] {
  const invalid = (message: string): Issue[] => [issueOf('mount_path_invalid', message, field)];
  if (!path.startsWith('/'))
    return [issueOf('mount_path_relative', `${JSON.stringify(path)} is not absolute.`, field)];
  if (/\p{Cc}/u.test(path)) return invalid('The mount path has control characters.');
  if (new TextEncoder().encode(path).length > MOUNT_PATH_MAX_BYTES)
    return invalid(`The mount path has more than ${MOUNT_PATH_MAX_BYTES} bytes.`);
  const parts = path.split('/').slice(1);
  if (path === '/' || parts.some((part) => part === '' || part === '.' || part === '..'))
    return invalid(`${path} is not a plain path: no "..", no ".", no doubled or trailing slash.`);
  if (isBelow(path, mountRoot)) return [];
  const system = SYSTEM_FOLDERS.find((folder) => path === folder || isBelow(path, folder));
  if (system) return invalid(`${system} belongs to the system.`);
  if (SHARED_FOLDERS.includes(path) || path === mountRoot || isBelow(mountRoot, path))
    return invalid(`${path} holds other folders, which a mount would hide.`);
  return [];
}

/** What to look for at the machine: the label of a drive's bay, else its serial. */
export const callOf = (drive: {
  bayLabel: string | null;
  serial: string | null;
  kernelName: string | null;
  id: string;
}): string => drive.bayLabel ?? drive.serial ?? drive.kernelName ?? drive.id;
