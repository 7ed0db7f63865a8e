/**
 * Runs the tests tier by tier, quick ones first, and prints one closing line `N passed, M failed`.
 * Sets up what is missing first, so that a fresh clone on a bare machine needs only this command.
 * Usage: npm test [-- tier ...]
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { join } from 'node:path';
import { prepare } from '../src/setup.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const bin = join(root, 'node_modules/.bin');
const artifacts = join(root, 'test/artifacts');

/** Checks run before the tiers: each is one test in the count. */
const CHECKS = [
  ['format', 'prettier', ['--check', '--log-level', 'warn', '.']],
  ['lint', 'eslint', ['--max-warnings', '0', '.']],
  ['types', 'svelte-check', ['--tsconfig', './tsconfig.json', '--threshold', 'warning', '--output', 'human']],
  ['unused code', 'knip', []],
];
const TIERS = ['unit', 'integration', 'host', 'browser', 'crash', 'lab'];
/** Only when it is asked for by name, until its files have been seen green on a quiet machine: `npm test -- lab`. */
const NOT_YET = ['lab'];
/**
 * Files of the lab in this run; those that need ZFS last, since it may still be compiling. LAB_LATER is for
 * files that have not been seen green on a quiet machine yet: `npm run test:lab` runs them.
 */
const LAB_FILES = ['lab', 'appliance', 'vlan'];
const LAB_ZFS_FILES = [];
const LAB_LATER = [
  'desired',
  'layouts',
  'lvm',
  'mdraid',
  'mdraid-outside',
  'network-share',
  'power-cuts',
  'snapshots',
  'zfs',
  'zfs-layouts',
  'zfs-snapshots',
];
const labCache = join(root, 'test/lab/.cache');

const asked = process.argv.slice(2);
const tiers = TIERS.filter((name) => (asked.length > 0 ? asked.includes(name) : !NOT_YET.includes(name)));
const withChecks = asked.length === 0 || asked.includes('checks');
const unknown = asked.filter((name) => name !== 'checks' && !TIERS.includes(name));
if (unknown.length > 0) {
  console.error(`No such tier: ${unknown.join(', ')}. Tiers: checks, ${TIERS.join(', ')}.`);
  process.exit(2);
}

// Of the generated power cuts one an operation; all of them with `npm run test:lab`.
const env = { ...process.env, LAB_CUTS: 'middle', PATH: `${bin}:${process.env.PATH}`, NO_COLOR: '1' };
const results = [];
const started = Date.now();

function run(title, program, args) {
  console.log(`\n== ${title}`);
  const begun = Date.now();
  const { status } = spawnSync(join(bin, program), args, {
    cwd: root,
    env,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  return { ok: status === 0, seconds: Math.round((Date.now() - begun) / 1000) };
}

const firstLine = (text) => (text ?? '').split('\n')[0].slice(0, 300);

function runTier(tier, title = tier, files = []) {
  const report = join(artifacts, `${title}.json`);
  rmSync(report, { force: true });
  const { ok, seconds } = run(`tests: ${title}`, 'vitest', [
    'run',
    '--project',
    tier,
    // A line per case where cases take long: so a log says where it is.
    `--reporter=${tier === 'lab' ? 'verbose' : 'default'}`,
    '--reporter=json',
    `--outputFile.json=${report}`,
    ...files,
  ]);
  let passed = 0;
  let failed = 0;
  let red = [];
  try {
    const json = JSON.parse(readFileSync(report, 'utf8'));
    red = json.testResults.flatMap(({ name, assertionResults, message, status }) => [
      ...assertionResults
        .filter((test) => test.status === 'failed')
        .map((test) => `${test.fullName}\n      ${firstLine(test.failureMessages[0])}`),
      ...(status === 'failed' && assertionResults.length === 0
        ? [`${name}\n      ${firstLine(message)}`]
        : []),
    ]);
    passed = json.numPassedTests;
    // A file that does not even load, and a test that was left out, count as failures.
    failed = json.numFailedTests + json.numPendingTests + json.numTodoTests;
    if (!ok && failed === 0) failed = 1;
  } catch (error) {
    console.error(`The ${title} tier left no report: ${error.message}`);
    failed = 1;
  }
  if (passed + failed === 0) failed = 1;
  return { title, passed, failed, seconds, red };
}

const textOf = (path) => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return ''; // gone since it was listed
  }
};

const labFile = (name) => `test/lab/${name}.test.ts`;
const labBuild = (...words) => [join(bin, 'node'), ['test/lab/build.ts', ...words]];

/**
 * Compiles ZFS for the guest while the other tiers run, with what they leave of the processors.
 * @returns resolves to how that ended; asks nothing of the machine when no file needs it
 */
function compileZfs() {
  if (LAB_ZFS_FILES.length === 0) return async () => true;
  const [program, words] = labBuild('zfs-only');
  const child = spawn('nice', ['-n', '19', program, ...words], {
    cwd: root,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
    // A group of its own: whoever stops the tests stops the compiler too.
    detached: true,
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (said += chunk));
  const stop = () => child.exitCode === null && child.pid && process.kill(-child.pid, 'SIGTERM');
  process.on('exit', stop);
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(1));
  const ended = new Promise((resolve) => {
    child.on('error', (error) => resolve(error.message));
    child.on('close', (code) => resolve(code === 0 ? null : `exit code ${code}`));
  });
  return async () => {
    const problem = await ended;
    console.log(said.trim());
    if (problem !== null) console.error(`OpenZFS could not be compiled for the guest: ${problem}`);
    return problem === null;
  };
}

