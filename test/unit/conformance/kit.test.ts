/** The kit on plugins of others: one that works, and those that break one rule each. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkPlugin } from '$lib/server/conformance/kit';
import { gradeOf, type KitMessage, type RuleResult } from '$lib/shared/plugin-report';
import { skeleton } from '../../../src/cli/plugin-skeleton';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cairn-kit-'));
  for (const [name, text] of Object.entries(skeleton('my-pool'))) writeFileSync(join(folder, name), text);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function check(): Promise<RuleResult[]> {
  const said: KitMessage[] = [];
  await checkPlugin(folder, (message) => said.push(message));
  expect(said.at(-1)).toEqual({ end: true });
  return said.flatMap((message) => ('rule' in message ? [message.rule] : []));
}
const wrongIn = (rules: RuleResult[]): Record<string, string> =>
  Object.fromEntries(
    rules.filter(({ outcome }) => outcome !== 'passed').map(({ id, details }) => [id, details.join('; ')]),
  );
function change(file: string, from: string | RegExp, to: string): void {
  const path = join(folder, file);
  const text = readFileSync(path, 'utf8');
  const changed = text.replace(from, () => to);
  expect(changed).not.toBe(text);
  writeFileSync(path, changed);
}

describe('the kit', () => {
  it('gives a new plugin, as it is written, everything but what needs drives', async () => {
    const rules = await check();
    expect(wrongIn(rules)).toEqual({});
    expect(gradeOf(rules)).toEqual({ grade: 'A', next: null });
  });

  const step = (undo: string): string =>
    `{ name: 'extra', title: 'Extra', run: { do: 'exec', program: MKFS, argv: ['-V'] }, undo: ${undo}, look: sdk.looks.directory(spec.mountPath) },`;
  const first = '...sdk.wipeDrive(drive),';
  it.each([
    ['manifest', 'api', 'plugin.json', '"api": 1', '"api": 2'],
    ['manifest', 'no JSON', 'plugin.json', '{', '{{'],
    ['programs', 'child_process', 'plugin.js', /^/, "import { spawn } from 'node:child_process';\n"],
    ['doorway', 'imports fs', 'plugin.js', /^/, "import 'node:fs';\n"],
    ['doorway', 'left-pad', 'plugin.js', /^/, "const lazy = () => import('left-pad');\n"],
    ['load', 'broken at the top', 'plugin.js', /^/, "throw new Error('broken at the top');\n"],
    ['load', 'plugin.json does not name', 'plugin.js', 'sdk.WIPEFS, MKFS', "sdk.WIPEFS, MKFS, '/usr/bin/dd'"],
    ['load', 'version 9', 'plugin.js', "version: '0.1.0'", "version: '9'"],
    [
      'check',
      'must not give',
      'plugin.js',
      /check: \(context\) =>/,
      "check: async () => 'yes', unused: (context) =>",
    ],
    [
      'options',
      'inodeBytes: It is odd',
      'plugin.js',
      'minimumDriveBytes:',
      "problems: () => [{ option: 'inodeBytes', message: 'It is odd', remedy: '' }], minimumDriveBytes:",
    ],
    ['create', 'undo must be a list', 'plugin.js', first, `${first} ${step("'maybe'")}`],
    [
      'create',
      'two steps of the same name',
      'plugin.js',
      first,
      `${step("'nothing'")} ${step("'nothing'")} ${first}`,
    ],
    [
      'create',
      'does not declare',
      'plugin.js',
      "program: MKFS, argv: ['-q'",
      "program: '/usr/bin/dd', argv: ['-q'",
    ],
    [
      'destroy',
      'outside of the pool',
      'plugin.js',
      '...sdk.removeMountPoint(spec),',
      "...sdk.removeMountPoint({ ...spec, mountPath: '/etc' }),",
    ],
    [
      'reads',
      'it runs /usr/bin/id',
      'plugin.js',
      'const isThere =',
      "await context.read('/usr/bin/id', []).catch(() => 0); const isThere =",
    ],
    ['pure', 'another one', 'plugin.js', "'-U', spec.guid", "'-U', spec.guid, String(Math.random())"],
    ['pure', 'read only', 'plugin.js', 'const inode =', 'spec.options.inodeBytes = 128; const inode ='],
    [
      'looks',
      'my-pool/mine',
      'plugin.js',
      "sdk.looks.filesystem(at, 'ext2', spec.guid)",
      "{ look: 'my-pool/mine', args: {} }",
    ],
    [
      'names',
      'otherwise in another pool',
      'plugin.js',
      first,
      `${first} ...sdk.makeMountPoint(spec).map((one) => ({ ...one, name: one.name + spec.label.toLowerCase() })),`,
    ],
    ['way-back', 'cannot be taken back', 'plugin.js', first, `${step("'impossible'")} ${first}`],
    [
      'destroys',
      'does not say so',
      'plugin.js',
      'sdk.makeFilesystem({',
      '(({ destroys, ...rest }) => rest)(sdk.makeFilesystem({',
    ],
    ['absent-drives', 'a drive that is away', 'plugin.js', '...(drive.present ?', '...(true ?'],
    ['capacity', 'more than its drives', 'plugin.js', 'driveSizesBytes[0] ?? 0', '2 * driveSizesBytes[0]'],
    ['capacity', 'holds NaN', 'plugin.js', 'driveSizesBytes[0] ?? 0', 'NaN'],
    ['capacity', 'the loss of 1 of 1', 'plugin.js', 'tolerance: () => 0', 'tolerance: () => 1'],
    [
      'garbage',
      'says nonsense',
      'plugin.js',
      'const isThere =',
      "const { stdout } = await context.read(MKFS, []); const isThere = stdout.includes('?') ||",
    ],
    ['gone', 'no member is missing', 'plugin.js', 'if (!isThere)', 'if (false)'],
    ['readme', 'next to nothing', 'README.md', /[^]+/, '# hm'],
    ['identity', 'sdk.writeIdentity', 'plugin.js', '...sdk.writeIdentity(ID, spec),', ''],
    ['mounting', 'no unmount', 'plugin.js', /unmount: .*\n/, ''],
  ])('finds by the rule %s: %s', async (rule, words, file, from, to) => {
    change(file, from, to);
    if (rule === 'destroys') change('plugin.js', 'spec.guid),\n        }),', 'spec.guid),\n        })),');
    expect(wrongIn(await check())).toMatchObject({ [rule]: expect.stringContaining(words) as string });
  });

  it('takes values of options that its check.json gives', async () => {
    change(
      'plugin.js',
      'minimumDriveBytes:',
      "problems: ({ options }) => options.inodeBytes === 512 ? [] : [{ option: 'inodeBytes', message: 'No', remedy: '' }], minimumDriveBytes:",
    );
    expect(wrongIn(await check())).toHaveProperty('options');
    writeFileSync(join(folder, 'check.json'), JSON.stringify({ options: { single: { inodeBytes: 512 } } }));
    expect(wrongIn(await check())).toEqual({});
    writeFileSync(join(folder, 'check.json'), '{"opinions": {}}');
    expect(wrongIn(await check())).toHaveProperty('samples');
  });
});
