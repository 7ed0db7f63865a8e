/**
 * Set-up and start, for `npm start`, `npm run dev` and the tests. Plain JavaScript for whatever Node the machine has:
 * nothing is installed yet when it runs. It brings what is missing, in this order, and says so: programs of the host
 * through apt, the locked npm packages (Node 24 among them), the build.
 */
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { delimiter, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  PROGRAMS,
  OPTIONAL_PROGRAMS,
  VM_PROGRAMS,
  FIRMWARE_PROGRAMS,
  TEST_PROGRAMS,
} from './host-packages.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const at = (/** @type {string[]} */ ...parts) => join(root, ...parts);

/** sysexits.h: permission denied. */
const EXIT_NOT_ROOT = 77;
const EXIT_SETUP_FAILED = 78;

const SEARCH = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];

class SetupError extends Error {
  constructor(/** @type {string} */ message, /** @type {number} */ exitCode) {
    super(message);
    this.exitCode = exitCode;
  }
}

const say = (/** @type {string} */ text) => process.stdout.write(`cairn: ${text}\n`);

/** Runs a program to its end, its output kept back unless it fails. */
function run(
  /** @type {string} */ program,
  /** @type {string[]} */ argv,
  /** @type {Record<string, string | undefined>} */ extra = {},
) {
  const result = spawnSync(program, argv, {
    cwd: root,
    env: { ...process.env, ...extra },
    encoding: 'utf8',
    maxBuffer: 64 * 1024 ** 2,
  });
  return {
    ok: result.status === 0,
    output: `${result.stdout ?? ''}${result.stderr ?? ''}${result.error ?? ''}`,
  };
}

const isInstalled = (/** @type {string} */ program) =>
  program.startsWith('/') ? existsSync(program) : SEARCH.some((folder) => existsSync(join(folder, program)));

function requireRoot() {
  if (process.getuid?.() === 0) return;
  throw new SetupError(
    'Cairn works with drives and mounts, so it needs root. Run it again as root, for example: sudo npm start',
    EXIT_NOT_ROOT,
  );
}

