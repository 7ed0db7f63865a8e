/** What drives say about themselves, asked through Cairn as its unit runs it; and that nobody wakes one that sleeps. */
import { expect, it } from 'vitest';
import type { Cairn } from './cairn.ts';
import { useLab } from './use-lab.ts';

const lab = useLab();
const SLOW_MS = 600_000;

/**
 * QEMU's disks never say that they sleep. In front of smartctl stands one that says so for a drive while a file is there, in
 * the words of version 7.3; everything else goes to the real one.
 */
const SLEEPING_SMARTCTL = `#!/bin/sh
for path; do :; done
if [ -e "/run/asleep-$(basename "$path")" ]; then
  echo '{"json_format_version":[1,0],"smartctl":{"version":[7,3],"messages":[{"string":"Device is in STANDBY mode, exit(3)","severity":"information"}],"exit_status":3},"device":{"name":"'"$path"'","type":"sat","protocol":"ATA"}}'
  exit 3
fi
exec /usr/sbin/smartctl.real "$@"
`;

const health = async (cairn: Cairn, serial: string) =>
  (await cairn.drives()).find((drive) => drive.serial === serial)?.health;

it('health, a self-test and its result come from the drive', { timeout: SLOW_MS }, async () => {
  const cairn = await lab.cairn({
    drives: [
      { serial: 'DISK', bus: 'sata' },
      { serial: 'FLASH', bus: 'nvme' },
    ],
  });
  const { id } = await cairn.drive('DISK');
  await cairn.until(
    () => health(cairn, 'DISK'),
    (seen) => seen?.status === 'passed' && seen.temperatureCelsius === 31,
  );
  await cairn.until(
    () => health(cairn, 'FLASH'),
    (seen) => seen?.status === 'passed' && seen.temperatureCelsius === 50,
  );
  await cairn.success(await cairn.trpc.drives.startSelfTest.mutate({ id, kind: 'short' }));
  await cairn.trpc.drives.readHealth.mutate({ id });
  expect((await health(cairn, 'DISK'))?.selfTest.log[0]).toMatchObject({ result: 'passed' });
  expect((await cairn.trpc.drives.history.query({ id, days: 1 })).length).toBeGreaterThan(0);
});

it(
  'a drive that sleeps when Cairn starts sleeps on, until somebody asks what is on it',
  { timeout: SLOW_MS },
  async () => {
    const cairn = await lab.cairn({ drives: [{ serial: 'SLEEPER', bus: 'sata' }] });
    const { machine } = cairn;
    await cairn.drive('SLEEPER');
    const [path = ''] = await machine.paths('SLEEPER');
    const name = path.slice('/dev/'.length);
    await machine.check(
      `mkfs.ext4 -q -L dreams ${path}; sync; udevadm settle; mv /usr/sbin/smartctl /usr/sbin/smartctl.real`,
    );
    await machine.push('/usr/sbin/smartctl', SLEEPING_SMARTCTL, '0755');
    await machine.check(`touch /run/asleep-${name}; systemctl stop cairn; udevadm settle`);
    const answered = (): Promise<string> => machine.check(`cut -c1-18 /sys/block/${name}/stat`);
    const before = await answered();
    await machine.check('systemctl start cairn', { timeoutMs: 200_000 });
    const find = async () => (await cairn.drives()).find((drive) => drive.serial === 'SLEEPER');
    const seen = await cairn.until(find, (drive) => drive?.health.power === 'standby');
    await cairn.until(() => cairn.isReady(), Boolean);
    expect(seen).toMatchObject({ probed: false, issues: [{ code: 'drive_unreadable' }] });
    await cairn.trpc.drives.readHealth.mutate({ id: seen?.id ?? '' });
    expect(await answered()).toBe(before);

    await machine.check(`rm /run/asleep-${name}`);
    await cairn.trpc.drives.refresh.mutate({ id: seen?.id ?? '' });
    const awake = await cairn.until(find, (drive) => drive?.probed === true);
    expect(awake?.signatures).toMatchObject([{ type: 'ext4', label: 'dreams' }]);
    expect(await answered()).not.toBe(before);
  },
);
