/**
 * Everything about the machine that an operation may change, as one comparable value: the same before and after means
 * that nothing was left behind. Loop numbers are left out, since they mean nothing.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Appliance } from '../support/appliance';
import { loopsBelow } from '../../src/cli/leftovers';

export interface MachineState {
  /** Per sandbox file, in order (numbers are not used twice): attached or not, and every signature with its UUID and label. */
  drives: Record<string, string[]>;
  mounts: string[];
  /** Mount points; those into which nobody can write say so. What is mounted over one is not looked through. */
  folders: string[];
  identityFiles: string[];
  imageFiles: string[];
  images: unknown[];
  /** Plain files in the pools that are mounted, with the hash of what the drives hold of them. */
  files: string[];
  pools: unknown[];
  poolDrives: unknown[];
  /** What the scenario looks at besides. */
  observed?: unknown;
}

/** Read past the page cache: what counts is what is on the drives. */
function hashOnDrives(path: string): string {
  const { stdout, status, stderr } = spawnSync(
    '/usr/bin/dd',
    [`if=${path}`, 'iflag=direct', 'bs=1M', 'status=none'],
    { maxBuffer: 64 * 1024 ** 2 },
  );
  return status === 0
    ? createHash('sha256').update(stdout).digest('hex').slice(0, 16)
    : `unreadable: ${String(stderr)}`;
}
const filesIn = (folder: string): string[] =>
  readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(folder, entry.name))
    .sort();

function probe(device: string): string[] {
  const { stdout, status } = spawnSync('/usr/sbin/blkid', ['-p', '-o', 'export', device], {
    encoding: 'utf8',
  });
  if (status === 8) return ['ambivalent'];
  return (
    stdout
      .split('\n')
      .filter((line) => /^(TYPE|UUID|LABEL|PTTYPE|PTUUID|UUID_SUB)=/.test(line))
      // A member's own sub-UUID is made by the tool at random.
      .map((line) => (line.startsWith('UUID_SUB=') ? 'UUID_SUB' : line))
  );
}

function driveState(device: string): string[] {
  const name = basename(device);
  const partitions = readdirSync(`/sys/block/${name}`).filter((entry) => entry.startsWith(`${name}p`));
  const table = spawnSync('/usr/sbin/sfdisk', ['--json', device], { encoding: 'utf8' });
  const layout =
    table.status === 0
      ? (
          JSON.parse(table.stdout) as {
            partitiontable: { id: string; partitions?: { uuid: string; size: number; name?: string }[] };
          }
        ).partitiontable
      : null;
  return [
    'attached',
    ...probe(device),
    ...(layout
      ? [
          `table ${layout.id}`,
          ...(layout.partitions ?? []).map(
            (part) => `partition ${part.uuid} ${part.size} ${part.name ?? ''}`,
          ),
        ]
      : []),
    ...partitions.flatMap((entry) => [`node ${entry.slice(name.length)}`, ...probe(`/dev/${entry}`)]),
  ];
}

/** The attribute of an empty folder; a pool that is mounted there shows its own root, which has none. */
const isGuarded = (path: string): boolean =>
  /^\S*i/.test(spawnSync('/usr/bin/lsattr', ['-d', '--', path], { encoding: 'utf8' }).stdout);

export function machineState(appliance: Appliance): MachineState {
  const { dataDir } = appliance;
  const sandbox = join(dataDir, 'sandbox');
  const files = existsSync(sandbox) ? readdirSync(sandbox).sort() : [];
  const loops = new Map(loopsBelow(dataDir).map((loop) => [basename(loop.file), loop.device]));
  const mountRoot = join(dataDir, 'mnt');
  const mountLines = readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .map((line) => line.split(' '))
    .filter((fields) => fields[4]?.startsWith(`${dataDir}/`));
  const folders = existsSync(mountRoot) ? readdirSync(mountRoot).sort() : [];
  const identity = folders
    .map((name) => join(mountRoot, name, '.cairn/pool.json'))
    .filter((path) => existsSync(path));
  return {
    drives: Object.fromEntries(
      files.map((file, index) => {
        const device = loops.get(file);
        return [`drive ${index + 1}`, device ? driveState(device) : ['not attached']];
      }),
    ),
    mounts: mountLines
      .map((fields) => `${fields[4]?.slice(dataDir.length)} ${fields[fields.indexOf('-') + 1]}`)
      .sort(),
    folders: folders.map((name) => (isGuarded(join(mountRoot, name)) ? `${name}, guarded` : name)),
    identityFiles: identity.map((path) => `${path.slice(dataDir.length)}: ${readFileSync(path, 'utf8')}`),
    imageFiles: folders
      .map((name) => join(mountRoot, name, 'images'))
      .filter((folder) => existsSync(folder))
      .flatMap((folder) =>
        readdirSync(folder).map(
          (name) => `${folder.slice(dataDir.length)}/${name} ${statSync(join(folder, name)).size}`,
        ),
      ),
    images: appliance.query('SELECT name, pool_guid, file, state, size_bytes FROM images ORDER BY file'),
    files: folders
      .flatMap((name) => filesIn(join(mountRoot, name)))
      .map((path) => `${path.slice(dataDir.length)}: ${hashOnDrives(path)}`),
    pools: appliance.query(
      'SELECT guid, label, plugin, layout, state, mount_path, want_mounted FROM pools ORDER BY guid',
    ),
    poolDrives: appliance.query('SELECT pool_guid, slot, drive_id FROM pool_drives ORDER BY pool_guid, slot'),
  };
}