/** @param {string[][]} table */
export function installPrograms(table) {
  const missing = table.filter(([program]) => !isInstalled(program ?? ''));
  if (missing.length === 0) return;
  const packages = [...new Set(missing.map(([, name]) => name ?? ''))];
  const names = missing.map(([program]) => program).join(', ');
  if (!isInstalled('apt-get'))
    throw new SetupError(
      `These programs are missing: ${names}. This is no Debian or Ubuntu: install them with your package tool.`,
      EXIT_SETUP_FAILED,
    );
  say(`installing ${packages.join(', ')}`);
  const quiet = { DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C' };
  const install = () =>
    run('apt-get', ['install', '-y', '-q', '--no-install-recommends', ...packages], quiet);
  let result = install();
  if (!result.ok) {
    // The lists may be older than what the mirrors hold, or not there at all.
    run('apt-get', ['update', '-q'], quiet);
    result = install();
  }
  const left = missing.filter(([program]) => !isInstalled(program ?? ''));
  if (!result.ok || left.length > 0)
    throw new SetupError(
      `apt-get could not install ${packages.join(', ')}:\n${result.output.trim().split('\n').slice(-15).join('\n')}`,
      EXIT_SETUP_FAILED,
    );
}

/** @param {string[][]} table */
function installOptional(table) {
  try {
    installPrograms(table);
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    say(`${error.message}\nSome kinds of pools, or machines, cannot be made; the Plugins page says which.`);
  }
}

const hashOf = (/** @type {string | Buffer} */ content) => createHash('sha256').update(content).digest('hex');
const readIfThere = (/** @type {string} */ path) => (existsSync(path) ? readFileSync(path, 'utf8') : '');

function installPackages() {
  const stamp = at('node_modules/.cairn-lock');
  const lock = hashOf(readFileSync(at('package-lock.json')));
  const complete = existsSync(at('node_modules/.bin/node'));
  if (complete && readIfThere(stamp) === lock) return;
  say('installing npm packages (this takes a minute the first time)');
  const npm = () => run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error']);
  let result = npm();
  if (!result.ok) result = npm();
  if (!result.ok)
    throw new SetupError(
      `npm ci failed:\n${result.output.trim().split('\n').slice(-20).join('\n')}`,
      EXIT_SETUP_FAILED,
    );
  writeFileSync(stamp, lock);
}

/** Every file that the build is made from, in a stable order. */
function sources() {
  const roots = [
    'src',
    'plugins',
    'static',
    'package-lock.json',
    'svelte.config.js',
    'vite.config.ts',
    'tsconfig.json',
  ];
  /** @type {string[]} */
  const files = [];
  const walk = (/** @type {string} */ path) => {
    if (!existsSync(path)) return;
    if (!statSync(path).isDirectory()) return void files.push(path);
    for (const name of readdirSync(path).sort()) walk(join(path, name));
  };
  for (const name of roots) walk(at(name));
  return files;
}

function sourceHash() {
  const hash = createHash('sha256');
  for (const path of sources()) hash.update(`${relative(root, path)}\0`).update(readFileSync(path));
  return hash.digest('hex');
}

/** The environment in which `node` and the tools are those of the lock file. */
const toolEnv = () => ({ PATH: `${at('node_modules/.bin')}${delimiter}${process.env.PATH ?? ''}` });

function build() {
  const stamp = at('build/.cairn-sources');
  const hash = sourceHash();
  if (existsSync(at('build/handler.js')) && readIfThere(stamp) === hash) return;
  say('building');
  const result = run(at('node_modules/.bin/vite'), ['build', '--logLevel', 'warn'], {
    ...toolEnv(),
    NODE_ENV: 'production',
  });
  if (!result.ok) throw new SetupError(`The build failed:\n${result.output.trim()}`, EXIT_SETUP_FAILED);
  writeFileSync(stamp, hash);
}

/**
 * Brings everything that starting (or testing) needs. Quick when all is there.
 * @param {{ forTests?: boolean, withBuild?: boolean }} [options]
 * @throws {SetupError} with an exit code and what to do
 */
export async function prepare({ forTests = false, withBuild = true } = {}) {
  requireRoot();
  installPrograms(
    forTests ? [...PROGRAMS, ...TEST_PROGRAMS, ...VM_PROGRAMS, ...FIRMWARE_PROGRAMS] : PROGRAMS,
  );
  installOptional([...OPTIONAL_PROGRAMS, ...VM_PROGRAMS]);
  // On its own: where one of these is not to be had, machines are to be had all the same.
  installOptional(FIRMWARE_PROGRAMS);
  installPackages();
  if (withBuild) build();
}

const LIBVIRT_SOCKET = '/run/libvirt/libvirt-sock';
/**
 * systemd starts libvirt when it is installed. Where there is none (a container, say), nobody does: then it runs until two
 * minutes after the last who needs it, machines included. Without it the rest works, and the page of machines says why.
 */
function startLibvirt() {
  if (existsSync('/run/systemd/system') || existsSync(LIBVIRT_SOCKET) || !isInstalled('libvirtd')) return;
  say('starting libvirtd, since no systemd does');
  for (const program of ['virtlogd', 'libvirtd']) {
    const { ok, output } = run(program, ['--daemon', '--timeout', '120'], { PATH: SEARCH.join(delimiter) });
    if (!ok) return say(`${program} could not be started: ${output.trim()}`);
  }
}

/** Replaces this process as far as a shell can tell: same output, same signals, same end. */
function become(
  /** @type {string} */ program,
  /** @type {string[]} */ argv,
  /** @type {Record<string, string>} */ extra,
) {
  const child = spawn(program, argv, { cwd: root, env: { ...process.env, ...extra }, stdio: 'inherit' });
  /** @type {NodeJS.Signals[]} */
  const forwarded = ['SIGTERM', 'SIGINT', 'SIGHUP'];
  for (const name of forwarded)
    process.on(name, () => {
      // Ctrl-C reaches the whole group of the terminal already; a second one would skip the orderly stop.
      if (name !== 'SIGINT' || !process.stdin.isTTY) child.kill(name);
    });
  child.on('error', (error) => {
    process.stderr.write(`cairn: ${program} could not be started: ${error.message}\n`);
    process.exit(EXIT_SETUP_FAILED);
  });
  child.on('exit', (code, signal) => process.exit(code ?? 128 + (signal ? constants.signals[signal] : 0)));
}

/** Sandbox drives in the checkout: `npm start` never touches a real drive. */
function sandboxEnv() {
  const dataDir = process.env.CAIRN_DATA_DIR ?? at('.cairn');
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  return { ...toolEnv(), CAIRN_SANDBOX: process.env.CAIRN_SANDBOX ?? '1', CAIRN_DATA_DIR: dataDir };
}

async function main() {
  const [verb, ...rest] = process.argv.slice(2);
  if (verb === 'start') {
    await prepare();
    startLibvirt();
    // A small nursery: an idle appliance keeps a quarter less memory, and what it does is not bound by garbage.
    become(at('node_modules/.bin/node'), ['--max-semi-space-size=2', at('src/main.ts')], {
      ...sandboxEnv(),
      NODE_ENV: 'production',
      // From the first file on, so that types are not stripped at each start again.
      NODE_COMPILE_CACHE: at('build/.compile-cache'),
    });
  } else if (verb === 'dev') {
    await prepare({ withBuild: false });
    const argv = ['dev', '--host', '127.0.0.1', '--port', process.env.CAIRN_PORT ?? '8420', '--strictPort'];
    become(at('node_modules/.bin/vite'), argv, sandboxEnv());
  } else if (verb === 'exec' && rest[0]) {
    await prepare();
    become(at('node_modules/.bin/node'), rest, toolEnv());
  } else {
    throw new SetupError('Usage: node src/setup.mjs start | dev | exec <file> [argument ...]', 2);
  }
}

if (process.argv[1] && fileURLToPath(import.meta.url) === process.argv[1])
  main().catch((error) => {
    process.stderr.write(`cairn: ${error instanceof SetupError ? error.message : (error?.stack ?? error)}\n`);
    process.exit(error instanceof SetupError ? error.exitCode : 1);
  });
