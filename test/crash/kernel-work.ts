/** Work of the kernel on a mounted btrfs, made slow or paused for a test, so that a kill surely meets it. */
import { spawn, spawnSync } from 'node:child_process';
import {
  closeSync,
  constants,
  copyFileSync,
  existsSync,
  fsyncSync,
  openSync,
  readdirSync,
  readFileSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseScrub } from '$plugins/btrfs/parse-scrub';

const BTRFS = '/usr/bin/btrfs';
const SLOW_BYTES_PER_SECOND = 512 * 1024;

const say = (...argv: string[]): string => {
  const { stdout, stderr } = spawnSync(BTRFS, argv, { encoding: 'utf8' });
  return `${stdout}${stderr}`;
};

/**
 * Scrubs and replacements of a mounted filesystem read half a mebibyte a second from each of its devices, or as fast as they
 * can (Documentation/admin-guide/btrfs: scrub_speed_max).
 */
export function limitSpeed(uuid: string, slow: boolean): void {
  const devices = `/sys/fs/btrfs/${uuid}/devinfo`;
  for (const number of existsSync(devices) ? readdirSync(devices) : [])
    writeFileSync(join(devices, number, 'scrub_speed_max'), String(slow ? SLOW_BYTES_PER_SECOND : 0));
}

/** In its first moments a scrub has no status yet: the parser knows. */
export function isScrubbing(path: string): boolean {
  for (let tries = 1; ; tries++) {
    const text = say('scrub', 'status', '--raw', path);
    try {
      return parseScrub(text).state === 'running';
    } catch (error) {
      // It ends at once while the server reads the same record (flock with LOCK_NB).
      if (tries < 100 && text.includes('Resource temporarily unavailable')) continue;
      throw new Error(`btrfs scrub status ${path} said ${JSON.stringify(text)}`, { cause: error });
    }
  }
}
export async function endScrub(path: string): Promise<void> {
  for (; isScrubbing(path); await sleep(50)) say('scrub', 'cancel', path);
}
export async function beginScrub(uuid: string, path: string): Promise<void> {
  limitSpeed(uuid, true);
  // It stays behind with the streams it was given: who waited for their end would wait for the scrub.
  for (; !isScrubbing(path); await sleep(50)) spawnSync(BTRFS, ['scrub', 'start', path], { stdio: 'ignore' });
}

export const balanceOf = (path: string): string =>
  /is (running|paused)|No balance/.exec(say('balance', 'status', path))?.[0] ?? 'unknown';
export async function awaitNoBalance(path: string): Promise<void> {
  for (; balanceOf(path) !== 'No balance'; await sleep(50)) say('balance', 'resume', path);
}
export async function endBalance(path: string): Promise<void> {
  for (; balanceOf(path) !== 'No balance'; await sleep(50)) say('balance', 'cancel', path);
}

const BLOCK = 4096;
/**
 * Makes a balance take seconds: nothing limits its speed, but each block that it moves has to be told to everything that
 * refers to it. A file of thousands of extents, and copies that share them.
 */
export function manyReferences(path: string): void {
  const file = join(path, 'fragments.bin');
  if (existsSync(file)) return;
  const fragments = openSync(file, 'w');
  writeSync(fragments, Buffer.alloc(2048 * BLOCK, 'more'));
  fsyncSync(fragments);
  for (let block = 0; block < 2048; block += 2)
    writeSync(fragments, Buffer.alloc(BLOCK, 'once'), 0, BLOCK, block * BLOCK);
  fsyncSync(fragments);
  closeSync(fragments);
  for (let copy = 0; copy < 40; copy++)
    copyFileSync(file, `${file}.${copy}`, constants.COPYFILE_FICLONE_FORCE);
  spawnSync('/usr/bin/sync', ['--file-system', file]);
}

/** Begins one and pauses it while it is at work. */
export async function pausedBalance(path: string): Promise<void> {
  while (balanceOf(path) !== 'is paused') {
    const balance = spawn(BTRFS, ['balance', 'start', '--full-balance', path], { stdio: 'ignore' });
    const ended = new Promise((resolve) => balance.once('exit', resolve));
    while (balance.exitCode === null && balance.signalCode === null && balanceOf(path) !== 'is paused') {
      say('balance', 'pause', path);
      await sleep(1);
    }
    await ended;
  }
}

export const hasCounted = (path: string): boolean => /_errs +[1-9]/.test(say('device', 'stats', path));
/**
 * Lets the filesystem count an error on one of its mirrored drives: it is damaged below the filesystem wherever `content`
 * is, and a scrub finds and mends it. Wherever: a balance leaves the blocks that it has moved behind, and nobody reads
 * those any more.
 */
export function countError(path: string, image: string, content: Buffer): void {
  if (hasCounted(path)) return;
  const bytes = readFileSync(image);
  const places = [];
  for (let at = bytes.indexOf(content); at >= 0; at = bytes.indexOf(content, at + content.length))
    places.push(at);
  if (places.length === 0) throw new Error(`the content is not on ${image}`);
  const file = openSync(image, 'r+');
  for (const at of places) writeSync(file, Buffer.alloc(content.length), 0, content.length, at);
  fsyncSync(file);
  closeSync(file);
  say('scrub', 'start', '-B', path);
  if (!hasCounted(path)) throw new Error(`no error was counted: ${say('device', 'stats', path)}`);
}
