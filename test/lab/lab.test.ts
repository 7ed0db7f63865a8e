/** The lab proves itself: what the cases of other files rely on is real. */
import { availableParallelism, loadavg } from 'node:os';
import { describe, expect, it } from 'vitest';
import { MiB } from './drives.ts';
import type { Machine } from './machine.ts';
import { useLab } from './use-lab.ts';

const lab = useLab();
/** Real boots, on a machine that may be busy. */
const COLD_MS = 400_000;

/** Made as a person would, and named so that the kernel's md number does not matter. */
async function makeMirror(machine: Machine, ...serials: string[]): Promise<void> {
  const members = (await machine.paths(...serials)).join(' ');
  await machine.check(`
    mdadm --create /dev/md/m1 --run --level=1 --raid-devices=${serials.length} --homehost=lab --name=m1 ${members}
    udevadm settle`);
}
const waitForResync = (machine: Machine): Promise<string> =>
  machine.until('[ "$(cat /sys/block/md127/md/sync_action)" = idle ]');
const memberStates = (machine: Machine): Promise<string> =>
  machine.check(`grep -A1 ^md127 /proc/mdstat | grep -o '\\[[U_]*\\]'`);

describe('a guest', () => {
  it('answers with its drives within six seconds, with a clock and random numbers of its own', async () => {
    const times: number[] = [];
    const uuids = new Set<string>();
    for (let time = 0; time < 3; time++) {
      const begun = performance.now();
      const machine = await lab.machine({ drives: [{ serial: 'LAB0001' }, { serial: 'LAB0002' }] });
      const [now, uuid = ''] = (await machine.check('date +%s; cat /proc/sys/kernel/random/uuid')).split(
        '\n',
      );
      times.push(performance.now() - begun);
      expect(Math.abs(Number(now) - Date.now() / 1_000)).toBeLessThan(5);
      uuids.add(uuid);
      await machine.close();
    }
    expect(uuids.size).toBe(3);
    // On a machine that has other work to do as well, it gets its share of the processors only.
    const crowd = Math.max(1, (loadavg()[0] ?? 0) / availableParallelism());
    expect(Math.min(...times)).toBeLessThan(6_000 * crowd);
  });

  it('runs systemd with nothing failed, gives exit code and output, copies files and reaches nothing outside', async () => {
    const machine = await lab.machine();
    expect(await machine.check('cat /proc/1/comm; systemctl is-system-running')).toBe('systemd\nrunning');
    await machine.check('systemd-run --unit=probe --quiet sleep 60');
    expect(await machine.check('systemctl is-active probe')).toBe('active');

    expect(await machine.run('echo out; echo err >&2; exit 3')).toEqual({ code: 3, out: 'out\nerr\n' });
    expect(await machine.run(['printf', '%s|', "it's", 'a b', '$HOME'])).toEqual({
      code: 0,
      out: "it's|a b|$HOME|",
    });
    await expect(machine.run('sleep 30', { timeoutMs: 500 })).rejects.toThrow('No end within 500 ms');

    const bytes = Buffer.from(Array.from({ length: 3 * MiB }, (_, index) => (index * 31) % 256));
    await machine.push('/tmp/with space/bytes', bytes, '0755');
    expect((await machine.pull('/tmp/with space/bytes')).equals(bytes)).toBe(true);
    await expect(machine.pull('/nowhere')).rejects.toThrow('No such file');

    const { code } = await machine.run('timeout 2 bash -c "exec 3<>/dev/tcp/10.0.2.2/22"');
    expect(code).not.toBe(0);
  });

  it('comes up in the real way too, and again after a reboot from inside', { timeout: COLD_MS }, async () => {
    const machine = await lab.machine({
      cold: true,
      drives: [{ serial: 'COLD1' }, { serial: 'COLD2', bus: 'sata' }],
    });
    await machine.check('echo kept >/root/mark; sync');
    await machine.reboot();
    expect(await machine.check('cat /root/mark; cut -d. -f1 /proc/uptime')).toMatch(/^kept\n\d{1,2}$/);
    expect(await machine.path('COLD2')).toMatch(/^\/dev\/sd/);
  });

  it('goes on with its root drive after a power cut when asked to', { timeout: COLD_MS }, async () => {
    const machine = await lab.machine();
    await machine.check('echo kept >/root/mark; sync');
    await machine.powerCut();
    await machine.boot({ cold: true, root: 'kept' });
    expect(await machine.check('cat /root/mark')).toBe('kept');
  });
});

