/**
 * Cairn as a service inside a guest: the checkout's production files at /opt/cairn (read-only), the real unit, and the data
 * on a drive of its own, so that it outlives a power cut. Both drives show up among the guest's drives, mounted.
 */
import { ensureAppImage } from './app-image.ts';
import { MiB } from './drives.ts';
import type { Machine } from './machine.ts';
import { PRODUCT_PORT } from './qemu.ts';

export const APP_SERIAL = 'cairn-app';
export const DATA_SERIAL = 'cairn-data';
/** Longer than the unit's TimeoutStartSec, so that systemd's word on it is heard. */
const START_MS = 150_000;

export interface CairnOptions {
  /** Further settings, for example CAIRN_CRASH_AT. */
  env?: Record<string, string>;
  /** False: systemd leaves it dead when it dies. True unless told, as the unit says. */
  restarts?: boolean;
}
export interface RunningCairn {
  /** From this side; another one after every boot. */
  url: string;
}

const SETTINGS = { CAIRN_HOST: '0.0.0.0', CAIRN_PORT: String(PRODUCT_PORT), CAIRN_LOG_LEVEL: 'debug' };

const PREPARE = `
set -e
mkdir -p /opt/cairn /var/lib/cairn /etc/systemd/system/cairn.service.d /etc/cairn
mountpoint -q /opt/cairn || mount -o ro "$(lab-drive ${APP_SERIAL})" /opt/cairn
if ! mountpoint -q /var/lib/cairn; then
  data=$(lab-drive ${DATA_SERIAL})
  [ "$(blkid -p -o value -s TYPE "$data")" = ext4 ] || mkfs.ext4 -q -L cairn-data "$data"
  mount "$data" /var/lib/cairn
fi
cp /opt/cairn/systemd/cairn.service /etc/systemd/system/
`;

/** Puts the unit and its drives in place; done again after every boot with a fresh root drive. */
async function install(machine: Machine, { env = {}, restarts = true }: CairnOptions): Promise<void> {
  if (!machine.hasDrive(APP_SERIAL))
    await machine.addDrive({ serial: APP_SERIAL, file: await ensureAppImage(), readOnly: true });
  if (!machine.hasDrive(DATA_SERIAL)) await machine.addDrive({ serial: DATA_SERIAL, sizeBytes: 512 * MiB });
  await machine.check(PREPARE);
  const lines = Object.entries({ ...SETTINGS, ...env }).map(([name, value]) => `${name}="${value}"`);
  await machine.push('/etc/cairn/cairn.env', `${lines.join('\n')}\n`);
  const dropIn = '/etc/systemd/system/cairn.service.d/lab.conf';
  await machine.push(dropIn, restarts ? '' : '[Service]\nRestart=no\n');
  await machine.check('systemctl daemon-reload');
}

/**
 * Starts it and waits until systemd has been told that it is ready.
 * @throws Error with its journal
 */
export async function startCairn(machine: Machine, options: CairnOptions = {}): Promise<RunningCairn> {
  await install(machine, options);
  const { code } = await machine.run('systemctl start cairn', { timeoutMs: START_MS });
  if (code !== 0) throw new Error(`Cairn did not start:\n${await cairnJournal(machine)}`);
  return { url: `http://127.0.0.1:${machine.productPort}` };
}

/** The orderly way. */
export const stopCairn = (machine: Machine): Promise<string> => machine.check('systemctl stop cairn');

/**
 * kill -9 of its main process; what it had started stays. systemd starts it again after a second, unless it was started with
 * `restarts: false`.
 */
export const killCairn = (machine: Machine): Promise<string> =>
  machine.check('systemctl kill --kill-whom=main --signal=KILL cairn');

/** What it wrote, and what systemd says about it. */
export async function cairnJournal(machine: Machine): Promise<string> {
  const { out } = await machine.run(
    'systemctl status --no-pager --lines=0 cairn; journalctl -u cairn -o cat -n 200',
  );
  return out;
}
