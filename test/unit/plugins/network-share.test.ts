import { describe, expect, it } from 'vitest';
import * as sdk from '$lib/plugin-api';
import type { PluginContext, PoolSpec } from '$lib/plugin-api/storage';
import { checkPlan } from '$lib/server/plugins/plan-check';
import { checkShape } from '$lib/server/plugins/shape';
import makePlugin from '$plugins/network-share/plugin.server';

const plugin = makePlugin(sdk);
const defaults = { waitSeconds: 30, readOnly: false, nfsVersion: 'auto', smbVersion: 'auto' };
const spec = (layout: string, options: PoolSpec['options'], facts?: PoolSpec['facts']): PoolSpec => ({
  guid: '04ae4f2b-562c-41fa-8c87-c34d7aa38f01',
  label: 'media',
  layout,
  options: { ...defaults, ...options },
  mountPath: '/srv/nfs/x',
  mountPathExisted: false,
  drives: [],
  ...(facts ? { facts } : {}),
});
const nfs = (options: PoolSpec['options'] = {}) =>
  spec('nfs', { server: 'nas', export: '/srv/media', ...options });
const smb = (options: PoolSpec['options'] = {}) =>
  spec(
    'smb',
    { server: 'nas.home.arpa', share: 'My Files', username: 'ann', domain: 'HOME', ...options },
    {
      secretsPath: '/var/lib/cairn/pool-secrets/one',
    },
  );
const mountOf = (of: PoolSpec) => plugin.mount(of).find((step) => step.name === 'mount')?.run;
const problemsOf = (layout: string, options: PoolSpec['options'], secrets: string[] = []) =>
  plugin.problems({ layout, options: { ...defaults, ...options }, secrets }).map(({ option }) => option);

describe('a share', () => {
  it('passes the checks of the loader and of plans, with no drive at all', () => {
    expect(checkShape(plugin, 'network-share')).toBe(plugin);
    for (const of of [nfs(), smb()])
      for (const steps of [plugin.create(of), plugin.destroy(of), plugin.unmount(of), plugin.rename(of, 'b')])
        expect(checkPlan(plugin as never, of, steps)).toBe(steps);
  });
  it('is asked for before anything is made, and mounted so that nobody waits for ever', () => {
    expect(plugin.create(nfs()).map(({ name }) => name)).toEqual([
      ...['find-server', 'make-mount-point', 'protect-mount-point', 'mount'],
    ]);
    expect(mountOf(nfs())).toMatchObject({
      source: { source: 'nas:/srv/media' },
      filesystem: 'nfs',
      options: ['noatime', 'nodev', 'nosuid', 'soft', 'timeo=100', 'retrans=1', 'retry=0'],
    });
    expect(mountOf(nfs({ server: 'fd00::10', readOnly: true, nfsVersion: '4.1' }))).toMatchObject({
      source: { source: '[fd00::10]:/srv/media' },
      options: expect.arrayContaining(['ro', 'vers=4.1']) as string[],
    });
  });
  it('never gives a password away: only the file that holds it is named', () => {
    expect(mountOf(smb())).toMatchObject({
      source: { source: '//nas.home.arpa/My Files' },
      filesystem: 'cifs',
      options: [
        ...['noatime', 'nodev', 'nosuid', 'username=ann', 'domain=HOME'],
        ...['credentials=/var/lib/cairn/pool-secrets/one', 'soft', 'echo_interval=10'],
      ],
    });
  });
  it('comes as a guest without a user', () => {
    const guest = spec('smb', { server: 'nas', share: 'public' });
    expect(mountOf(guest)).toMatchObject({ options: expect.arrayContaining(['guest']) as string[] });
  });
  it('touches nothing but the mount when it is removed', () => {
    expect(plugin.destroy(nfs()).map(({ name }) => name)).toEqual([
      ...['unmount', 'unprotect-mount-point', 'remove-mount-point'],
    ]);
  });
  it('names every field that cannot be used', () => {
    expect(problemsOf('nfs', {})).toEqual(['server', 'export']);
    expect(problemsOf('smb', { username: 'a,b', domain: '-x' }, ['password'])).toEqual([
      ...['server', 'share', 'username', 'domain'],
    ]);
    expect(problemsOf('smb', { server: 'nas', share: 'a', username: 'ann' })).toEqual(['password']);
    expect(problemsOf('smb', { server: 'nas', share: 'a' }, ['password'])).toEqual(['username']);
    expect(problemsOf('nfs', { server: 'nas', export: '/' })).toEqual([]);
  });
  it.each(['-nas', 'nas;reboot', 'a b', 'nas,ro', 'a..b', '1:2', '$(x)', 'nas/x', 'a'.repeat(64)])(
    'refuses the server %s',
    (server) => {
      expect(problemsOf('nfs', { server, export: '/x' })).toEqual(['server']);
    },
  );
  it.each(['srv', '/srv/../etc', '/srv,rw', '/a//b', '/srv/', '/-o', '/srv\n', '/a /b'])(
    'refuses the export %j',
    (path) => {
      expect(problemsOf('nfs', { server: 'nas', export: path })).toEqual(['export']);
    },
  );
  it.each(['a/b', 'a,b', '-a', '..', ' a', 'a ', 'a\\b'])('refuses the share %j', (share) => {
    expect(problemsOf('smb', { server: 'nas', share })).toEqual(['share']);
  });
});

