/** What happens to md pools outside of Cairn: power cuts, reboots, shells, other systems' arrays, drives with a past. */
import { expect, it } from 'vitest';
import type { FoundPool } from '../../src/lib/shared/wire/found.ts';
import type { Cairn } from './cairn.ts';
import { MiB } from './drives.ts';
import * as pools from './mdraid-case.ts';
import { useLab } from './use-lab.ts';

const { LONG, begin, drivesOf, fill, leftOn, members, sum, untilPool } = pools;
const lab = useLab({ cairn: true });
const CASE_MS = 600_000;
const GUEST = { wallLimitMs: CASE_MS };

const historyOf = async (cairn: Cairn, guid: string): Promise<string> =>
  (await cairn.trpc.pools.history.query({ guid })).items
    .map(({ kind, text }) => `${kind}: ${text}`)
    .join('\n');
const untilFound = async (cairn: Cairn, fits: (found: FoundPool) => boolean): Promise<FoundPool> => {
  const list = () => cairn.trpc.found.list.query();
  const found = (await cairn.until(list, (all) => all.some(fits), LONG)).find(fits);
  if (!found) throw new Error('It was there a moment ago.');
  return found;
};

it(
  'survives power cuts in its first build and in a reshape, is kept when a shell stops and renames its array, and comes back degraded, not gone, without one member',
  { timeout: CASE_MS },
  async () => {
    const cairn = await lab.cairn({ drives: drivesOf('A', 'B', 'C', 'D'), ...GUEST });
    const { machine } = cairn;
    await machine.throttle('C', { bytesPerSecond: 4 * MiB });
    const of = { label: 'Tank', plugin: 'mdraid', layout: 'raid5', serials: ['A', 'B', 'C'] };
    const pool = await pools.make(cairn, of);
    const { guid } = pool;
    const before = await fill(machine, pool);
    expect(await machine.check('cat /proc/mdstat')).toContain('resync');
    await machine.powerCut();
    await machine.throttle('C', null);
    await cairn.boot();
    const back = await untilPool(cairn, guid, ({ mounted }) => mounted);
    expect(await sum(machine, pool)).toBe(before);
    await machine.until('! grep -q "resync\\|recovery" /proc/mdstat', LONG);

    await machine.throttle('D', { bytesPerSecond: 4 * MiB });
    const { id } = await begin(cairn, {
      ...{ verb: 'expand', poolGroupGuid: guid, drives: [{ serial: 'D' }] },
    });
    await cairn.until(
      () => cairn.trpc.operations.get.query({ id }),
      ({ progress }) => (progress?.percent ?? 0) > 2,
      LONG,
    );
    await machine.powerCut();
    await machine.throttle('D', null);
    await cairn.boot();
    expect(await cairn.success(id, LONG)).toMatchObject({ verdict: 'continued' });
    const larger = await untilPool(cairn, guid, (now) => (now.sizeBytes ?? 0) > (back.sizeBytes ?? 0) * 1.4);
    expect(members(larger)).toEqual(['A active', 'B active', 'C active', 'D active']);
    expect(await sum(machine, pool)).toBe(before);

    // In a shell: the label, then the array itself, which gets another name. What was before has been seen by then.
    await cairn.trpc.found.refresh.mutate();
    const device = await machine.check(`findmnt -no SOURCE ${pool.mountPath}`);
    await machine.check(`e2label ${device} Elsewhere`);
    await cairn.until(
      () => historyOf(cairn, guid),
      (text) => text.includes('from "Tank" to "Elsewhere"'),
      LONG,
    );
    const partitions = (await machine.paths('A', 'B', 'C', 'D')).map((path) => `${path}1`).join(' ');
    await machine.check(`
      umount ${pool.mountPath}
      mdadm --stop ${device}
      mdadm --assemble /dev/md/other --name=other --update=name ${partitions}`);
    await untilPool(cairn, guid, ({ mounted, poolStatus }) => !mounted && poolStatus === 'inactive');
    await cairn.trpc.found.refresh.mutate();
    expect(await cairn.trpc.found.list.query()).toEqual([]);
    const history = await historyOf(cairn, guid);
    expect(history).toContain(
      `outside: It was unmounted from ${pool.mountPath} by something else than Cairn`,
    );
    expect(history).not.toContain('erased');
    expect(await cairn.pool(guid)).not.toMatchObject({ state: 'deleted' });
    await cairn.success(await cairn.trpc.pools.mount.mutate({ guid }), LONG);
    expect(await sum(machine, pool)).toBe(before);

    await machine.check('sync');
    await machine.powerCut();
    await machine.pullDrive('C');
    await cairn.boot();
    const missing = await untilPool(cairn, guid, ({ poolStatus }) => poolStatus === 'degraded');
    expect(missing.healthText).toContain('Drive C is');
    expect(members(missing)).toContain('C missing');
    expect((await cairn.trpc.pools.list.query()).map((one) => one.guid)).toEqual([guid]);
    expect(await cairn.trpc.found.list.query()).toEqual([]);
    if (!missing.mounted) await cairn.success(await cairn.trpc.pools.mount.mutate({ guid }), LONG);
    expect(await sum(machine, pool)).toBe(before);
  },
);

/** Labels of ZFS at both ends of a drive, as much of them as tools look for: the magic of every uberblock. */
const ZFS_LABELS = (path: string): string => `
  size=$(( $(blockdev --getsize64 ${path}) / 262144 * 262144 ))
  for label in 0 262144 $((size - 524288)) $((size - 262144)); do
    for uberblock in 0 1 2 3 4 5; do
      printf '\\x0c\\xb1\\xba\\x00\\x00\\x00\\x00\\x00' |
        dd of=${path} bs=1 seek=$((label + 131072 + uberblock * 1024)) conv=notrunc status=none
    done
  done`;

