/** Pools on shares: NFS from a network of its own, which can be cut off, and SMB from a server that wants a password. */
import { describe, expect, it } from 'vitest';
import type { Pool } from '../../src/lib/shared/wire/pools.ts';
import type { Cairn } from './cairn.ts';
import { LONG, PROMPT_MS } from './pool-case.ts';
import { useLab } from './use-lab.ts';

const lab = useLab({ cairn: true });
const CASE_MS = 600_000;
const NFS_SERVER = '10.9.9.2';
/** Cut off and joined again without a word to either side. */
const CUT = 'ip netns exec nas ip link set eth0 down';
const JOIN = 'ip netns exec nas ip link set eth0 up';

/** nfsd belongs to the network that it is started in; each of its control files is a mount of that network. */
const START_NFS = `
set -e
modprobe nfsd
ip netns add nas
ip link add nas0 type veth peer name eth0 netns nas
ip addr add 10.9.9.1/24 dev nas0; ip link set nas0 up
mkdir -p /srv/export
echo on-the-server >/srv/export/file
echo '/srv/export 10.9.9.0/24(rw,no_root_squash,no_subtree_check,insecure,fsid=1)' >/etc/exports
ip netns exec nas bash -ec '
  ip link set lo up; ip addr add ${NFS_SERVER}/24 dev eth0; ip link set eth0 up
  mount -t nfsd nfsd /proc/fs/nfsd
  echo 10 >/proc/fs/nfsd/nfsv4leasetime; echo 10 >/proc/fs/nfsd/nfsv4gracetime
  exportfs -a
  systemd-run --quiet --unit=nas-mountd --property=NetworkNamespacePath=/run/netns/nas bash -c "mount -t nfsd nfsd /proc/fs/nfsd; exec rpc.mountd --foreground --no-nfs-version 3"
  rpc.nfsd --no-nfs-version 3 2'
timeout 20 bash -c 'until (: </dev/tcp/${NFS_SERVER}/2049) 2>/dev/null; do sleep 0.2; done'
`;
const nfs = (label: string, mountPath: string) => ({
  ...{ label, mountPath, plugin: 'network-share', layout: 'nfs', drives: [] },
  options: { server: NFS_SERVER, export: '/srv/export' },
});

const SMB_PASSWORD = 'only-in-one-file-7f3a';
const START_SMB = `
set -e
mkdir -p /srv/smb
echo on-the-server >/srv/smb/file
cat >/etc/samba/smb.conf <<'END'
[global]
  server role = standalone server
  disable netbios = yes
  smb ports = 445
  load printers = no
[media]
  path = /srv/smb
  read only = no
END
printf '%s\\n%s\\n' ${SMB_PASSWORD} ${SMB_PASSWORD} | smbpasswd -s -a root
systemctl start smbd
timeout 60 bash -c 'until (: </dev/tcp/127.0.0.1/445) 2>/dev/null; do sleep 0.2; done'
`;
const smb = (label: string, password: string) => ({
  ...{ label, mountPath: `/srv/${label}`, plugin: 'network-share', layout: 'smb', drives: [] },
  options: { server: '127.0.0.1', share: 'media', username: 'root', password },
});
const seen = (cairn: Cairn, guid: string, fits: (pool: Pool) => boolean): Promise<Pool> =>
  cairn.until(() => cairn.pool(guid), fits, LONG);

/** The answer that programs get. The guest is busy as well: what hangs would keep all of three waiting. */
async function promptly(cairn: Cairn, guid: string): Promise<{ state: string; errorMessage?: string }> {
  const waits: number[] = [];
  for (;;) {
    const begun = performance.now();
    const { body } = await cairn.api.get<{ state: string; errorMessage?: string }>(`/api/v1/pools/${guid}`);
    waits.push(performance.now() - begun);
    if (waits.length === 3 || Math.min(...waits) < PROMPT_MS) {
      expect(Math.min(...waits)).toBeLessThan(PROMPT_MS);
      return body;
    }
  }
}

