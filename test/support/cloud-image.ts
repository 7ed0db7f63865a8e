/** A cloud image with a real system in it, made of Debian's packages by a script, once for each state of that script. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const SCRIPT = fileURLToPath(new URL('build-cloud-image.sh', import.meta.url));
const CACHE = fileURLToPath(new URL('../.cache', import.meta.url));
export const BUILD_MS = 600_000;

/** @returns the path of a qcow2 file. @throws Error with what the script said */
export function debianCloudImage(): string {
  const name = `debian-${createHash('sha256').update(readFileSync(SCRIPT)).digest('hex').slice(0, 16)}.qcow2`;
  const path = join(CACHE, name);
  if (existsSync(path)) return path;
  mkdirSync(CACHE, { recursive: true });
  for (const old of readdirSync(CACHE))
    if (old.startsWith('debian-')) rmSync(join(CACHE, old), { recursive: true });
  const { status, stdout, stderr } = spawnSync(SCRIPT, [path], { encoding: 'utf8', timeout: BUILD_MS });
  if (status !== 0) throw new Error(`the image could not be built:\n${stdout}${stderr}`);
  return path;
}
