/** Help, completion and man page know every command and every option: they are asked about each that is defined. */
import { spawnSync } from 'node:child_process';
import type { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import type { Operation } from '$lib/shared/wire/operations';
import { EXIT, EXIT_MEANINGS } from '../../src/cli/exit-codes';
import { buildProgram } from '../../src/cli/program';
import { exitOfOperation } from '../../src/cli/run-operation';

let printed = '';
const program = buildProgram(
  () => Promise.resolve(),
  '1.2.3',
  (text) => (printed += text),
);
const print = async (...words: string[]): Promise<string> => {
  printed = '';
  await program.parseAsync(words, { from: 'user' });
  return printed;
};
interface Word {
  path: string[];
  command: Command;
}
const nouns: Word[] = program.commands.map((command) => ({ path: [command.name()], command }));
const verbs: Word[] = nouns.flatMap(({ path, command }) =>
  command.commands.map((verb) => ({ path: [...path, verb.name()], command: verb })),
);
const words = [...nouns, ...verbs];
const leaves = words.filter(({ command }) => command.commands.length === 0);
const long = (command: Command): string[] => command.options.flatMap((option) => option.long ?? []);

/** What bash is offered after each of these lines. */
function completed(script: string, lines: string[][]): string[][] {
  const asked = lines.map(
    (line) => `COMP_WORDS=(cairn ${line.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${line.length}
      COMPREPLY=(); _cairn; echo "\${COMPREPLY[*]}"`,
  );
  const { stdout, stderr } = spawnSync('bash', { input: [script, ...asked].join('\n'), encoding: 'utf8' });
  expect(stderr).toBe('');
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => line.split(' '));
}

describe('every command', () => {
  it('says in a sentence what it does, and what each argument and option is', () => {
    expect(leaves.length).toBeGreaterThan(50);
    const silent = words.flatMap(({ path, command }) => [
      ...(command.summary() === '' ? [path.join(' ')] : []),
      ...command.registeredArguments
        .filter(({ description }) => !description)
        .map((one) => `${path.join(' ')} ${one.name()}`),
      ...command.options
        .filter(({ description }) => !description)
        .map(({ flags }) => `${path.join(' ')} ${flags}`),
    ]);
    expect(silent).toEqual([]);
  });

  it('is in the man page, with each of its options', async () => {
    const page = await print('man');
    const plain = page.replaceAll('\\-', '-').replaceAll(/\\f[BRI]/g, '');
    const missing = leaves
      .filter(({ path }) => path[0] !== 'help')
      .flatMap(({ path, command }) => [
        ...(new RegExp(`^cairn ${path.join(' ')}( |$)`, 'm').test(plain) ? [] : [path.join(' ')]),
        ...command.options
          .filter(({ flags }) => !plain.includes(flags))
          .map(({ flags }) => `${path.join(' ')} ${flags}`),
      ]);
    expect(missing).toEqual([]);
    for (const option of long(program)) expect(plain).toContain(option);
    for (const code of Object.values(EXIT)) expect(page).toContain(`.B ${code}\n`);
    expect(Object.keys(EXIT_MEANINGS).map(Number)).toEqual(Object.values(EXIT));
  });

  it('is completed by bash, and its options behind it', async () => {
    const script = await print('completion', 'bash');
    expect(spawnSync('bash', ['-n'], { input: script }).status).toBe(0);
    const parents = words.filter(({ command }) => command.commands.length > 0);
    const [first = [], ...rest] = completed(script, [
      [''],
      ...parents.map(({ path }) => [...path, '']),
      ...leaves.map(({ path }) => [...path, '--']),
    ]);
    expect(first).toEqual(expect.arrayContaining(nouns.map(({ path }) => path.at(-1))));
    for (const [at, { path, command }] of parents.entries())
      expect([path, rest[at]]).toEqual([
        path,
        expect.arrayContaining(command.commands.map((verb) => verb.name())),
      ]);
    for (const [at, { path, command }] of leaves.entries())
      expect([path, rest[parents.length + at]]).toEqual([
        path,
        expect.arrayContaining([...long(command), '--json']),
      ]);
  });

  it('is completed behind options of all, also those with a word of their own', async () => {
    const script = await print('completion', 'bash');
    const [plain, valued] = completed(script, [
      ['--json', 'pools', 'ren'],
      ['--url', 'https://nas', '--key-file', '/k', 'pools', 'ren'],
    ]);
    expect([plain, valued]).toEqual([['rename'], ['rename']]);
  });

  it('is completed by zsh', async () => {
    const script = await print('completion', 'zsh');
    for (const { path } of words) expect(script).toContain(`'${path.at(-1)}:`);
    for (const option of new Set(leaves.flatMap(({ command }) => long(command))))
      expect(script).toContain(option);
  });
});

describe('an operation that is waited for', () => {
  it.each([
    ['succeeded', EXIT.done],
    ['running', EXIT.done],
    ['undoing', EXIT.done],
    ['failed', EXIT.failed],
    ['cancelled', EXIT.failed],
    ['needs-attention', EXIT.needsYou],
  ] as [Operation['state'], number][])('that is %s ends the command with %i', (state, code) => {
    expect(exitOfOperation({ state })).toBe(code);
  });
});
