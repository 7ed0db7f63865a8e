/**
 * Mount units of systemd: what makes PID 1 mount a pool at boot, also when Cairn does not come up.
 *
 * A unit is wanted by the device that carries the filesystem's UUID, not by a target of the boot. So it is mounted when, and
 * only when, that device is complete (udev holds a btrfs of several drives back until all are there); a drive that is
 * missing delays nothing; one that comes back later is mounted then. Sources: systemd.mount(5), systemd.device(5),
 * systemd-escape(1).
 */
import { lstat, readFile } from 'node:fs/promises';
import { z } from 'zod';
import type { LookResult } from '$lib/plugin-api/plan';
import type { JsonObject } from '$lib/shared/json';

const FOLDER = '/etc/systemd/system';
const HEADER = '# Made by Cairn';

/** As systemd-escape --path does. */
export function escapePath(path: string): string {
  const plain = path.split('/').filter(Boolean).join('/');
  if (plain === '') return '-';
  return [...Buffer.from(plain)]
    .map((byte, index) => {
      const letter = String.fromCharCode(byte);
      if (letter === '/') return '-';
      if (/[A-Za-z0-9:_]/.test(letter) || (letter === '.' && index > 0)) return letter;
      return `\\x${byte.toString(16).padStart(2, '0')}`;
    })
    .join('');
}

export interface MountUnit {
  /** `mnt-tank.mount` */
  name: string;
  path: string;
  /** The link that has systemd start it, as systemctl(1) enable makes it. */
  link: string;
  content: string;
}

/** `%` begins a specifier in the value of a unit; a backslash, a space or a quote mean nothing in these. */
const value = (text: string): string => text.replaceAll('%', '%%');

export const unitName = (mountPath: string): string => `${escapePath(mountPath)}.mount`;
export const unitPath = (mountPath: string): string => `${FOLDER}/${unitName(mountPath)}`;

export function mountUnit(what: {
  guid: string;
  mountPath: string;
  /** Device path below /dev/disk/by-uuid, or the source of a share. */
  source: string;
  filesystem: string;
  options: string[];
  remote: boolean;
}): MountUnit {
  const { guid, mountPath, source, filesystem, options, remote } = what;
  const name = unitName(mountPath);
  const wantedBy = remote ? 'remote-fs.target' : `${escapePath(source)}.device`;
  const lines = [
    `${HEADER} for the pool ${guid}. It goes when the pool is unmounted or removed on its page; do not edit it.`,
    '[Unit]',
    `Description=Cairn pool at ${value(mountPath)}`,
    ...(remote ? ['Wants=network-online.target', 'After=network-online.target'] : []),
    '',
    '[Mount]',
    `What=${value(source)}`,
    `Where=${value(mountPath)}`,
    `Type=${filesystem}`,
    `Options=${value([...options, 'nofail', ...(remote ? ['_netdev'] : [])].join(','))}`,
    'TimeoutSec=60',
    '',
    '[Install]',
    `WantedBy=${wantedBy}`,
    '',
  ];
  return {
    name,
    path: `${FOLDER}/${name}`,
    link: `${FOLDER}/${wantedBy}.wants/${name}`,
    content: lines.join('\n'),
  };
}

async function read(path: string): Promise<string | null> {
  return readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
}

const unitArguments = z.object({ path: z.string(), content: z.string().optional() });
/**
 * With content: is the unit there, exactly so? An older one of Cairn is absent, somebody else's is foreign. Without: is any
 * of Cairn's there?
 */
export async function lookAtUnit(args: JsonObject): Promise<LookResult> {
  const { path, content } = unitArguments.parse(args);
  const found = await read(path);
  if (found === null) return { status: 'absent', evidence: `There is no ${path}.` };
  const ours = found.startsWith(HEADER);
  if (content === undefined)
    return ours
      ? { status: 'done', evidence: `${path} is there.` }
      : { status: 'absent', evidence: `${path} was not made by Cairn, so it stays.` };
  if (found === content) return { status: 'done', evidence: `${path} is as it should be.` };
  return ours
    ? { status: 'absent', evidence: `${path} was made by Cairn for an earlier state of the pool.` }
    : { status: 'foreign', evidence: `${path} is there, and was not made by Cairn.` };
}

const linkArguments = z.object({ path: z.string() });
/** Is the unit started with its device, or with the boot? */
export async function lookAtUnitLink(args: JsonObject): Promise<LookResult> {
  const { path } = linkArguments.parse(args);
  const there = await lstat(path).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return false;
      throw error;
    },
  );
  return there
    ? { status: 'done', evidence: `systemd mounts it by itself (${path}).` }
    : { status: 'absent', evidence: 'systemd does not mount it by itself.' };
}
