/**
 * Cairn as a service inside a guest: the checkout's production files at /opt/cairn (read-only), the real unit, and the data
 * on a drive of its own, so that it outlives a power cut. Both drives show up among the guest's drives, mounted.
 */
import { ensureAppImage } from './app-image.ts';
import { CairnClient, setUp, type Credentials } from './cairn-client.ts';
import { MiB } from './drives.ts';
import type { BootOptions, Machine } from './machine.ts';
import { PRODUCT_PORT } from './qemu.ts';

export const APP_SERIAL = 'cairn-app';
export const DATA_SERIAL = 'cairn-data';
export const DATA_BYTES = 256 * MiB;
/** Longer than the unit's TimeoutStartSec, so that systemd's word on it is heard. */
const START_MS = 150_000;

export interface CairnOptions {
  /** Further settings, for example CAIRN_CRASH_AT. */
  env?: Record<string, string>;
  /** False: systemd leaves it dead when it dies. True unless told, as the unit says. */
  restarts?: boolean;
}

const SETTINGS = {
  CAIRN_HOST: '0.0.0.0',
  CAIRN_PORT: String(PRODUCT_PORT),
  // The port is forwarded to the loopback of the machine that runs the tests, and to nothing else.
  CAIRN_TLS: '0',
  CAIRN_LOG_LEVEL: 'debug',
  // What it would keep beside the build, which is on a read-only drive here.
  NODE_COMPILE_CACHE: '/var/lib/cairn/compile-cache',
};

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
systemctl daemon-reload
`;

/** Puts the unit and its drives in place; done again after every boot with a fresh root drive. */
async function install(machine: Machine, { env = {}, restarts = true }: CairnOptions): Promise<void> {
  if (!machine.hasDrive(APP_SERIAL))
    await machine.addDrive({ serial: APP_SERIAL, file: await ensureAppImage(), readOnly: true });
  if (!machine.hasDrive(DATA_SERIAL)) await machine.addDrive({ serial: DATA_SERIAL, sizeBytes: DATA_BYTES });
  const lines = Object.entries({ ...SETTINGS, ...env }).map(([name, value]) => `${name}="${value}"`);
  await machine.push('/etc/cairn/cairn.env', `${lines.join('\n')}\n`);
  const dropIn = '/etc/systemd/system/cairn.service.d/lab.conf';
  await machine.push(dropIn, restarts ? '' : '[Service]\nRestart=no\n');
  await machine.check(PREPARE);
}

export class Cairn extends CairnClient {
  readonly machine: Machine;

  constructor(machine: Machine, credentials: Credentials | null) {
    super(`http://127.0.0.1:${machine.productPort}`, credentials);
    this.machine = machine;
  }

  /**
   * Starts it, also after a boot, and waits until it is ready. It is restarted when it runs already.
   * @throws Error with its journal
   */
  async start(options: CairnOptions = {}): Promise<void> {
    await install(this.machine, options);
    this.connect(`http://127.0.0.1:${this.machine.productPort}`);
    const { code } = await this.machine.run('systemctl restart cairn', { timeoutMs: START_MS });
    if (code !== 0) throw new Error(`Cairn did not start:\n${await this.journal()}`);
    await this.ready();
    this.credentials ??= await setUp(this.url, await this.#setupCode());
  }

  /** Waits until it can be used: what was interrupted has been judged, and the drives are read. */
  async ready({ timeoutMs = 120_000 } = {}): Promise<void> {
    try {
      await this.until(
        () => this.isReady(),
        (ready) => ready,
        { timeoutMs },
      );
    } catch (cause) {
      throw new Error(`Cairn is not ready:\n${await this.journal()}`, { cause });
    }
  }

  /** From now on it is there after a real boot with the same root drive, and after reboot() of its machine. */
  async enable(): Promise<void> {
    await this.machine.check(`
      echo 'LABEL=cairn-app /opt/cairn ext4 ro 0 0' >>/etc/fstab
      echo 'LABEL=cairn-data /var/lib/cairn ext4 defaults 0 0' >>/etc/fstab
      systemctl enable -q cairn`);
  }

  /** The orderly way. */
  async stop(): Promise<void> {
    await this.machine.check('systemctl stop cairn');
  }

  /**
   * kill -9 of its main process; what it had started stays. systemd starts it again after a second, unless it was started
   * with `restarts: false`.
   */
  async kill(): Promise<void> {
    await this.machine.check('systemctl kill --kill-whom=main --signal=KILL cairn');
  }

  /** After powerCut() of its machine: on again with the drives that are left, and Cairn on the data that it had. */
  async boot(options: BootOptions & CairnOptions = {}): Promise<void> {
    await this.machine.boot(options);
    await this.start(options);
  }

  /** What it wrote, and what systemd says about it. */
  async journal(): Promise<string> {
    const { out } = await this.machine.run(
      'systemctl status --no-pager --lines=0 cairn; journalctl -u cairn -o short-monotonic --no-hostname -n 200',
    );
    return out;
  }

  /** As whoever owns the machine reads it. */
  async #setupCode(): Promise<string> {
    const code = /First-run code: (\S+)/.exec(await this.journal())?.[1];
    if (!code) throw new Error('Cairn printed no first-run code.');
    return code;
  }
}

/** Installs and starts it in a guest that has none; an account and a key for the case are made. */
export async function startCairn(machine: Machine, options: CairnOptions = {}): Promise<Cairn> {
  const cairn = new Cairn(machine, null);
  await cairn.start(options);
  return cairn;
}
