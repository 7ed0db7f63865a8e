/**
 * What somebody wants to install, read and kept aside so that it can be judged: a folder or an archive on this host, an archive
 * that is sent, or an address with its checksum. Nothing of it is run, and it is forgotten after a day.
 */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { lstat, readFile } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import type { StagedPlugin } from '$lib/shared/wire/plugins';
import type { StageRequest } from '$lib/shared/wire/plugin-requests';
import { AppError } from '../errors';
import {
  MOST_TREE_BYTES,
  readTree,
  treeDigest,
  treeOfArchive,
  unsuitable,
  writeTree,
  type FileTree,
} from '../host/file-tree';
import { readUrlBytes } from '../host/open-url';
import { BUILT_IN } from '../plugins/loader';
import { MANIFEST, manifestOf, type Manifest } from '../plugins/manifest';
import type { Installed } from '../plugins/installed';

export interface Staged {
  manifest: Manifest;
  sha256: string;
  path: string;
  tree: FileTree;
}

async function treeAt(path: string): Promise<FileTree> {
  if (!isAbsolute(path)) throw unsuitable(`"${path}" is no absolute path of this host.`);
  const found = await lstat(path).catch((cause: unknown) => {
    throw new AppError('plugin_unsuitable', `${path} cannot be read on this host.`, { cause });
  });
  if (found.isDirectory()) return readTree(path, { skipHidden: true });
  if (!found.isFile() || found.size > MOST_TREE_BYTES)
    throw unsuitable(`${path} is neither a folder nor an archive of at most 16 MiB.`);
  return treeOfArchive(await readFile(path), MANIFEST);
}

async function treeFrom(url: string, checksum: string, allowPrivate: boolean): Promise<FileTree> {
  const bytes = await readUrlBytes(url, { allowPrivate, verified: true }, MOST_TREE_BYTES);
  const found = createHash('sha256').update(bytes).digest('hex');
  if (found === checksum) return treeOfArchive(bytes, MANIFEST);
  throw new AppError('plugin_checksum', `The SHA-256 of what came from ${url} is ${found}.`);
}

/** @throws AppError plugin_unsuitable | plugin_checksum | plugin_built_in | download_failed */
export async function stage(
  installed: Installed,
  request: StageRequest | { archive: Buffer; name: string },
): Promise<StagedPlugin> {
  const tree = await ('archive' in request
    ? treeOfArchive(request.archive, MANIFEST)
    : 'path' in request
      ? treeAt(request.path)
      : treeFrom(request.url, request.sha256, request.allowPrivate));
  const manifest = manifestOf(tree);
  if (BUILT_IN.includes(manifest.id))
    throw new AppError(
      'plugin_built_in',
      `"${manifest.id}" is the name of a plugin that is a part of Cairn.`,
      {
        remedy: 'Its author has to give it another name.',
      },
    );
  const sha256 = treeDigest(tree);
  const source = 'archive' in request ? request.name : 'path' in request ? request.path : request.url;
  await writeTree(join(installed.stagedDir, sha256), tree);
  return {
    ...{ id: manifest.id, name: manifest.name, version: manifest.version, description: manifest.description },
    ...{ source, sha256 },
    programs: manifest.programs.map((path) => ({ path, there: existsSync(path) })),
    files: tree.size,
    sizeBytes: [...tree.values()].reduce((sum, content) => sum + content.length, 0),
    replaces: installed.trustOf(manifest.id)?.version ?? null,
  };
}

/** What was kept aside, read again. @throws AppError plugin_not_found when it is gone or not what it was */
export async function readStaged(installed: Installed, sha256: string): Promise<Staged> {
  const path = join(installed.stagedDir, sha256);
  if (!existsSync(path))
    throw new AppError('plugin_not_found', 'What was looked at is not there any more.', {
      remedy: 'Say again where the plugin is from.',
    });
  const tree = await readTree(path);
  if (treeDigest(tree) !== sha256) throw unsuitable('What was looked at has been changed on disk since.');
  return { manifest: manifestOf(tree), sha256, path, tree };
}