/** The guest is built and saved before the first case, and then the files run one after another. */
async function runLab(zfsCompiled) {
  const unlisted = readdirSync(join(root, 'test/lab'))
    .filter((name) => name.endsWith('.test.ts'))
    .map((name) => name.slice(0, -'.test.ts'.length))
    .filter((name) => ![...LAB_FILES, ...LAB_ZFS_FILES, ...LAB_LATER].includes(name));
  if (unlisted.length > 0) console.error(`test/run.mjs does not say when these run: ${unlisted.join(', ')}`);
  const listed = {
    title: 'lab: every file listed',
    passed: unlisted.length === 0 ? 1 : 0,
    failed: unlisted.length,
    seconds: 0,
  };
  const built = run('the lab: image, saved guest, Cairn in it', 'node', labBuild()[1]);
  const guest = {
    title: 'lab: guest built',
    passed: built.ok ? 1 : 0,
    failed: built.ok ? 0 : 1,
    seconds: built.seconds,
  };
  if (!built.ok) return [listed, guest];
  const ran = [listed, guest, runTier('lab', 'lab', LAB_FILES.map(labFile))];
  if (LAB_ZFS_FILES.length > 0) {
    if (!(await zfsCompiled())) env.LAB_ZFS = 'failed';
    ran.push(runTier('lab', 'lab with ZFS', LAB_ZFS_FILES.map(labFile)));
  }
  return ran;
}

/** Folders of guests, and what a build left unfinished. */
function labTraces() {
  if (!existsSync(labCache)) return [];
  const runs = join(labCache, 'runs');
  return [
    ...(existsSync(runs) ? readdirSync(runs).map((name) => `folder ${join(runs, name)}`) : []),
    ...readdirSync(labCache)
      .filter((name) => /\.(?:lock|unfinished)$/.test(name))
      .map((name) => `folder ${join(labCache, name)}`),
  ];
}

/** What tests could leave on the machine: loop devices, mounts, plain files in /dev, and programs of our kinds. */
function traces(tier) {
  const loops = readdirSync('/sys/block')
    .filter((name) => existsSync(`/sys/block/${name}/loop`))
    .map((name) => `loop ${textOf(`/sys/block/${name}/loop/backing_file`).trim()}`);
  const mounts = textOf('/proc/self/mountinfo')
    .split('\n')
    .map((line) => `mount ${line.split(' ')[4] ?? ''}`);
  const files = readdirSync('/dev')
    .filter((name) => statSync(`/dev/${name}`, { throwIfNoEntry: false })?.isFile())
    .map((name) => `file /dev/${name}`);
  const programs = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && !/\) Z /.test(textOf(`/proc/${name}/stat`)))
    .map((pid) => `process ${pid} ${textOf(`/proc/${pid}/cmdline`).replaceAll('\0', ' ')}`)
    .filter(
      (line) =>
        /src\/main\.ts|perl -e .*(record|mountinfo)|qemu-storage-daemon|chromium|(libvirtd|virtlogd) --pid-file/s.test(
          line.slice(0, 140),
        ) ||
        (line.includes('qemu-system') && line.includes('cairn-appliance-')) ||
        (line.includes('qemu-system') && line.includes(labCache)),
    )
    .map((line) => line.slice(0, 140));
  return [...loops, ...mounts, ...files, ...programs, ...(tier === 'lab' ? labTraces() : [])];
}

/** Waits a moment for what is on its way out. @returns what a tier has left behind */
async function leftBehind(tier, before) {
  for (let tries = 0; ; tries += 1) {
    const left = traces(tier).filter((entry) => !before.includes(entry));
    if (left.length === 0 || tries === 30) return left;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

await prepare({ forTests: true });
mkdirSync(artifacts, { recursive: true });
if (withChecks)
  for (const [title, program, args] of CHECKS) {
    const { ok, seconds } = run(title, program, args);
    results.push({ title, passed: ok ? 1 : 0, failed: ok ? 0 : 1, seconds });
  }
const zfsCompiled = tiers.includes('lab') ? compileZfs() : null;
for (const tier of tiers) {
  const before = traces(tier);
  results.push(...(tier === 'lab' ? await runLab(zfsCompiled) : [runTier(tier)]));
  const left = await leftBehind(tier, before);
  if (left.length > 0) console.error(`The ${tier} tier left behind:\n  ${left.join('\n  ')}`);
  results.push({
    title: `${tier}: no leaks`,
    passed: left.length === 0 ? 1 : 0,
    failed: left.length === 0 ? 0 : 1,
    seconds: 0,
  });
  // A slow tier tells nothing new while a quick one is red.
  if (
    results.some((result) => result.failed > 0) &&
    tier !== tiers.at(-1) &&
    (tier === 'unit' || tier === 'integration')
  ) {
    console.log(`\nStopped before the slower tiers: ${tier} or a check is red.`);
    results.push({ title: 'tiers not run', passed: 0, failed: 1, seconds: 0 });
    break;
  }
}

// Once more, at the end: of a long log often only that is seen.
for (const { title, red = [] } of results) for (const test of red) console.log(`\nred in ${title}: ${test}`);
console.log(`\nIn ${Math.round((Date.now() - started) / 1000)} s:`);
for (const { title, passed, failed, seconds } of results)
  console.log(
    `  ${title.padEnd(22)} ${String(passed).padStart(5)} passed ${String(failed).padStart(3)} failed  ${seconds} s`,
  );
const passed = results.reduce((sum, result) => sum + result.passed, 0);
const failed = results.reduce((sum, result) => sum + result.failed, 0);
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
