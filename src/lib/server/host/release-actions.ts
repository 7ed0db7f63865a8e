/** What puts another version in the place of the one that runs: how it is done, and how a shell would say it. */
import { createReadStream, createWriteStream } from 'node:fs';
import { lstat, open, readlink, rename, rm, symlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';
import type { Action, LookResult, ReleaseAction } from '$lib/plugin-api/plan';
import type { JsonObject } from '$lib/shared/json';
import { AppError } from '../errors';
import { nameWhole, partOf } from './download';
import { ownProcess } from './own-process';
import { shellLine, shellWord } from './shell-word';
import { removeRelease, unpackRelease } from './unpack-release';
import { syncDirectory, unlessMissing } from './write-file';

const KINDS = [
  ...(['copy-in', 'unpack-release', 'remove-release', 'point-link'] as const),
  ...(['save-database', 'be-alone', 'start-anew'] as const),
] as const satisfies ReleaseAction['do'][];
export const isRelease = (action: Action): action is ReleaseAction =>
  (KINDS as readonly string[]).includes(action.do);

/** As EX_TEMPFAIL of sysexits.h: "try again"; named in cairn.service. */
const START_ANEW_STATUS = 75;
async function copyIn(action: Extract<ReleaseAction, { do: 'copy-in' }>, signal: AbortSignal): Promise<void> {
  let bytes = 0;
  const part = partOf(action.path);
  const counted = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      done(
        bytes > action.sizeBytes ? new AppError('download_failed', `${action.from} is too long.`) : null,
        chunk,
      );
    },
  });
  await pipeline(createReadStream(action.from), counted, createWriteStream(part, { mode: action.mode }), {
    signal,
  });
  const file = await open(part, 'r');
  await file.sync().finally(() => file.close());
  await nameWhole({ path: action.path, checksum: action.checksum, damaged: 'download_failed' }, signal);
}

async function pointLink(path: string, target: string): Promise<void> {
  const found = await lstat(path).catch((error: NodeJS.ErrnoException) => {
    unlessMissing(error);
    return null;
  });
  if (found && !found.isSymbolicLink())
    throw new AppError('foreign_state', `${path} is there and no link, so it was left as it is.`);
  await rm(`${path}.new`, { force: true });
  await symlink(target, `${path}.new`);
  await rename(`${path}.new`, path);
  await syncDirectory(dirname(path));
}

/** Doing it again after it was done, or half done, is no error. @throws AppError as each of them */
export async function performRelease(action: ReleaseAction, signal: AbortSignal): Promise<void> {
  switch (action.do) {
    case 'copy-in':
      return copyIn(action, signal);
    case 'unpack-release':
      return unpackRelease(action, signal);
    case 'remove-release':
      return removeRelease(action.path);
    case 'point-link':
      return pointLink(action.path, action.target);
    case 'start-anew':
      ownProcess.isEnding = true;
      return ownProcess.end(START_ANEW_STATUS);
    case 'save-database':
    case 'be-alone':
      throw new AppError('bug', `"${action.do}" is done by the engine of operations (operations/alone.ts).`);
  }
}

export function describeRelease(action: ReleaseAction): string {
  switch (action.do) {
    case 'copy-in':
      return shellLine('cp', '--', action.from, action.path);
    case 'unpack-release':
      return `${shellLine('mkdir', '--', action.path)} && ${shellLine('tar', '-xzf', action.archive, '--no-same-owner', '--strip-components=1', '-C', action.path)}`;
    case 'remove-release':
      return shellLine('rm', '-rf', '--one-file-system', '--', action.path);
    case 'point-link':
      return `${shellLine('ln', '-sfn', action.target, `${action.path}.new`)} && ${shellLine('mv', '-T', '--', `${action.path}.new`, action.path)}`;
    case 'save-database':
      return `: copy the database as it is into ${shellWord(action.path)}`;
    case 'be-alone':
      return ': wait until nothing else runs, and let nothing else begin';
    case 'start-anew':
      return 'systemctl restart cairn.service';
  }
}

const linkArguments = z.object({ path: z.string(), target: z.string(), before: z.string() });
export async function lookAtLink(args: JsonObject): Promise<LookResult> {
  const { path, target, before } = linkArguments.parse(args);
  const found = await readlink(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EINVAL') unlessMissing(error);
    return error.code === 'EINVAL' ? '' : null;
  });
  if (found === target) return { status: 'done', evidence: `${path} leads to ${target}.` };
  if (found === null) return { status: 'absent', evidence: `There is no link ${path}.` };
  return found === before
    ? { status: 'absent', evidence: `${path} leads to ${before}.` }
    : { status: 'foreign', evidence: `${path} leads to ${found || 'nothing: it is no link'}.` };
}

const folderArguments = z.object({ path: z.string() });
/** This very process runs from the folder, whatever links have led to it. */
export function lookAtRunning(args: JsonObject): LookResult {
  const { path } = folderArguments.parse(args);
  const running = ownProcess.folder();
  if (running === path) return { status: 'done', evidence: `Cairn runs from ${path}.` };
  return ownProcess.isEnding
    ? { status: 'running', evidence: 'Waits for the service manager, which starts the other version.' }
    : { status: 'absent', evidence: `Cairn runs from ${running}.` };
}
