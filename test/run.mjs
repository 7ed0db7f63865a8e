/**
 * Runs the tests tier by tier, quick ones first, and prints one closing line `N passed, M failed`.
 * Sets up what is missing first, so that a fresh clone on a bare machine needs only this command.
 * Usage: npm test [-- tier ...]
 */
import { spawnSync } from 'node:child_process';
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
const TIERS = ['unit', 'integration', 'host', 'browser', 'crash'];

const asked = process.argv.slice(2);
const tiers = asked.length > 0 ? asked.filter((name) => TIERS.includes(name)) : TIERS;
const withChecks = asked.length === 0 || asked.includes('checks');
const unknown = asked.filter((name) => name !== 'checks' && !TIERS.includes(name));
if (unknown.length > 0) {
  console.error(`No such tier: ${unknown.join(', ')}. Tiers: checks, ${TIERS.join(', ')}.`);
  process.exit(2);
}

const env = { ...process.env, PATH: `${bin}:${process.env.PATH}`, NO_COLOR: '1' };
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

function runTier(tier) {
  const report = join(artifacts, `${tier}.json`);
  rmSync(report, { force: true });
  const { ok, seconds } = run(`tests: ${tier}`, 'vitest', [
    'run',
    '--project',
    tier,
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${report}`,
  ]);
  let passed = 0;
  let failed = 0;
  try {
    const json = JSON.parse(readFileSync(report, 'utf8'));
    passed = json.numPassedTests;
    // A file that does not even load, and a test that was left out, count as failures.
    failed = json.numFailedTests + json.numPendingTests + json.numTodoTests;
    if (!ok && failed === 0) failed = 1;
  } catch (error) {
    console.error(`The ${tier} tier left no report: ${error.message}`);
    failed = 1;
  }
  if (passed + failed === 0) failed = 1;
  return { title: tier, passed, failed, seconds };
}

const textOf = (path) => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return ''; // gone since it was listed
  }
};

/** What tests could leave on the machine: loop devices, mounts, plain files in /dev, and programs of our kinds. */
function traces() {
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
    .map((pid) => `process ${pid} ${textOf(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').slice(0, 120)}`)
    .filter((line) => /src\/main\.ts|perl -e .*(record|mountinfo)|qemu-storage-daemon|chromium/s.test(line));
  return [...loops, ...mounts, ...files, ...programs];
}

/** Waits a moment for what is on its way out. @returns what a tier has left behind */
async function leftBehind(before) {
  for (let tries = 0; ; tries += 1) {
    const left = traces().filter((entry) => !before.includes(entry));
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
for (const tier of tiers) {
  const before = traces();
  results.push(runTier(tier));
  const left = await leftBehind(before);
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

console.log(`\nIn ${Math.round((Date.now() - started) / 1000)} s:`);
for (const { title, passed, failed, seconds } of results)
  console.log(
    `  ${title.padEnd(22)} ${String(passed).padStart(5)} passed ${String(failed).padStart(3)} failed  ${seconds} s`,
  );
const passed = results.reduce((sum, result) => sum + result.passed, 0);
const failed = results.reduce((sum, result) => sum + result.failed, 0);
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
