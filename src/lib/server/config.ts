/** Everything that the environment can say, read once. The only file that reads process.env. */
import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import { z } from 'zod';

const flag = z
  .enum(['0', '1'])
  .default('0')
  .transform((value) => value === '1');

const environment = z.object({
  /** 1: sandbox drives only; real drives are listed but locked. */
  CAIRN_SANDBOX: flag,
  /** 1: no plugin of somebody else's is loaded. */
  CAIRN_SAFE_MODE: flag,
  CAIRN_DATA_DIR: z.string().default('/var/lib/cairn'),
  /** Where drizzle/ lies; the working directory unless said otherwise. */
  CAIRN_APP_DIR: z.string().default('.'),
  CAIRN_MOUNT_ROOT: z.string().optional(),
  CAIRN_HOST: z.string().default('127.0.0.1'),
  CAIRN_PORT: z.coerce.number().int().min(0).max(65_535).default(8420),
  /** 1 or 0: HTTPS or not. Unless said, on every address but those that only this machine reaches. */
  CAIRN_TLS: z.enum(['0', '1']).optional(),
  /** Further host names that a browser may use, comma-separated. */
  CAIRN_ALLOWED_HOSTS: z.string().default(''),
  CAIRN_SANDBOX_DRIVES: z.coerce.number().int().min(0).max(32).default(6),
  CAIRN_SANDBOX_DRIVE_BYTES: z.coerce
    .number()
    .int()
    .min(64 * 1024 ** 2)
    .default(2 * 1024 ** 3),
  CAIRN_LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info'),
  /** Test only: `point` or `point@kind/step`, where the process kills itself; see operations/crash-points.ts. */
  CAIRN_CRASH_AT: z.string().default(''),
  /** Test only: path of the network namespace that stands for the host's network. */
  CAIRN_NETWORK_NAMESPACE: z.string().default(''),
  CAIRN_LEASE_MS: z.coerce.number().int().min(200).default(15_000),
  CAIRN_SWEEP_CRON: z.string().default('*/1 * * * *'),
  /** Finished operations kept: newest this many, and none older than this many days. */
  CAIRN_KEEP_OPERATIONS: z.coerce.number().int().min(1).default(500),
  CAIRN_KEEP_DAYS: z.coerce.number().int().min(1).default(90),
  /** Entries of the audit log kept: newest this many of each kind, and none older than this many days. */
  CAIRN_KEEP_AUDIT: z.coerce.number().int().min(100).default(100_000),
  CAIRN_KEEP_AUDIT_DAYS: z.coerce.number().int().min(1).default(400),
  /** For how long after giving the password a person may destroy things; 0: it is never asked again. */
  CAIRN_REAUTH_MINUTES: z.coerce.number().int().min(0).max(1_440).default(15),
  /** Where updates are offered: an https address or an absolute folder; empty: nobody is asked. */
  CAIRN_UPDATE_CHANNEL: z.string().default(''),
  /** The public keys of which one has to have signed what is offered, PEM. */
  CAIRN_UPDATE_KEYS: z.string().default('/etc/cairn/update-keys.pem'),
  NOTIFY_SOCKET: z.string().default(''),
  WATCHDOG_USEC: z.coerce.number().int().min(0).default(0),
});

