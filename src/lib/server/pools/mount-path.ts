/** Is a mount path free? The text's own rules are in shared/names.ts; here the machine and the other pools are asked. */
import { lstat, readdir, realpath } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Issue } from '$lib/shared/error-codes';
import { isBelow, mountPathIssues } from '$lib/shared/names';
import { issue } from '../errors';
import type { MountEntry } from '../host/types';

const FIELD = 'mountPath';
const isGone = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR');

async function orNull<T>(read: Promise<T>): Promise<T | null> {
  try {
    return await read;
  } catch (error) {
    if (isGone(error)) return null;
    throw error;
  }
}

async function parentIssues(path: string): Promise<Issue[]> {
  const parent = dirname(path);
  const real = await orNull(realpath(parent));
  if (real === null)
    return [
      issue(
        'mount_path_invalid',
        `There is no folder ${parent}.`,
        FIELD,
        'Make that folder first, or choose a path in one that is there.',
      ),
    ];
  // The mount table names real paths: a mount through a link would not be found again under its name.
  if (real !== parent)
    return [
      issue(
        'mount_path_invalid',
        `${parent} is a symbolic link, or lies behind one.`,
        FIELD,
        `Use its real path, below ${real}.`,
      ),
    ];
  return [];
}

async function folderIssues(path: string): Promise<{ existed: boolean; issues: Issue[] }> {
  const found = await orNull(lstat(path));
  if (!found) return { existed: false, issues: await parentIssues(path) };
  if (!found.isDirectory())
    return {
      existed: true,
      issues: [issue('mount_path_invalid', `${path} is there and is no folder.`, FIELD)],
    };
  const content = await readdir(path);
  if (content.length > 0)
    return {
      existed: true,
      issues: [
        issue(
          'mount_path_in_use',
          `The folder ${path} is not empty: ${content.slice(0, 3).join(', ')}.`,
          FIELD,
          'Choose an empty folder, or one that does not exist yet.',
        ),
      ],
    };
  return { existed: true, issues: await parentIssues(path) };
}

export interface MountPathQuestion {
  path: string;
  mountRoot: string;
  mounts: MountEntry[];
  /** The other pools and where they are mounted. */
  pools: { label: string; mountPath: string }[];
}

/** @returns whether the folder is there already (then it is the user's and stays), and what speaks against the path */
export async function judgeMountPath(
  question: MountPathQuestion,
): Promise<{ existed: boolean; issues: Issue[] }> {
  const { path, mountRoot, mounts, pools } = question;
  const form = mountPathIssues(path, mountRoot, FIELD);
  if (form.length > 0) return { existed: false, issues: form };
  const same = pools.find((pool) => pool.mountPath === path);
  if (same)
    return {
      existed: true,
      issues: [issue('mount_path_in_use', `The pool "${same.label}" has the mount path ${path}.`, FIELD)],
    };
  const nested = pools.find((pool) => isBelow(path, pool.mountPath) || isBelow(pool.mountPath, path));
  if (nested)
    return {
      existed: false,
      issues: [
        issue(
          'mount_path_invalid',
          `${path} and ${nested.mountPath} of the pool "${nested.label}" lie in each other.`,
          FIELD,
        ),
      ],
    };
  const mounted = mounts.find((entry) => entry.path === path);
  if (mounted)
    return {
      existed: true,
      issues: [
        issue('mount_path_in_use', `${mounted.source} (${mounted.filesystem}) is mounted at ${path}.`, FIELD),
      ],
    };
  return folderIssues(path);
}
