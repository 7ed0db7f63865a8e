/**
 * This machine's own Debian, to be installed into and thrown away: an overlay over its root, entered by chroot in namespaces of its own.
 * No systemd runs in it, and nothing that is done in it reaches the machine.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { removeFolder } from '../../src/cli/leftovers';

const PATHS = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

export class DebianRoot {
  readonly folder = mkdtempSync(join(tmpdir(), 'cairn-root-'));
  readonly #upper = join(this.folder, 'upper');

  constructor() {
    for (const name of ['upper', 'work', 'root']) mkdirSync(join(this.folder, name));
  }
  /** @param script for sh, as root of that system; the folder of the test is at /mnt/given */
  run(script: string, given: string): { code: number; text: string } {
    const { folder } = this;
    const enter = [
      'set -e',
      `mount -t overlay overlay -o lowerdir=/,upperdir=${folder}/upper,workdir=${folder}/work ${folder}/root`,
      `mkdir -p ${folder}/root/mnt/given && mount --bind ${given} ${folder}/root/mnt/given`,
      `mount -t proc proc ${folder}/root/proc && mount --rbind /dev ${folder}/root/dev`,
      `mount -t tmpfs tmpfs ${folder}/root/run`,
      `exec chroot ${folder}/root /bin/sh -c "$1"`,
    ].join('\n');
    const { status, stdout, stderr } = spawnSync(
      '/usr/bin/unshare',
      [
        '--mount',
        '--propagation',
        'private',
        '--pid',
        '--fork',
        '--kill-child',
        '/bin/sh',
        '-c',
        enter,
        'sh',
        script,
      ],
      { encoding: 'utf8', env: { PATH: PATHS, LC_ALL: 'C' }, timeout: 60_000 },
    );
    return { code: status ?? -1, text: `${stdout}${stderr}` };
  }
  /** Everything that differs from the machine: path, mode, time of change and content. */
  changes(): string[] {
    const walk = (path: string): string[] => {
      const stat = lstatSync(join(this.#upper, path));
      const about = `${path} ${(stat.mode & 0o7777).toString(8)} ${stat.uid} ${stat.mtimeMs}`;
      if (stat.isSymbolicLink()) return [`${about} -> ${readlinkSync(join(this.#upper, path))}`];
      if (stat.isDirectory())
        return [
          ...(path === '' || path === 'var/tmp' || path === 'mnt' || path === 'mnt/given' ? [] : [about]),
          ...readdirSync(join(this.#upper, path))
            .sort()
            .flatMap((name) => walk(join(path, name))),
        ];
      const content = stat.isFile() ? readFileSync(join(this.#upper, path)) : '';
      return [`${about} ${createHash('sha256').update(content).digest('hex')}`];
    };
    return walk('');
  }
  remove(): void {
    removeFolder(this.folder);
  }
}
