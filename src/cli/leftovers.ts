/** What a Cairn in a folder of its own left on the machine, found by that folder, and taken away. */
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';

/** Mount points below a folder, parents first. */
export const mountsBelow = (folder: string): string[] =>
  readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[4] ?? '')
    .filter((path) => path.startsWith(`${folder}/`))
    .sort();

export function loopsBelow(folder: string): { device: string; file: string }[] {
  const { stdout } = spawnSync(
    '/usr/sbin/losetup',
    ['--list', '--noheadings', '--output', 'NAME,BACK-FILE', '--raw'],
    { encoding: 'utf8' },
  );
  return stdout
    .split('\n')
    .map((line) => line.split(' '))
    .filter(([, file]) => file?.startsWith(`${folder}/`))
    .map(([device = '', file = '']) => ({ device, file }))
    .sort((a, b) => (a.file < b.file ? -1 : 1));
}

/** Processes whose command line names the folder: supervisors and their programs. */
export function orphansOf(folder: string): number[] {
  const { stdout } = spawnSync('/usr/bin/pgrep', ['-f', '--', folder], { encoding: 'utf8' });
  return stdout
    .split('\n')
    .filter(Boolean)
    .map(Number)
    .filter((pid) => pid !== process.pid);
}

/** A folder with all that is in it, also mount points that nobody may change. Nothing is mounted below it any more. */
export function removeFolder(path: string): void {
  spawnSync('/usr/bin/chattr', ['-R', '-f', '-i', '--', path]);
  rmSync(path, { recursive: true, force: true });
}

/** Ends what still works for a Cairn that was killed, and gives back what it had mounted and attached. */
export function releaseBelow(folder: string): void {
  for (const pid of orphansOf(folder))
    try {
      process.kill(pid, 'SIGKILL');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  for (const path of mountsBelow(folder).toReversed()) spawnSync('/usr/bin/umount', ['-l', '--', path]);
  for (const { device } of loopsBelow(folder)) {
    spawnSync('/usr/bin/partx', ['--delete', device]);
    spawnSync('/usr/sbin/losetup', ['--detach', device]);
  }
}
