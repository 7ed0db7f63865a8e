/** Sandbox drives that come and go, wiping and its way back, and "which one is it?", as scenarios of the crash matrix. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Appliance } from '../support/appliance';
import { loopsBelow } from '../../src/cli/leftovers';
import type { Scenario } from './cases';
import { guid, mustEnd } from './scenarios';

const sandboxDrives = (appliance: Appliance): { id: string }[] =>
  appliance
    .query<{ id: string; serial: string }>('SELECT id, serial FROM drives WHERE sandbox = 1 ORDER BY serial')
    .filter(({ serial }) => existsSync(join(appliance.dataDir, 'sandbox', `${serial}.img`)));

/** Exactly this many sandbox drives, by adding and removing the last ones. */
async function sandboxOf(appliance: Appliance, count: number): Promise<void> {
  for (const { id } of sandboxDrives(appliance).slice(count))
    await mustEnd(appliance, 'sandbox.remove-drive', await appliance.trpc('drives.removeSandbox', { id }));
  const missing = count - sandboxDrives(appliance).length;
  if (missing > 0) await mustEnd(appliance, 'sandbox.create-drives', await addDrives(appliance, missing));
}
const addDrives = (appliance: Appliance, count: number) =>
  appliance.trpc('drives.addSandbox', { count, sizeBytes: 64 * 1024 ** 2 });

export const sandboxScenarios: Scenario[] = [
  {
    title: 'sandbox.create-drives, one more',
    kind: 'sandbox.create-drives',
    setUp: (appliance) => sandboxOf(appliance, 2),
    begin: (appliance) => addDrives(appliance, 1),
    backward: true,
  },
  {
    title: 'sandbox.remove-drive, the last one',
    kind: 'sandbox.remove-drive',
    setUp: (appliance) => sandboxOf(appliance, 3),
    begin: (appliance) => appliance.trpc('drives.removeSandbox', { id: sandboxDrives(appliance).at(-1)?.id }),
    backward: false,
  },
];

const openBackup = (appliance: Appliance): string | undefined =>
  appliance.query<{ id: string }>(
    'SELECT id FROM wipe_backups WHERE taken_back_at IS NULL ORDER BY rowid DESC LIMIT 1',
  )[0]?.id;

/** A table and a filesystem that nobody uses, on the first drive. */
async function filledDrive(appliance: Appliance): Promise<string> {
  const [drive] = sandboxDrives(appliance);
  const [loop] = loopsBelow(appliance.dataDir);
  if (!drive || !loop) throw new Error('there is no drive');
  const backup = openBackup(appliance);
  if (backup) await mustEnd(appliance, 'drive.restore-wipe', await takeBack(appliance, backup));
  const { stdout } = spawnSync('/usr/sbin/blkid', ['-p', '-o', 'value', '-s', 'PTTYPE', loop.device], {
    encoding: 'utf8',
  });
  if (stdout.trim() === 'gpt') return drive.id;
  const make = (program: string, argv: string[], input = ''): void => {
    const { status, stderr } = spawnSync(program, argv, { encoding: 'utf8', input });
    if (status !== 0) throw new Error(`${program}: ${stderr}`);
  };
  const table = `label: gpt\nlabel-id: ${guid('0e')}\nsize=64M, uuid=${guid('0f')}\n`;
  make('/usr/sbin/sfdisk', ['--quiet', '--no-reread', '--no-tell-kernel', loop.device], table);
  make('/usr/bin/partx', ['--update', loop.device]);
  make('/usr/sbin/mkfs.ext4', ['-q', '-F', '-U', guid('10'), `${loop.device}p1`]);
  return drive.id;
}
async function wipe(appliance: Appliance, id: string): Promise<{ status: number; body: unknown }> {
  const path = `/drives/${id}/wipe`;
  const refused = await appliance.rest<{ error?: { details?: { confirmCode?: string } } }>('POST', path);
  const code = refused.body.error?.details?.confirmCode;
  return code ? appliance.rest('POST', path, { confirmCode: code }) : refused;
}
const takeBack = (appliance: Appliance, backupId: string) =>
  appliance.trpc('drives.restoreWipe', { backupId });

export const wipeScenarios: Scenario[] = [
  {
    title: 'drive.wipe, a drive with ext4',
    kind: 'drive.wipe',
    setUp: async (appliance) => void (await filledDrive(appliance)),
    begin: async (appliance) => wipe(appliance, await filledDrive(appliance)),
    backward: true,
  },
];

export const driveScenarios: Scenario[] = [
  {
    title: 'drive.restore-wipe, a drive with ext4',
    kind: 'drive.restore-wipe',
    async setUp(appliance) {
      if (openBackup(appliance)) return;
      await filledDrive(appliance);
      await mustEnd(appliance, 'drive.wipe', await wipe(appliance, sandboxDrives(appliance)[0]?.id ?? ''));
    },
    begin: (appliance) => takeBack(appliance, openBackup(appliance) ?? ''),
    backward: false,
  },
  {
    title: 'drive.identify, one second long',
    kind: 'drive.identify',
    setUp: async () => undefined,
    begin: (appliance) =>
      appliance.trpc('drives.identify', { id: sandboxDrives(appliance)[1]?.id, seconds: 1 }),
    backward: false,
  },
];