describe('drives', () => {
  it('have the serials, sizes and kinds asked for on every bus', async () => {
    const machine = await lab.machine({
      drives: [
        { serial: 'SCSI-1', sizeBytes: 300 * MiB, wwn: '5000c500aabbccdd' },
        { serial: 'SCSI-2', rotational: false },
        { serial: 'SATA-1', bus: 'sata', model: 'WDC WD40EFRX' },
        { serial: 'NVME-1', bus: 'nvme' },
        { serial: 'VIRTIO-1', bus: 'virtio' },
      ],
    });
    const table = await machine.check('lsblk -bdnro SERIAL,SIZE,ROTA,TRAN,WWN');
    const size = 256 * MiB;
    expect(table.split('\n').map((line) => line.trim())).toEqual(
      expect.arrayContaining([
        `SCSI-1 ${300 * MiB} 1  0x5000c500aabbccdd`,
        expect.stringMatching(`^SCSI-2 ${size} 0  0x5000c500`),
        expect.stringMatching(`^SATA-1 ${size} 1 ata 0x5000c500`),
        expect.stringMatching(`^NVME-1 ${size} 0 nvme nvme\\.`),
        `VIRTIO-1 ${size} 1`,
      ]),
    );
    const smart = JSON.parse(await machine.check('smartctl -a -j $(lab-drive SATA-1)')) as Record<
      string,
      unknown
    >;
    expect(smart).toMatchObject({ model_name: 'WDC WD40EFRX', smart_status: { passed: true } });
    expect(await machine.check('smartctl -H $(lab-drive NVME-1)')).toContain('PASSED');
  });

  it('keep their serials and content while their names change', async () => {
    const machine = await lab.machine({ drives: [{ serial: 'A' }, { serial: 'B' }] });
    const before = await machine.paths('A', 'B');
    await machine.check('echo content-of-A | dd of=$(lab-drive A) conv=fsync status=none');
    await machine.pullDrive('A');
    await machine.pullDrive('B');
    expect((await machine.run('LAB_DRIVE_WAIT=0 lab-drive A')).code).toBe(1);
    await machine.replug('B');
    await machine.replug('A', { port: 5 });
    const after = await machine.paths('A', 'B');
    expect(after).toEqual([before[1], before[0]]);
    expect(await machine.check('head -c 12 $(lab-drive A)')).toBe('content-of-A');
  });

  it('are limited while the guest uses them', async () => {
    const machine = await lab.machine({ drives: [{ serial: 'SLOW', sizeBytes: 64 * MiB }] });
    /** Seconds, as measured by the guest around the reading alone. */
    const read = async (): Promise<number> => {
      const out = await machine.check(
        'dd if=$(lab-drive SLOW) of=/dev/null bs=256k count=16 iflag=direct 2>&1',
      );
      return Number(/copied, ([\d.e-]+) s/.exec(out)?.[1]);
    };
    await machine.throttle('SLOW', { bytesPerSecond: MiB });
    const limited = await read();
    expect(limited).toBeGreaterThan(2);
    await machine.throttle('SLOW', null);
    expect(await read()).toBeLessThan(limited / 2);
  });

  it('fail to read and to write while they are told to, and are well again afterwards', async () => {
    const machine = await lab.machine({ drives: [{ serial: 'BAD' }] });
    const read = (skip: number) =>
      machine.run(`dd if=$(lab-drive BAD) of=/dev/null bs=4k count=1 skip=${skip} iflag=direct`);
    const write = () => machine.run('dd if=/dev/zero of=$(lab-drive BAD) bs=4k count=1 oflag=direct');
    await machine.failReads('BAD', { sector: 80 });
    expect((await read(10)).out).toContain('Input/output error');
    expect((await read(11)).code).toBe(0);
    await machine.failReads('BAD', 'all');
    expect((await read(11)).out).toContain('Input/output error');
    expect((await write()).code).toBe(0);
    await machine.failReads('BAD', 'none');
    await machine.failWrites('BAD', 'all');
    expect((await read(10)).code).toBe(0);
    expect((await write()).out).toContain('Input/output error');
    await machine.failWrites('BAD', 'none');
    expect((await write()).code).toBe(0);
    expect(await machine.check('dmesg | grep -c "I/O error\\|Medium Error\\|critical"')).not.toBe('0');
  });
});

