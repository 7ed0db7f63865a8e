/** Drives for tests: sparse files on loop devices. Nothing else of the machine is touched. */
import { execFileSync, spawnSync } from 'node:child_process';
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface LoopDrive {
  file: string;
  /** `/dev/loop3` */
  path: string;
  serial: string;
  /** The id that the inventory gives it when `directory` is its sandbox folder. */
  id: string;
}
export interface LoopDrives {
  directory: string;
  drives: LoopDrive[];
  /** Detaches one, as if it was pulled. */
  detach(drive: LoopDrive): void;
  /** Attaches it again, perhaps under another name; the drive's `path` follows. */
  attach(drive: LoopDrive): void;
  /** Unmounts what is mounted from them, detaches all, removes the files. May be called twice. */
  cleanUp(): void;
}

const tool = (program: string, ...argv: string[]): string =>
  execFileSync(program, argv, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim();

const loopsOf = (file: string): string[] =>
  readdirSync('/sys/block')
    .filter((name) => name.startsWith('loop'))
    .filter((name) => {
      try {
        return readFileSync(`/sys/block/${name}/loop/backing_file`, 'utf8').trim() === file;
      } catch {
        return false; // not attached
      }
    })
    .map((name) => `/dev/${name}`);

/** @returns its device, `/dev/loop3` */
export const attachLoop = (file: string): string =>
  tool('/usr/sbin/losetup', '--find', '--show', '--partscan', '--', file);

/** Detaches every loop device of the file. Whoever has one open (a probe of another run) keeps it for a moment: waited for. */
export function detachLoops(file: string): void {
  const until = Date.now() + 5_000;
  for (let left = loopsOf(file); left.length > 0; left = loopsOf(file)) {
    for (const loop of left) spawnSync('/usr/sbin/losetup', ['--detach', loop]);
    if (Date.now() > until) throw new Error(`${left.join(', ')} cannot be detached`);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2);
  }
}

/** Unmounts everything that is mounted from the loop devices of these files. */
export const unmountFrom = (files: string[]): void => unmountAll(files.flatMap(loopsOf));

function unmountAll(devices: string[]): void {
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8').split('\n').reverse();
  for (const line of mounts) {
    const [before = '', after = ''] = line.split(' - ');
    const source = after.split(' ')[1] ?? '';
    const path = before.split(' ')[4]?.replaceAll('\\040', ' ');
    if (path && devices.some((device) => source === device || source.startsWith(`${device}p`)))
      tool('/usr/bin/umount', '--', path);
  }
}

/**
 * Makes `count` drives of `sizeBytes` in a folder of their own. When one cannot be made, the others are cleaned up
 * before the error is thrown; otherwise call `cleanUp` in `afterEach` or `finally`.
 */
export function makeLoopDrives(count: number, sizeBytes = 512 * 1024 ** 2, prefix = 'SBX-TEST'): LoopDrives {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), 'cairn-drives-')));
  const drives: LoopDrive[] = [];
  const attach = (drive: LoopDrive): void => {
    drive.path = attachLoop(drive.file);
  };
  const detach = (drive: LoopDrive): void => detachLoops(drive.file);
  const cleanUp = (): void => {
    const failed: unknown[] = [];
    const attempt = (act: () => void): void => {
      try {
        act();
      } catch (error) {
        failed.push(error); // the others are cleaned up all the same
      }
    };
    attempt(() => unmountFrom(drives.map((drive) => drive.file)));
    for (const drive of drives) attempt(() => detach(drive));
    rmSync(directory, { recursive: true, force: true });
    if (failed.length > 0) throw new AggregateError(failed, `${directory} could not be cleaned up`);
  };
  try {
    for (let index = 1; index <= count; index += 1) {
      const serial = `${prefix}-${String(index).padStart(2, '0')}`;
      const drive = {
        file: join(directory, `${serial}.img`),
        path: '',
        serial,
        id: `drive-${serial.toLowerCase()}`,
      };
      writeFileSync(drive.file, '');
      truncateSync(drive.file, sizeBytes);
      drives.push(drive);
      attach(drive);
    }
  } catch (error) {
    cleanUp();
    throw error;
  }
  return { directory, drives, detach, attach, cleanUp };
}