describe('a pool on an NFS share', () => {
  it(
    'is an error while its server is gone, is back by itself, and leaves every file there when it is removed',
    { timeout: CASE_MS },
    async () => {
      const cairn = await lab.cairn();
      const { machine } = cairn;
      await machine.check(START_NFS);
      const refused = await cairn.trpc.pools.preview.mutate({
        request: { ...nfs('Media', '/srv/nfs/media'), options: { server: 'a b', export: 'srv' } },
      });
      expect(refused.ok ? [] : refused.issues.map(({ field, code }) => [field, code])).toEqual([
        ['options.server', 'option_invalid'],
        ['options.export', 'option_invalid'],
        ['mountPath', 'mount_path_invalid'],
      ]);
      await machine.check('mkdir -p /srv/nfs');
      const { guid, mountPath } = await cairn.createPool(nfs('Media', '/srv/nfs/media'), LONG);
      await machine.check(`grep -q server ${mountPath}/file; echo mine >${mountPath}/mine; sync`);
      expect(await cairn.pool(guid)).toMatchObject({
        ...{ state: 'ready', poolStatus: 'active', mounted: true, source: `${NFS_SERVER}:/srv/export` },
      });

      await machine.check(CUT);
      const cutAt = performance.now();
      const gone = await seen(cairn, guid, ({ state }) => state === 'error');
      expect(performance.now() - cutAt).toBeLessThan(30_000);
      expect(gone).toMatchObject({ poolStatus: 'failed', mounted: true });
      expect((await promptly(cairn, guid)).errorMessage).toContain(
        `The server ${NFS_SERVER} does not answer`,
      );
      await machine.check(JOIN);
      await seen(cairn, guid, ({ state, poolStatus }) => state === 'ready' && poolStatus === 'active');
      await machine.check(`grep -q mine ${mountPath}/mine`);

      // What it should be is brought about at the start of Cairn, and when its server returns.
      await cairn.stop();
      await machine.check(`umount ${mountPath}; ${CUT}`);
      await cairn.start();
      const waiting = await seen(cairn, guid, ({ waiting }) => waiting?.includes('server') === true);
      expect(waiting.verbs.mount).toMatchObject({ allowed: false });
      expect(await promptly(cairn, guid)).toMatchObject({ state: 'error' });
      await machine.check(JOIN);
      await seen(cairn, guid, ({ mounted, poolStatus }) => mounted && poolStatus === 'active');

      // Mounted by hand, at a place of its own.
      await machine.check(`mkdir -p /srv/nfs/x; mount -t nfs -o soft ${NFS_SERVER}:/srv/export /srv/nfs/x`);
      const [found] = await cairn.until(
        () => cairn.trpc.found.list.query(),
        (list) => list.some(({ mountedAt }) => mountedAt === '/srv/nfs/x'),
        LONG,
      );
      await cairn.success(await cairn.trpc.found.adopt.mutate({ found: found?.id ?? '' }), LONG);
      const adopted = await seen(cairn, found?.guid ?? '', ({ poolStatus }) => poolStatus === 'active');
      expect(adopted).toMatchObject({ label: 'x', mountPath: '/srv/nfs/x', state: 'ready' });

      await cairn.removePool(adopted.guid, LONG);
      // Also while nobody answers: what is there stays as it is.
      await machine.check(CUT);
      await seen(cairn, guid, ({ state }) => state === 'error');
      await cairn.removePool(guid, LONG);
      await machine.check(JOIN);
      expect(
        await machine.check(
          'cat /srv/export/*; ls -A /srv/nfs; ls /etc/systemd/system | grep srv-nfs || true',
        ),
      ).toBe('on-the-server\nmine\nx');
    },
  );
});

describe('a pool on an SMB share', () => {
  it(
    'is mounted with a password that is in one file only, and refuses a wrong one',
    { timeout: CASE_MS },
    async () => {
      const cairn = await lab.cairn();
      const { machine } = cairn;
      await machine.check(START_SMB);
      const wrong = await cairn.startPool(smb('wrong', 'not-this-one'));
      const ended = await cairn.waitForOperation(wrong.operation.id, LONG);
      expect(ended.state).not.toBe('succeeded');
      expect(await machine.check('findmnt -rn -t cifs || true; ls -A /var/lib/cairn/pool-secrets')).toBe('');

      const { guid, mountPath } = await cairn.createPool(smb('right', SMB_PASSWORD), LONG);
      await machine.check(`grep -q server ${mountPath}/file; echo mine >${mountPath}/mine; sync`);
      expect(await cairn.pool(guid)).toMatchObject({
        ...{ state: 'ready', poolStatus: 'active', mounted: true, source: '//127.0.0.1/media' },
      });
      expect(
        await machine.check(`
          grep -rlF ${SMB_PASSWORD} /var/lib/cairn /etc/systemd/system || true
          stat -c %a /var/lib/cairn/pool-secrets/${guid}
          journalctl -u cairn | grep -cF ${SMB_PASSWORD} || true`),
      ).toBe(`/var/lib/cairn/pool-secrets/${guid}\n600\n0`);
      await cairn.removePool(guid, LONG);
      expect(await machine.check('cat /srv/smb/*; ls -A /var/lib/cairn/pool-secrets')).toBe(
        'on-the-server\nmine',
      );
    },
  );
});