describe('a mirror of the kernel', () => {
  it('is degraded when a member is pulled, and whole again after another one has been added', async () => {
    const machine = await lab.machine({ drives: [{ serial: 'M1' }, { serial: 'M2' }] });
    await makeMirror(machine, 'M1', 'M2');
    await waitForResync(machine);
    await machine.check(
      'mkfs.ext4 -q /dev/md/m1 && mkdir /mnt/m && mount /dev/md/m1 /mnt/m && echo kept >/mnt/m/file',
    );
    expect(await memberStates(machine)).toBe('[UU]');

    await machine.pullDrive('M2');
    await machine.check('echo more >>/mnt/m/file; sync');
    await machine.until(`grep -q '\\[U_\\]\\|\\[_U\\]' /proc/mdstat`);
    expect(await machine.check('mdadm --detail /dev/md/m1')).toMatch(/State : .*degraded/);

    await machine.addDrive({ serial: 'M3' });
    await machine.check(
      'mdadm --manage /dev/md/m1 --remove detached; mdadm --manage /dev/md/m1 --add $(lab-drive M3)',
    );
    await waitForResync(machine);
    expect(await memberStates(machine)).toBe('[UU]');
    expect(await machine.check('cat /mnt/m/file')).toBe('kept\nmore');
  });

  it('resyncs at the speed of a limited member', async () => {
    const machine = await lab.machine({ drives: [{ serial: 'M1' }, { serial: 'M2' }] });
    await machine.throttle('M2', { bytesPerSecond: 2 * MiB });
    await makeMirror(machine, 'M1', 'M2');
    expect(await machine.check('cat /sys/block/md127/md/sync_action')).toBe('resync');
    await machine.check('sleep 3');
    expect(await machine.check('cat /proc/mdstat')).toMatch(/resync = +\d+\.\d%.*finish=/);
    await machine.throttle('M2', null);
    await waitForResync(machine);
    expect(await memberStates(machine)).toBe('[UU]');
  });

  it('reads from the other member when one cannot be read', async () => {
    const machine = await lab.machine({ drives: [{ serial: 'M1' }, { serial: 'M2' }] });
    await makeMirror(machine, 'M1', 'M2');
    await waitForResync(machine);
    const read = 'dd if=/dev/md/m1 bs=4k count=4 skip=100 iflag=direct status=none | sha256sum';
    await machine.check('dd if=/dev/urandom of=/dev/md/m1 bs=4k count=4 seek=100 oflag=direct status=none');
    const good = await machine.check(read);
    await machine.failReads('M1', 'all');
    await machine.failReads('M2', 'none');
    for (let time = 0; time < 4; time++) expect(await machine.check(read)).toBe(good);
    await machine.failReads('M1', 'none');
  });

  it('is assembled again after a power cut, with what was synced and without what was not', async () => {
    const machine = await lab.machine({ drives: [{ serial: 'M1' }, { serial: 'M2' }] });
    await makeMirror(machine, 'M1', 'M2');
    await machine.check(`
      mkfs.ext4 -q /dev/md/m1 && mkdir /mnt/m && mount /dev/md/m1 /mnt/m
      echo synced >/mnt/m/synced; sync; echo lost >/mnt/m/unsynced; ls /mnt/m`);
    await machine.powerCut();
    expect(machine.isOn).toBe(false);
    await machine.boot({ order: ['M2', 'M1'] });
    await machine.until('[ -e /dev/md/m1 ]');
    await machine.check('mkdir /mnt/m && mount /dev/md/m1 /mnt/m');
    expect(await machine.check('ls /mnt/m | grep sync')).toBe('synced');
    expect(await machine.check('cat /mnt/m/synced')).toBe('synced');
  });
});

describe('the kernel and its tools', () => {
  /** One after another on the same four drives, each taken away before the next. */
  it('can do ext4, XFS, btrfs, thin and mirrored LVM and RAID 6', async () => {
    const machine = await lab.machine({
      drives: ['A', 'B', 'C', 'D'].map((serial) => ({ serial, sizeBytes: 400 * MiB })),
    });
    const [a, b, c, d] = await machine.paths('A', 'B', 'C', 'D');
    const lvm = 'vgremove -q -ff -y pool && pvremove -q $A $B';
    const makes: [make: string, device: string, end: string][] = [
      ['mkfs.ext4 -q $A', '$A', 'true'],
      ['mkfs.xfs -q -f $A', '$A', 'true'],
      ['mkfs.btrfs -q -f -d raid1 -m raid1 $A $B', '$A', 'true'],
      [
        `vgcreate -q pool $A $B && lvcreate -q --type thin-pool -L 200M -n thin pool &&
         lvcreate -q -V 1G --thinpool pool/thin -n volume && mkfs.ext4 -q /dev/pool/volume`,
        '/dev/pool/volume',
        lvm,
      ],
      [
        'vgcreate -q pool $A $B && lvcreate -q --type raid1 -m 1 -L 100M -n volume pool && mkfs.ext4 -q /dev/pool/volume',
        '/dev/pool/volume',
        lvm,
      ],
      [
        'mdadm --create /dev/md/six --run --force --level=6 --raid-devices=4 $A $B $C $D && mkfs.ext4 -q /dev/md/six',
        '/dev/md/six',
        'mdadm --stop /dev/md/six',
      ],
    ];
    for (const [make, device, end] of makes) {
      const names = `A=${a} B=${b} C=${c} D=${d}`;
      const content = await machine.check(`${names}
        ${make} && mount ${device} /mnt && echo works >/mnt/file && sync && cat /mnt/file
        umount /mnt && { ${end}; } && wipefs -q --all $A $B $C $D`);
      expect(content, make).toContain('works');
    }
  });
});
