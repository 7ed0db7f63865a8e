/**
 * Sandbox drives that are slow, fail, die or run out of room. The file in the sandbox folder, on which the loop device
 * is attached, is not a plain one: qemu-storage-daemon exports it over FUSE (raw file → blkdebug → throttle → FUSE), or
 * it lies on a file system that is too small for it. The kernel tells the very path that the product knows a sandbox
 * drive by.
 */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { attachLoop, detachLoops, unmountFrom, type LoopDrive } from './loop-drives';
import { connectQmp, type Qmp } from './qmp';

export type Failing = 'read' | 'write';

export interface FaultDrive extends LoopDrive {
  /** Bytes a second for reading and writing together; null: as fast as it goes. */
  setSpeed(bytesPerSecond: number | null): Promise<void>;
  /** From now on these end with EIO, at `sector` (512 bytes) only or everywhere. An empty list heals the drive. */
  fail(what: Failing[], sector?: number): Promise<void>;
  /** Kills the daemon: every access from now on is an error. It does not come back. */
  die(): void;
  /** Unmounts what is mounted from it, detaches it, ends the daemon. May be called twice. */
  cleanUp(): Promise<void>;
}

const DAEMON = '/usr/bin/qemu-storage-daemon';
const DEADLINE_MS = 10_000;

async function until(what: string, isSo: () => boolean): Promise<void> {
  const end = Date.now() + DEADLINE_MS;
  while (!isSo()) {
    if (Date.now() > end) throw new Error(`${what}: not within ${DEADLINE_MS} ms`);
    await sleep(10);
  }
}
const isMountPoint = (path: string): boolean =>
  readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .some((line) => line.split(' ')[4] === path);
function unmountAt(path: string): void {
  if (isMountPoint(path)) execFileSync('/usr/bin/umount', ['--lazy', '--', path]);
}

function startDaemon(raw: string, mountPoint: string, socket: string): ChildProcess {
  return spawn(
    DAEMON,
    [
      ...['--blockdev', `driver=file,node-name=file,filename=${raw},discard=unmap`],
      ...['--blockdev', 'driver=raw,node-name=disk,file=file,discard=unmap'],
      ...['--object', 'throttle-group,id=speed'],
      ...['--blockdev', 'driver=throttle,node-name=top,file=disk,throttle-group=speed,discard=unmap'],
      ...['--export', `type=fuse,id=export,node-name=top,mountpoint=${mountPoint},writable=on`],
      ...['--chardev', `socket,id=qmp,path=${socket},server=on,wait=off`],
      ...['--monitor', 'chardev=qmp'],
    ],
    { stdio: 'ignore' },
  );
}

