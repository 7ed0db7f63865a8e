import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { judgeMountPath } from '$lib/server/pools/mount-path';

let root: string;
beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'cairn-paths-')));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const judge = (
  name: string,
  others: { pools?: { label: string; mountPath: string }[]; mounted?: string } = {},
) =>
  judgeMountPath({
    path: join(root, name),
    mountRoot: root,
    pools: others.pools ?? [],
    mounts: others.mounted
      ? [
          {
            ...{ path: others.mounted, source: '/dev/sdz', filesystem: 'ext4', majorMinor: '8:1' },
            ...{ readOnly: false, options: [] },
          },
        ]
      : [],
  });

describe('a mount path on this machine', () => {
  it('is free when nothing is there', async () => {
    expect(await judge('tank')).toEqual({ existed: false, issues: [] });
  });
  it('is free when an empty folder is there, which then stays', async () => {
    mkdirSync(join(root, 'tank'));
    expect(await judge('tank')).toEqual({ existed: true, issues: [] });
  });
  it('is in use when the folder holds something, and says what', async () => {
    mkdirSync(join(root, 'tank'));
    writeFileSync(join(root, 'tank', 'precious'), '');
    const { issues } = await judge('tank');
    expect(issues).toMatchObject([{ code: 'mount_path_in_use', field: 'mountPath' }]);
    expect(issues[0]?.message).toContain('precious');
  });
  it('is in use when something is mounted there or another pool has it', async () => {
    expect((await judge('tank', { mounted: join(root, 'tank') })).issues[0]?.code).toBe('mount_path_in_use');
    const pools = [{ label: 'media', mountPath: join(root, 'tank') }];
    expect((await judge('tank', { pools })).issues[0]?.message).toContain('media');
  });
  it('may lie neither below nor above another pool', async () => {
    const pools = [{ label: 'media', mountPath: join(root, 'a', 'b') }];
    expect((await judge('a', { pools })).issues[0]?.code).toBe('mount_path_invalid');
    expect((await judge('a/b/c', { pools })).issues[0]?.code).toBe('mount_path_invalid');
  });
  it('needs a parent folder that is there and no symbolic link', async () => {
    mkdirSync(join(root, 'real'));
    symlinkSync(join(root, 'real'), join(root, 'link'));
    expect((await judge('none/tank')).issues[0]?.code).toBe('mount_path_invalid');
    expect((await judge('link/tank')).issues[0]?.remedy).toContain(join(root, 'real'));
    expect((await judge('link')).issues[0]?.code).toBe('mount_path_invalid');
  });
});
