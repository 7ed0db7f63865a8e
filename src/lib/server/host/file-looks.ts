/** The core's looks at files and folders. They change nothing and never guess. */
import type { Stats } from 'node:fs';
import { lstat, readFile } from 'node:fs/promises';
import { z } from 'zod';
import type { LookResult, LookStatus } from '$lib/plugin-api/plan';
import type { JsonObject } from '$lib/shared/json';

const seen = (status: LookStatus, evidence: string): LookResult => ({ status, evidence });

const pathArguments = z.object({ path: z.string() });
const fileArguments = z.object({ path: z.string(), content: z.string(), replaces: z.string().optional() });
const sparseArguments = z.object({ path: z.string(), sizeBytes: z.number() });

async function statOf(path: string): Promise<Stats | null> {
  return lstat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return null;
    throw error;
  });
}

export async function file(args: JsonObject): Promise<LookResult> {
  const { path, content, replaces } = fileArguments.parse(args);
  const found = await statOf(path);
  if (!found) return seen('absent', `There is no file ${path}.`);
  if (!found.isFile()) return seen('foreign', `${path} is there, but is no file.`);
  const text = await readFile(path, 'utf8');
  if (text === content) return seen('done', `The file ${path} has the wanted content.`);
  return text === replaces
    ? seen('absent', `The file ${path} has the content that is to be replaced.`)
    : seen('foreign', `The file ${path} has another content.`);
}

export async function fileThere(args: JsonObject): Promise<LookResult> {
  const { path } = pathArguments.parse(args);
  const found = await statOf(path);
  if (!found) return seen('absent', `There is no file ${path}.`);
  return found.isFile()
    ? seen('done', `The file ${path} is there.`)
    : seen('foreign', `${path} is there, but is no file.`);
}

/** Members and labels change; whose file it is does not. */
function identityGuid(text: string): string | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && 'guid' in value ? String(value.guid) : null;
  } catch {
    return null; // no JSON: nobody's identity
  }
}

export async function identity(args: JsonObject): Promise<LookResult> {
  const result = await file(args);
  const { path, content } = fileArguments.parse(args);
  if (result.status !== 'foreign' || (await statOf(path))?.isFile() !== true) return result;
  return identityGuid(await readFile(path, 'utf8')) === identityGuid(content)
    ? seen('absent', `The file ${path} tells an earlier state of the pool.`)
    : result;
}

export async function sparseFile(args: JsonObject): Promise<LookResult> {
  const { path, sizeBytes } = sparseArguments.parse(args);
  const found = await statOf(path);
  if (!found) return seen('absent', `There is no file ${path}.`);
  if (!found.isFile()) return seen('foreign', `${path} is there, but is no file.`);
  if (found.size === sizeBytes) return seen('done', `The file ${path} has ${sizeBytes} bytes.`);
  return found.size === 0
    ? seen('partial', `The file ${path} is there, still empty.`)
    : seen('foreign', `The file ${path} has ${found.size} bytes, not ${sizeBytes}.`);
}

export async function directory(args: JsonObject): Promise<LookResult> {
  const { path } = pathArguments.parse(args);
  const found = await statOf(path);
  if (!found) return seen('absent', `There is no folder ${path}.`);
  return found.isDirectory()
    ? seen('done', `The folder ${path} is there.`)
    : seen('foreign', `${path} is there, but is no folder.`);
}
