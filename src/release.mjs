/**
 * `npm run release`: what install.sh installs, as one archive: the build, the production packages and Node for the architecture, a
 * checksum of each file, and a list of everything it was made from (CycloneDX). The same commit gives the same bytes as far as
 * the tools do. Plain JavaScript, as setup.mjs. Options: --arch x64|arm64 (this machine's), --out FOLDER (build/release).
 * For a channel of updates: --sign KEY writes a signed manifest of the archives of this version in that folder, with --notes FILE and
 * --minimum VERSION; --new-key KEY makes a key, and nothing else.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { makeKey, writeManifest } from './release-manifest.mjs';
import { FIRMWARE_PROGRAMS, OPTIONAL_PROGRAMS, PROGRAMS, VM_PROGRAMS } from './host-packages.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const at = (/** @type {string[]} */ ...parts) => join(root, ...parts);
const SHIPPED = ['build', 'src', 'drizzle', 'systemd', 'install.sh', 'package.json', 'LICENSE', 'README.md'];
/** Of Node's package only the program is needed, not its headers; of the database driver not the source of SQLite. */
const NOT_SHIPPED = [
  ...['x64', 'arm64'].flatMap((arch) => ['include', 'share'].map((name) => `node-linux-${arch}/${name}`)),
  'better-sqlite3/deps',
];
/** The build as it is made, without what a start adds to it. */
const NOT_OF_BUILD = ['.compile-cache', '.cairn-sources', 'release'];

/** @throws Error with what the program said */
function run(
  /** @type {string} */ program,
  /** @type {string[]} */ argv,
  /** @type {{ cwd?: string, env?: Record<string, string> }} */ { cwd = root, env = {} } = {},
) {
  const { status, stdout, stderr, error } = spawnSync(program, argv, {
    ...{ cwd, env: { ...process.env, ...env }, encoding: 'utf8', maxBuffer: 256 * 1024 ** 2 },
  });
  if (status !== 0) throw new Error(`${program} ${argv.join(' ')}: ${stderr}${stdout}${error ?? ''}`);
  return stdout;
}

const sha256 = (/** @type {string} */ path) => createHash('sha256').update(readFileSync(path)).digest('hex');

/** @returns {string[]} every file below, in a stable order; links are left out: what they lead to is listed */
function filesBelow(/** @type {string} */ folder) {
  return readdirSync(folder)
    .sort()
    .flatMap((name) => {
      const path = join(folder, name);
      const stat = lstatSync(path);
      if (stat.isDirectory()) return filesBelow(path);
      return stat.isFile() ? [path] : [];
    });
}

/** `required mkfs.xfs xfsprogs`: for a shell to read. */
function hostPackages() {
  const lines = (/** @type {string} */ need, /** @type {string[][]} */ table) =>
    table.map((entry) => `${need} ${entry.join(' ')}\n`).join('');
  return (
    lines('required', PROGRAMS) +
    lines('optional', [...OPTIONAL_PROGRAMS, ...VM_PROGRAMS, ...FIRMWARE_PROGRAMS])
  );
}

/** What everything was made from, with what was built into it. Nothing in it tells when or where. */
function billOfMaterials(/** @type {string} */ time) {
  const bom = JSON.parse(run('npm', ['sbom', '--sbom-format', 'cyclonedx', '--package-lock-only']));
  delete bom.serialNumber;
  bom.metadata.timestamp = time;
  return `${JSON.stringify(bom, null, 1)}\n`;
}

function stage(/** @type {string} */ folder, /** @type {string} */ arch, /** @type {string} */ time) {
  for (const name of SHIPPED)
    cpSync(at(name), join(folder, name), {
      ...{ recursive: true, verbatimSymlinks: true },
      filter: (path) => !NOT_OF_BUILD.includes(relative(at('build'), path)),
    });
  cpSync(at('package-lock.json'), join(folder, 'package-lock.json'));
  // Integrity is that of the lock file; no script of a package is run.
  run(
    'npm',
    [
      ...['ci', '--omit=dev', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'],
      ...['--os=linux', `--cpu=${arch}`, '--libc=glibc'],
    ],
    { cwd: folder },
  );
  for (const name of NOT_SHIPPED)
    rmSync(join(folder, 'node_modules', name), { recursive: true, force: true });
  rmSync(join(folder, 'node_modules/.bin'), { recursive: true, force: true });
  rmSync(join(folder, 'node_modules/.package-lock.json'), { force: true });
  mkdirSync(join(folder, 'node_modules/.bin'));
  symlinkSync(`../node-linux-${arch}/bin/node`, join(folder, 'node_modules/.bin/node'));
  writeFileSync(join(folder, 'host-packages.txt'), hostPackages());
  writeFileSync(join(folder, 'sbom.cdx.json'), billOfMaterials(time));
  const sums = filesBelow(folder).map((path) => `${sha256(path)}  ${relative(folder, path)}\n`);
  writeFileSync(join(folder, 'SHA256SUMS'), sums.join(''));
}

function main() {
  const text = /** @type {const} */ ({ type: 'string' });
  const { values } = parseArgs({
    options: { arch: text, out: text, sign: text, notes: text, minimum: text, 'new-key': text },
  });
  if (values['new-key'] !== undefined) {
    makeKey(values['new-key']);
    process.stdout.write(`${values['new-key']}.pub\n`);
    return;
  }
  const arch = values.arch ?? process.arch;
  if (arch !== 'x64' && arch !== 'arm64') throw new Error(`There is no release for ${arch}: x64 or arm64.`);
  const out = values.out ?? at('build/release');
  const { version } = JSON.parse(readFileSync(at('package.json'), 'utf8'));
  if (!existsSync(at('build/handler.js'))) throw new Error('There is no build: npm run build');
  // The time of the commit, so that it does not matter when the archive is made.
  const seconds = process.env.SOURCE_DATE_EPOCH ?? run('git', ['log', '-1', '--format=%ct']).trim();
  const work = mkdtempSync(join(tmpdir(), 'cairn-release-'));
  try {
    const name = `cairn-${version}`;
    mkdirSync(join(work, name));
    stage(join(work, name), arch, new Date(Number(seconds) * 1_000).toISOString());
    mkdirSync(out, { recursive: true });
    const archive = join(out, `${name}-linux-${arch}.tar.gz`);
    run(
      'tar',
      [
        ...['--create', '--gzip', '--file', archive, '--sort=name', `--mtime=@${seconds}`, '--format=gnu'],
        ...['--owner=0', '--group=0', '--numeric-owner', '--mode=go=rX,u+rw', '-C', work, name],
      ],
      { env: { GZIP: '-n' } },
    );
    writeFileSync(`${archive}.sha256`, `${sha256(archive)}  ${basename(archive)}\n`);
    process.stdout.write(`${archive}\n`);
    if (values.sign === undefined) return;
    const manifest = writeManifest({
      ...{
        folder: out,
        version,
        date: new Date(Number(seconds) * 1_000).toISOString(),
        keyPath: values.sign,
      },
      notes: values.notes === undefined ? '' : readFileSync(values.notes, 'utf8'),
      minimumVersion: values.minimum ?? '0.1.0',
    });
    process.stdout.write(`${manifest}\n`);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

try {
  main();
} catch (error) {
  process.stderr.write(`cairn: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
}