type Mount = ReturnType<PluginContext['mounts']>[number];
const mount = (change: Partial<Mount> = {}): Mount => ({
  ...{
    path: '/srv/nfs/x',
    source: 'nas:/srv/media',
    filesystem: 'nfs4',
    majorMinor: '0:50',
    readOnly: false,
  },
  ...change,
});
const failure = (code: string, details?: object): Error =>
  Object.assign(new Error('it failed'), { code, details });
function context(parts: { said?: string | Error; mounts?: Mount[]; usage?: Error }): PluginContext {
  const answer = parts.said ?? 'open\n';
  const sizes = { sizeBytes: 10, usedBytes: 4, availableBytes: 6 };
  return {
    read: () =>
      answer instanceof Error
        ? Promise.reject(answer)
        : Promise.resolve({ stdout: answer, stderr: '', exitCode: 0 }),
    mounts: () => parts.mounts ?? [],
    usage: () => (parts.usage ? Promise.reject(parts.usage) : Promise.resolve(sizes)),
  } as unknown as PluginContext;
}

describe('the state of a share', () => {
  it('is healthy while its files can be asked for', async () => {
    expect(await plugin.status(context({ mounts: [mount()] }), nfs())).toMatchObject({
      ...{ poolStatus: 'active', health: 'healthy', mounted: true, sizeBytes: 10, members: [] },
    });
  });
  it('is failed while mounted, and missing while not, when the server is gone; and says that nothing is lost', async () => {
    const gone = { said: 'closed connect: No route to host\n', usage: failure('command_timeout') };
    const mounted = await plugin.status(context({ ...gone, mounts: [mount()] }), nfs());
    expect(mounted).toMatchObject({
      poolStatus: 'failed',
      health: 'critical',
      mounted: true,
      usedBytes: null,
    });
    expect(mounted.healthText).toMatch(/server nas does not answer.*Nothing on it is lost.*by itself/);
    expect(await plugin.status(context(gone), nfs())).toMatchObject({
      ...{ poolStatus: 'missing', health: 'critical', mounted: false },
    });
    const silent = await plugin.status(context({ said: failure('command_timeout') }), nfs());
    expect(silent.healthText).toContain('The server nas does not answer.');
  });
  it.each([
    ['closed Connection refused', 'refuses connections at port 2049'],
    ['closed Name or service not known', 'Nobody knows a server called nas'],
    ['closed connect: timeout', 'The server nas does not answer.'],
  ])('says %s in words', async (said, words) => {
    expect((await plugin.status(context({ said }), nfs())).healthText).toContain(words);
  });
  it('names what the server says of a share that it does not give any more', async () => {
    const stale = failure('command_failed', {
      stderr: "stat: cannot read '/srv/nfs/x': Stale file handle\n",
    });
    const reading = await plugin.status(context({ mounts: [mount()], usage: stale }), nfs());
    expect(reading.healthText).toContain('cannot be used: Stale file handle.');
  });
  it('is not told by what somebody else has mounted there', async () => {
    const other = context({ mounts: [mount({ source: 'other:/x' })] });
    expect(await plugin.status(other, nfs())).toMatchObject({ mounted: false, poolStatus: 'inactive' });
  });
  it('stops a plan before anything is touched while the server does not answer', async () => {
    const look = plugin.looks.server;
    const args = { server: 'nas', port: 2049 };
    expect(await look(context({}), args)).toMatchObject({ status: 'done' });
    expect(await look(context({ said: 'closed timeout' }), args)).toMatchObject({ status: 'foreign' });
  });
});

describe('shares that are mounted already', () => {
  it('are found wherever they are, and known again as the pool that was made of them', async () => {
    const mounts = [mount(), mount({ path: '/', source: '/dev/sda1', filesystem: 'ext4' })];
    const [found, ...others] = await plugin.find(context({ mounts }));
    expect(others).toEqual([]);
    expect(found).toMatchObject({
      ...{ layout: 'nfs', label: 'x', mountedAt: '/srv/nfs/x', obstacle: null, members: [] },
      options: { server: 'nas', export: '/srv/media' },
    });
    expect(found?.key).toBe(plugin.keyOf(nfs()));
    const again = await plugin.find(context({ mounts }));
    expect(again[0]?.guid).toBe(found?.guid);
  });
  it('with a password cannot be adopted, because nobody knows it', async () => {
    const source = '//[fd00::1]/x';
    const cifs = mount({ filesystem: 'cifs', source: '//nas/media' });
    const [found] = await plugin.find(context({ mounts: [cifs] }));
    expect(found).toMatchObject({ layout: 'smb', options: { server: 'nas', share: 'media' } });
    expect(found?.obstacle).toContain('password');
    const [six] = await plugin.find(context({ mounts: [mount({ source: '[fd00::1]:/', path: '/srv/a' })] }));
    expect(six).toMatchObject({ options: { server: 'fd00::1', export: '/' }, obstacle: null });
    const [deep] = await plugin.find(
      context({ mounts: [mount({ filesystem: 'cifs', source: `${source}/deep` })] }),
    );
    expect(deep?.obstacle).not.toBeNull();
  });
});
