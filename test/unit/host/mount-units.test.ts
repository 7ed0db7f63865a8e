import { spawnSync } from 'node:child_process';
import { existsSync, lstatSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { escapePath, lookAtUnit, lookAtUnitLink, mountUnit } from '$lib/server/host/mount-units';

const GUID = '11111111-2222-4333-8444-555555555555';
const tank = (more: Partial<Parameters<typeof mountUnit>[0]> = {}) =>
  mountUnit({
    guid: GUID,
    mountPath: '/mnt/tank',
    source: `/dev/disk/by-uuid/${GUID}`,
    filesystem: 'ext4',
    options: ['noatime', 'nodev'],
    remote: false,
    ...more,
  });

describe('a mount unit', () => {
  it.each(['/mnt/tank', '/srv/my photos', '/mnt/.a-b', '/mnt/ünï_100%', '/mnt/a\\b', '/'])(
    'is called as systemd-escape calls %s',
    (path) => {
      const { stdout } = spawnSync('/usr/bin/systemd-escape', ['--path', path], { encoding: 'utf8' });
      expect(escapePath(path)).toBe(stdout.trim());
    },
  );

  it('is wanted by the device with the pool’s UUID, by no target: a drive that is missing delays no boot', () => {
    const unit = tank();
    const device = `dev-disk-by\\x2duuid-${GUID.replaceAll('-', '\\x2d')}.device`;
    expect(unit.name).toBe('mnt-tank.mount');
    expect(unit.link).toBe(`/etc/systemd/system/${device}.wants/mnt-tank.mount`);
    const lines = unit.content.split('\n');
    expect(lines).toContain(`WantedBy=${device}`);
    expect(lines).toContain(`What=/dev/disk/by-uuid/${GUID}`);
    expect(lines).toContain('Options=noatime,nodev,nofail');
    expect(unit.content).not.toMatch(/RequiredBy|local-fs/);
  });

  it('of a share waits for the network, and for no longer than a minute', () => {
    const { content } = tank({ source: 'nas:/export', filesystem: 'nfs4', remote: true });
    expect(content).toContain('After=network-online.target');
    expect(content).toContain('_netdev');
    expect(content).toContain('TimeoutSec=60');
  });

  it.each(['/mnt/tank', '/mnt/my pool', '/srv/100%'])(
    'for %s is understood by systemd, which links it where it is looked for',
    (mountPath) => {
      const root = mkdtempSync(join(tmpdir(), 'cairn-units-'));
      onTestFinished(() => rmSync(root, { recursive: true }));
      const unit = tank({ mountPath });
      mkdirSync(join(root, 'etc/systemd/system'), { recursive: true });
      writeFileSync(join(root, unit.path), unit.content);
      const systemctl = (verb: string): string =>
        spawnSync('/usr/bin/systemctl', [`--root=${root}`, verb, '--quiet', '--', unit.name], {
          encoding: 'utf8',
        }).stderr;
      expect(systemctl('enable')).toBe('');
      expect(lstatSync(join(root, unit.link)).isSymbolicLink()).toBe(true);
      expect(systemctl('disable')).toBe('');
      expect(existsSync(join(root, unit.link))).toBe(false);
    },
  );

  it('doubles what begins a specifier', () => {
    expect(tank({ mountPath: '/mnt/100%' }).content).toContain('Where=/mnt/100%%\n');
  });
});

describe('what is there already', () => {
  const folder = (): string => {
    const path = mkdtempSync(join(tmpdir(), 'cairn-units-'));
    onTestFinished(() => rmSync(path, { recursive: true }));
    return path;
  };

  it('is replaced when Cairn made it, and left when somebody else did', async () => {
    const path = join(folder(), 'mnt-tank.mount');
    const { content } = tank();
    const look = async (wanted?: string): Promise<string> =>
      (await lookAtUnit({ path, ...(wanted === undefined ? {} : { content: wanted }) })).status;
    expect([await look(content), await look()]).toEqual(['absent', 'absent']);
    writeFileSync(path, content);
    expect([await look(content), await look()]).toEqual(['done', 'done']);
    writeFileSync(path, tank({ options: [] }).content);
    expect([await look(content), await look()]).toEqual(['absent', 'done']);
    writeFileSync(path, '[Mount]\nWhat=/dev/sdx\n');
    expect([await look(content), await look()]).toEqual(['foreign', 'absent']);
  });

  it('is linked or not, also when what it leads to is gone', async () => {
    const path = join(folder(), 'link');
    expect((await lookAtUnitLink({ path })).status).toBe('absent');
    symlinkSync('/nowhere/mnt-tank.mount', path);
    expect((await lookAtUnitLink({ path })).status).toBe('done');
  });
});
