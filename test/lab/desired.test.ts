/** Pools are what they should be after a boot, by PID 1 alone: with Cairn, without it, and with a drive that is not there. */
import { expect, it } from 'vitest';
import { mountUnit } from '../../src/lib/server/host/mount-units.ts';
import { MiB } from './drives.ts';
import { useLab } from './use-lab.ts';

const lab = useLab({ cairn: true });
const single = (label: string, serial: string) => ({
  label,
  plugin: 'single-drive',
  layout: 'single',
  drives: [{ serial }],
});
/** How long a boot may take its time here before something has waited for a device (systemd waits 90 seconds for one). */
const BOOT_S = 80;

it(
  'mounts pools at boot before Cairn runs, waits for no drive that is missing, and mounts that pool when it comes back',
  { timeout: 480_000 },
  async () => {
    const drives = ['A', 'B', 'C'].map((serial) => ({ serial, sizeBytes: 400 * MiB }));
    const cairn = await lab.cairn({ drives });
    const { machine } = cairn;
    const here = await cairn.createPool(single('Here', 'A'));
    const away = await cairn.createPool(single('Away', 'B'));
    const left = await cairn.createPool(single('Left', 'C'));
    for (const { mountPath } of [here, away, left]) await machine.check(`echo marker >${mountPath}/marker`);
    // What a person unmounts stays unmounted, and nobody writes below it.
    await cairn.success(await cairn.trpc.pools.unmount.mutate({ guid: left.guid }));
    expect((await machine.run(`touch ${left.mountPath}/stray`)).out).toContain('Operation not permitted');
    await machine.check('sync');
    // It is not there at the next boot.
    await machine.pullDrive('B');
    await machine.powerCut();
    await machine.boot({ cold: true, root: 'kept' });
    const seconds = Number((await machine.check('cut -d. -f1 /proc/uptime')).trim());
    expect(await machine.check('systemctl list-jobs --no-legend; systemctl --failed --no-legend')).toBe('');
    expect(seconds).toBeLessThan(BOOT_S);

    // Nobody but PID 1 has been at work.
    expect((await machine.run('systemctl is-active cairn')).out.trim()).not.toBe('active');
    expect(await machine.check(`cat ${here.mountPath}/marker`)).toBe('marker');
    for (const { mountPath } of [away, left]) {
      expect((await machine.run(`mountpoint -q ${mountPath}`)).code).not.toBe(0);
      expect((await machine.run(`touch ${mountPath}/stray`)).out).toContain('Operation not permitted');
    }

    await cairn.start();
    expect(await cairn.pool(here.guid)).toMatchObject({ state: 'ready', mounted: true, waiting: null });
    expect(await cairn.pool(left.guid)).toMatchObject({ state: 'unmounted', mounted: false, waiting: null });
    const waiting = await cairn.until(
      () => cairn.pool(away.guid),
      (pool) => pool.poolStatus !== null,
    );
    expect(waiting).toMatchObject({ state: 'ready', mounted: false, poolStatus: 'missing' });
    expect(waiting.waiting).toContain('drive B');
    const { items } = await cairn.trpc.operations.page.query({ limit: 20 });
    expect(items.filter(({ kind }) => kind === 'pool.mount')).toEqual([]);

    await machine.replug('B');
    const back = await cairn.until(
      () => cairn.pool(away.guid),
      (pool) => pool.mounted && pool.operationId === null,
    );
    expect(back).toMatchObject({ state: 'ready', health: 'healthy', waiting: null });
    expect(await machine.check(`cat ${away.mountPath}/marker`)).toBe('marker');

    // Gone without a trace when the pool goes.
    await cairn.removePool(here.guid);
    expect(
      await machine.check(`ls ${here.mountPath}; grep -rl ${here.guid} /etc/systemd/system; true`),
    ).toMatch(/^ls: cannot access .*: No such file or directory$/);
  },
);

it(
  'lets PID 1 alone mount what a unit of Cairn describes, at boot and when the drive comes later, and waits for none',
  { timeout: 600_000 },
  async () => {
    const machine = await lab.machine({
      drives: ['A', 'B'].map((serial) => ({ serial, sizeBytes: 64 * MiB })),
    });
    const units = ['A', 'B'].map((serial, index) =>
      mountUnit({
        guid: `11111111-2222-4333-8444-55555555555${index}`,
        mountPath: `/mnt/my pool-${serial}`,
        source: `/dev/disk/by-uuid/11111111-2222-4333-8444-55555555555${index}`,
        filesystem: 'ext4',
        options: ['noatime', 'nodev', 'nosuid'],
        remote: false,
      }),
    );
    for (const [index, serial] of ['A', 'B'].entries()) {
      const unit = units[index];
      if (!unit) throw new Error('no unit');
      await machine.check(
        `mkfs.ext4 -q -U 11111111-2222-4333-8444-55555555555${index} "$(lab-drive ${serial})" && mkdir '/mnt/my pool-${serial}' && chattr +i '/mnt/my pool-${serial}'`,
      );
      await machine.push(unit.path, unit.content);
      await machine.check(`systemctl enable --quiet -- '${unit.name}' && [ -L '${unit.link}' ]`);
    }
    await machine.check('systemd-analyze verify /etc/systemd/system/mnt-my*.mount; sync');
    await machine.pullDrive('B');
    await machine.powerCut();
    await machine.boot({ cold: true, root: 'kept' });
    expect((await machine.run("mountpoint '/mnt/my pool-A'")).out).toContain('is a mountpoint');
    expect((await machine.run("touch '/mnt/my pool-B/stray'")).out).toContain('Operation not permitted');
    // Nothing of the boot waits for the drive that is not there, and nothing has failed for it.
    await machine.until('[ -z "$(systemctl list-jobs --no-legend)" ]', { timeoutMs: 60_000 });
    expect(await machine.check('systemctl --failed --no-legend')).toBe('');
    await machine.replug('B');
    await machine.until("mountpoint -q '/mnt/my pool-B'", { timeoutMs: 60_000 });
    // Unmounted on purpose as Cairn does it: it stays so when the drive comes again.
    await machine.check(
      `systemctl disable --quiet -- '${units[1]?.name}' && rm '${units[1]?.path}' && systemd-umount '/mnt/my pool-B'`,
    );
    await machine.pullDrive('B');
    await machine.replug('B');
    await machine.until('[ -e /dev/disk/by-uuid/11111111-2222-4333-8444-555555555551 ]');
    expect((await machine.run("sleep 3; mountpoint -q '/mnt/my pool-B'")).code).not.toBe(0);
  },
);