export interface Config {
  sandbox: boolean;
  dataDir: string;
  databasePath: string;
  migrationsDir: string;
  /** Records of commands that run or ran: see host/command.ts. */
  recordsDir: string;
  sandboxDir: string;
  /** Files that only root may read, and only for a while: see vms/secrets.ts. */
  secretsDir: string;
  /** Passwords and tokens of the channels that tell of alerts: see notifications/secrets.ts. */
  channelSecretsDir: string;
  /** What people's phones make their codes from: see auth/totp.ts. */
  totpSecretsDir: string;
  /** See sockets/local.ts. */
  localSocket: string;
  thirdPartyPluginsDir: string;
  /** Databases of versions before, and the trial that is on: see updates/place.ts and before-start.sh. */
  updatesDir: string;
  safeMode: boolean;
  mountRoot: string;
  host: string;
  port: number;
  /** Served by HTTPS, with the certificate below `tlsDir`. */
  tls: boolean;
  tlsDir: string;
  hostname: string;
  allowedHosts: string[];
  sandboxDrives: number;
  sandboxDriveBytes: number;
  logLevel: 'debug' | 'info' | 'warn' | 'error' | 'silent';
  crashAt: string;
  /** null: the network that this process is in. */
  networkNamespace: string | null;
  leaseMs: number;
  sweepCron: string;
  keepOperations: number;
  keepDays: number;
  keepAudit: number;
  keepAuditDays: number;
  reauthMs: number;
  /** null: updates are not looked for. */
  updateChannel: string | null;
  updateKeysPath: string;
  /** Where systemd listens; empty when it did not start us. */
  notifySocket: string;
  watchdogMs: number;
}

const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);

/** @throws ZodError naming the variable that is wrong */
export function readConfig(env: Record<string, string | undefined> = process.env): Config {
  const value = environment.parse(env);
  const dataDir = resolve(value.CAIRN_DATA_DIR);
  return {
    sandbox: value.CAIRN_SANDBOX,
    dataDir,
    databasePath: join(dataDir, 'cairn.db'),
    migrationsDir: resolve(value.CAIRN_APP_DIR, 'drizzle'),
    recordsDir: join(dataDir, 'records'),
    sandboxDir: join(dataDir, 'sandbox'),
    secretsDir: join(dataDir, 'secrets'),
    channelSecretsDir: join(dataDir, 'channel-secrets'),
    totpSecretsDir: join(dataDir, 'totp-secrets'),
    localSocket: join(dataDir, 'local.sock'),
    updatesDir: join(dataDir, 'updates'),
    thirdPartyPluginsDir: join(dataDir, 'plugins'),
    safeMode: value.CAIRN_SAFE_MODE,
    mountRoot: resolve(value.CAIRN_MOUNT_ROOT ?? (value.CAIRN_SANDBOX ? join(dataDir, 'mnt') : '/mnt')),
    host: value.CAIRN_HOST,
    port: value.CAIRN_PORT,
    tls: value.CAIRN_TLS === undefined ? !isLoopback(value.CAIRN_HOST) : value.CAIRN_TLS === '1',
    tlsDir: join(dataDir, 'tls'),
    hostname: hostname(),
    allowedHosts: value.CAIRN_ALLOWED_HOSTS.split(',')
      .map((name) => name.trim())
      .filter(Boolean),
    sandboxDrives: value.CAIRN_SANDBOX_DRIVES,
    sandboxDriveBytes: value.CAIRN_SANDBOX_DRIVE_BYTES,
    logLevel: value.CAIRN_LOG_LEVEL,
    crashAt: value.CAIRN_CRASH_AT,
    networkNamespace: value.CAIRN_NETWORK_NAMESPACE || null,
    leaseMs: value.CAIRN_LEASE_MS,
    sweepCron: value.CAIRN_SWEEP_CRON,
    keepOperations: value.CAIRN_KEEP_OPERATIONS,
    keepDays: value.CAIRN_KEEP_DAYS,
    keepAudit: value.CAIRN_KEEP_AUDIT,
    keepAuditDays: value.CAIRN_KEEP_AUDIT_DAYS,
    reauthMs: value.CAIRN_REAUTH_MINUTES * 60_000,
    updateChannel: value.CAIRN_UPDATE_CHANNEL.trim() || null,
    updateKeysPath: resolve(value.CAIRN_UPDATE_KEYS),
    notifySocket: value.NOTIFY_SOCKET,
    watchdogMs: Math.floor(value.WATCHDOG_USEC / 1_000),
  };
}