/** A drive in a sandbox folder whose reads and writes can be slowed, made to fail, and ended while it is used. */
export async function makeFaultDrive(
  sandboxDir: string,
  serial: string,
  sizeBytes: number,
): Promise<FaultDrive> {
  const own = mkdtempSync(join(tmpdir(), 'cairn-fault-'));
  const file = join(sandboxDir, `${serial}.img`);
  const raw = join(own, 'content.raw');
  for (const path of [file, raw]) writeFileSync(path, '');
  truncateSync(raw, sizeBytes);
  const daemon = startDaemon(raw, file, join(own, 'qmp'));
  const drive = { file, path: '', serial, id: `drive-${serial.toLowerCase()}` };
  let qmp: Qmp | undefined;
  let faults = 0;

  async function setSpeed(bytesPerSecond: number | null): Promise<void> {
    await qmp?.command('qom-set', {
      path: '/objects/speed',
      property: 'limits',
      value: { 'bps-total': bytesPerSecond ?? 0 },
    });
  }
  async function fail(what: Failing[], sector?: number): Promise<void> {
    const node = what.length === 0 ? 'disk' : `fault-${(faults += 1)}`;
    if (what.length > 0)
      await qmp?.command('blockdev-add', {
        driver: 'blkdebug',
        'node-name': node,
        image: 'disk',
        'inject-error': what.map((iotype) => ({
          event: 'none',
          iotype,
          errno: 5,
          ...(sector === undefined ? {} : { sector }),
        })),
      });
    await qmp?.command('blockdev-reopen', {
      options: [
        { driver: 'throttle', 'node-name': 'top', file: node, 'throttle-group': 'speed', discard: 'unmap' },
      ],
    });
  }
  const die = (): void => void daemon.kill('SIGKILL');
  async function cleanUp(): Promise<void> {
    // Waiting writes first get a drive that answers; a dead one answers with errors.
    if (daemon.exitCode === null && daemon.signalCode === null) {
      await setSpeed(null);
      await fail([]);
    }
    try {
      unmountFrom([file]);
      detachLoops(file);
    } finally {
      qmp?.close();
      die();
      await until('the end of the daemon', () => daemon.exitCode !== null || daemon.signalCode !== null);
      unmountAt(file);
      for (const path of [own, file]) rmSync(path, { recursive: true, force: true });
    }
  }
  try {
    await until('the FUSE export', () => isMountPoint(file) && statSync(file).size === sizeBytes);
    qmp = await connectQmp(join(own, 'qmp'));
    drive.path = attachLoop(file);
    // A discard of the whole drive would pass the throttle as so many bytes, and take as long as writing all of it.
    const queue = `/sys/block/${basename(drive.path)}/queue/discard_max_bytes`;
    writeFileSync(queue, '0');
  } catch (error) {
    await cleanUp();
    throw error;
  }
  return Object.assign(drive, { setSpeed, fail, die, cleanUp });
}

export interface CrampedDrive extends LoopDrive {
  cleanUp(): void;
}

/** A drive of `sizeBytes` whose file lies on a file system with room for `roomBytes` only. */
export function makeCrampedDrive(
  sandboxDir: string,
  serial: string,
  sizeBytes: number,
  roomBytes: number,
): CrampedDrive {
  const own = mkdtempSync(join(tmpdir(), 'cairn-cramped-'));
  const file = join(sandboxDir, `${serial}.img`);
  const room = join(own, 'room');
  const drive = { file, path: '', serial, id: `drive-${serial.toLowerCase()}` };
  const cleanUp = (): void => {
    unmountFrom([file]);
    detachLoops(file);
    unmountAt(file);
    unmountAt(room);
    for (const path of [own, file]) rmSync(path, { recursive: true, force: true });
  };
  try {
    mkdirSync(room);
    execFileSync('/usr/bin/mount', ['-t', 'tmpfs', '-o', `size=${roomBytes}`, 'tmpfs', room]);
    writeFileSync(join(room, 'content.raw'), '');
    truncateSync(join(room, 'content.raw'), sizeBytes);
    writeFileSync(file, '');
    execFileSync('/usr/bin/mount', ['--bind', join(room, 'content.raw'), file]);
    drive.path = attachLoop(file);
  } catch (error) {
    cleanUp();
    throw error;
  }
  return Object.assign(drive, { cleanUp });
}

/** A process: its name and its group; null when it is gone or only its exit status is left. */
function processOf(pid: string): { name: string; group: string } | null {
  try {
    const [, name, state, group] =
      /\((.*)\) (\S) \d+ (\d+)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8')) ?? [];
    return name && group && state !== 'Z' ? { name, group } : null;
  } catch {
    return null; // gone since it was listed
  }
}
function hasOpen(pid: string, path: string): boolean {
  try {
    return readdirSync(`/proc/${pid}/fd`).some((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`) === path);
  } catch {
    return false; // it ended, or closed the file, while it was looked at
  }
}
const pids = (): string[] => readdirSync('/proc').filter((name) => /^\d+$/.test(name));

/** Process groups in which a program of this name is at work on the device. */
export const groupsAt = (path: string, name: string): string[] =>
  pids().flatMap((pid) => {
    const found = processOf(pid);
    return found?.name === name && hasOpen(pid, path) ? [found.group] : [];
  });
/** Pids of everything that lives in a process group. */
export const livingIn = (group: string): string[] => pids().filter((pid) => processOf(pid)?.group === group);