it(
  'names what used drives hold, cleans them as steps, and lets an array of another system be seen, looked into, left alone and adopted',
  { timeout: CASE_MS },
  async () => {
    const cairn = await lab.cairn({
      drives: [
        ...drivesOf('md', 'lvm', 'gpt', 'zfs'),
        ...['F1', 'F2'].map((serial) => ({ serial, sizeBytes: 96 * MiB })),
      ],
      ...GUEST,
    });
    const { machine } = cairn;
    const [md, lvm, gpt, zfs, ...foreign] = await machine.paths('md', 'lvm', 'gpt', 'zfs', 'F1', 'F2');
    // One mirror was made in a shell and is in use somewhere else; the four other drives come out of a drawer.
    await machine.check(`
      set -e
      mdadm --create /dev/md/holiday --run --level=1 --raid-devices=2 --homehost=nas --name=holiday ${foreign.join(' ')}
      mkfs.ext4 -q -L photos /dev/md/holiday
      mkdir -p /root/shell; mount /dev/md/holiday /root/shell
      head -c 1M /dev/urandom >/root/shell/picture; umount /root/shell
      mdadm --wait /dev/md/holiday || true
      mdadm --create /dev/md/old --run --level=1 --force --raid-devices=1 --homehost=nas --name=old ${md}
      udevadm settle
      # udev hears of the new superblock, and may put it together once more.
      while [ -e /dev/md/old ]; do mdadm --stop /dev/md/old; udevadm settle; done
      pvcreate -q -y ${lvm}; vgcreate -q old_group ${lvm}
      echo 'size=100MiB, type=linux' | sfdisk -q --label gpt ${gpt}; udevadm settle
      mkfs.ext4 -q ${gpt}1
      ${ZFS_LABELS(zfs ?? '')}
      udevadm settle`);
    await cairn.trpc.found.refresh.mutate();

    const found = await untilFound(cairn, ({ label }) => label === 'photos');
    expect(found).toMatchObject({ plugin: 'mdraid', layout: 'raid1', byCairn: false, mountedAt: null });
    const { id, guid } = found;
    // As it is on the drive, not as the kernel remembers it.
    const content = () => machine.check(`dd if=${foreign[0]} bs=1M iflag=direct status=none | sha256sum`);
    const untouched = await content();
    await cairn.success(await cairn.trpc.found.peek.mutate({ found: id }), LONG);
    expect((await untilFound(cairn, (one) => one.id === id)).inside?.entries).toEqual(
      expect.arrayContaining([expect.objectContaining({ name: 'picture', sizeBytes: MiB })]),
    );
    expect(await content()).toBe(untouched);
    expect(await cairn.trpc.found.ignore.mutate({ found: id, on: true })).toMatchObject({ ignored: true });
    expect(await content()).toBe(untouched);
    const picture = await machine.check(
      'mount -o ro,noload /dev/md/holiday /root/shell; sha256sum </root/shell/picture; umount /root/shell',
    );
    await cairn.success(await cairn.trpc.found.adopt.mutate({ found: id, label: 'Photos' }), LONG);
    const adopted = await untilPool(cairn, guid, ({ mounted }) => mounted);
    expect(members(adopted)).toEqual(['F1 active', 'F2 active']);
    expect(await machine.check(`sha256sum <${adopted.mountPath}/picture`)).toBe(picture);

    // Stopped, such an array keeps its secret: who wants it starts it.
    await cairn.success(await begin(cairn, { verb: 'release', poolGroupGuid: guid }), LONG);
    const stopped = await untilFound(cairn, (one) => one.id === id && !one.verbs.adopt.allowed);
    expect(stopped.verbs.peek).toMatchObject({ allowed: false });
    expect(stopped.obstacle).toContain('mdadm --assemble');

    const serials = ['md', 'lvm', 'gpt', 'zfs'];
    for (const serial of serials) await cairn.drive(serial, LONG);
    const request = {
      ...{ label: 'New', plugin: 'mdraid', layout: 'raid10', options: {} },
      drives: serials.map((serial) => ({ serial })),
    };
    const shown = await cairn.trpc.pools.preview.mutate({ request });
    if (!shown.ok) throw new Error(JSON.stringify(shown.issues));
    const erased = new Map(shown.preview.erases.map((one) => [one.serial, one.content.join(' ')]));
    expect(erased.get('md')).toMatch(/linux_raid_member|RAID/);
    expect(erased.get('lvm')).toMatch(/LVM/);
    expect(erased.get('gpt')).toMatch(/ext4/);
    expect(erased.get('zfs')).toMatch(/zfs/i);
    const names = shown.preview.steps.map(({ name }) => name);
    for (const slot of serials.keys()) expect(names).toContain(`erase-drive-${slot}`);
    const { guid: made } = await cairn.createPool(request, LONG);
    for (const path of await machine.paths(...serials)) {
      expect(await machine.check(`wipefs --no-act --noheadings --output TYPE ${path} | sort -u`)).toMatch(
        /^PMBR\ngpt$|^gpt\nPMBR$/,
      );
      expect(await machine.check(`wipefs --no-act --noheadings --output TYPE ${path}1`)).toBe(
        'linux_raid_member',
      );
    }
    await cairn.removePool(made, LONG);
    expect(await leftOn(machine, ...serials)).toBe('');
  },
);
