import { expect, test } from 'vitest';
import { AppError } from '$lib/server/errors';
import { compileAction, describeAction, partitionPath, type CommandAction } from '$lib/server/host/actions';
import { systemdRuns } from '$lib/server/host/mount-command';
import { shellWord } from '$lib/server/host/shell-word';
import type { Host } from '$lib/server/host/types';
import type { Action, DeviceRef } from '$lib/plugin-api/plan';

const paths: Record<string, string> = { 'drive-a': '/dev/sda', 'drive-b': '/dev/nvme0n1' };
const pathOf = (ref: DeviceRef): string | null => {
  if (!('drive' in ref)) return null;
  const path = paths[ref.drive];
  return path ? (ref.partition ? partitionPath(path, ref.partition) : path) : null;
};
const resolve = (ref: DeviceRef): string => {
  const path = pathOf(ref);
  if (!path) throw new AppError('drive_gone');
  return path;
};
const host = {
  argument: (argument: string | DeviceRef) => (typeof argument === 'string' ? argument : resolve(argument)),
  blockDevices: { resolve },
} as unknown as Pick<Host, 'argument' | 'blockDevices'>;

test('drives become device paths, right where the plan names them', () => {
  const action: Action = {
    do: 'exec',
    program: '/usr/sbin/mkfs.ext4',
    argv: ['-L', 'my pool', { drive: 'drive-b', partition: 1 }],
    stdin: 'yes',
    okExitCodes: [0, 2],
  };
  expect(compileAction(action, host)).toEqual({
    kind: 'command',
    program: '/usr/sbin/mkfs.ext4',
    argv: ['-L', 'my pool', '/dev/nvme0n1p1'],
    stdin: 'yes',
    timeoutMs: 120_000,
    okExitCodes: [0, 2],
  });
});

test('a drive that is not there stops the act before anything is run', () => {
  expect(() => compileAction({ do: 'reread-partitions', drive: 'drive-z' }, host)).toThrow(
    expect.objectContaining({ code: 'drive_gone' }) as Error,
  );
});

test('a mount path that looks like an option stays a path, whoever does the mount', () => {
  const action: Action = {
    do: 'mount',
    source: { drive: 'drive-a' },
    path: '-o',
    filesystem: 'ext4',
    options: [],
  };
  const { program, argv } = compileAction(action, host) as CommandAction;
  expect(program).toBe(systemdRuns() ? '/usr/bin/systemd-run' : '/usr/bin/mount');
  expect(argv.slice(-3)).toEqual(['--', '/dev/sda', '-o']);
});

test('a filesystem over several drives is mounted with all of them named', () => {
  const action: Action = {
    do: 'mount',
    source: { drive: 'drive-a' },
    devices: [{ drive: 'drive-a' }, { drive: 'drive-b' }],
    path: '/mnt/tank',
    filesystem: 'btrfs',
    options: ['noatime'],
  };
  const { argv } = compileAction(action, host) as CommandAction;
  expect(argv.join(' ')).toContain('noatime,device=/dev/sda,device=/dev/nvme0n1');
});

test('what is no block device is mounted by its name', () => {
  const action: Action = {
    do: 'mount',
    source: { source: 'tank/data' },
    path: '/mnt/tank',
    filesystem: 'zfs',
    options: [],
  };
  const { argv } = compileAction(action, host) as CommandAction;
  expect(argv.slice(-3)).toEqual(['--', 'tank/data', '/mnt/tank']);
});

test('an array that is not running is named as the script will find it', () => {
  const action: Action = {
    do: 'exec',
    program: '/x',
    argv: [{ array: '0123abcd-4567-89ab-cdef-000011112222' }],
  };
  expect(describeAction(action, pathOf)).toBe(
    '/x /dev/disk/by-id/md-uuid-0123abcd:456789ab:cdef0000:11112222',
  );
});

test('a line for people can be pasted into a shell as it is', () => {
  const line = describeAction(
    { do: 'exec', program: '/usr/sbin/mkfs.ext4', argv: ['-L', "it's $HOME", { drive: 'drive-a' }] },
    pathOf,
  );
  expect(line).toBe(`/usr/sbin/mkfs.ext4 -L 'it'\\''s $HOME' /dev/sda`);
  expect(describeAction({ do: 'make-directory', path: '/mnt/my pool', mode: 0o755 }, pathOf)).toBe(
    "mkdir -p -m 0755 -- '/mnt/my pool'",
  );
});

test('a partition that the plan has yet to make is shown where it will be', () => {
  const action: Action = { do: 'exec', program: '/x', argv: [{ drive: 'drive-a', partition: 1 }] };
  const isPartition = (ref: DeviceRef): boolean => 'partition' in ref && ref.partition !== undefined;
  const whole = (ref: DeviceRef) => (isPartition(ref) ? null : pathOf(ref));
  expect(describeAction(action, whole)).toBe('/x /dev/sda1');
  expect(describeAction(action, () => '/dev/disk/by-id/ata-X')).toBe('/x /dev/disk/by-id/ata-X');
  expect(describeAction(action, (ref) => (isPartition(ref) ? null : '/dev/disk/by-id/ata-X'))).toBe(
    '/x /dev/disk/by-id/ata-X-part1',
  );
});

test.each([
  ['plain/path-1.2', 'plain/path-1.2'],
  ['', "''"],
  ['a;b', "'a;b'"],
  ["'", `''\\'''`],
  ['~root', "'~root'"],
])('the word %j is quoted for a shell', (word, quoted) => {
  expect(shellWord(word)).toBe(quoted);
});
