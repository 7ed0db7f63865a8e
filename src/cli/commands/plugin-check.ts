/** `cairn plugins check`: the conformance kit, without a server. The plugin is loaded in a thread that can be ended. */
import { existsSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Worker } from 'node:worker_threads';
import { Option } from 'commander';
import {
  gradeOf,
  GRADES,
  type Grade,
  type KitMessage,
  type PluginReport,
  type RuleResult,
} from '$lib/shared/plugin-report';
import type { Context } from '../context';
import { VERBS, type TriedVerb } from '../drives-bench';
import type { DrivesResult } from '../drives-check';
import { CliError, EXIT, type ExitCode } from '../exit-codes';
import { printable, styled } from '../table';
import type { Verb } from '../verb';

/** Longer than any time that the kit gives a plugin itself: only who blocks the thread says nothing for so long. */
const SILENCE_MS = 12_000;
const MEMORY_MIB = 512;

const MEANINGS: Record<Grade, string> = {
  C: 'it can be loaded, and its plans are lawful',
  B: 'it can be relied on',
  A: 'it is complete, and proven',
};

type Draft = Omit<PluginReport, 'grade' | 'next'>;

/** @returns when all rules were tried, or the plugin has ended the thread */
function runKit(folder: string): Promise<Draft> {
  const draft: Draft = { folder, id: null, version: null, kind: null, rules: [], notes: [] };
  const { promise, resolve: done } = Promise.withResolvers<Draft>();
  let at: Pick<RuleResult, 'id' | 'grade' | 'title'> | null = null;
  let isOver = false;
  const kit = new Worker(join(import.meta.dirname, 'check-plugin.js'), {
    workerData: { folder },
    // What it prints is not our answer, and what we were given in the environment is none of its business.
    ...{ stdout: true, stderr: true, env: {} },
    resourceLimits: { maxOldGenerationSizeMb: MEMORY_MIB },
  });
  function end(why: string | null): void {
    if (isOver) return;
    isOver = true;
    clearTimeout(timer);
    if (at && why) draft.rules.push({ ...at, outcome: 'failed', details: [why] });
    void kit.terminate().then(() => done(draft));
  }
  const timer = setTimeout(
    () => end(`it keeps everything else waiting, for more than ${SILENCE_MS / 1_000} s`),
    SILENCE_MS,
  );
  kit.on('message', (message: KitMessage) => {
    if (isOver) return;
    timer.refresh();
    if ('at' in message) at = message.at;
    else if ('about' in message) Object.assign(draft, message.about);
    else if ('note' in message) draft.notes.push(message.note);
    else if ('end' in message) end(null);
    else {
      at = null;
      draft.rules.push(message.rule);
    }
  });
  kit.on('error', (error) =>
    end(`it ends the process: ${error instanceof Error ? error.message : String(error)}`),
  );
  kit.on('exit', () => end('it ends the process'));
  return promise;
}

const MARKS = {
  passed: styled('green', 'ok  '),
  failed: styled('red', 'FAIL'),
  'not-tried': styled('yellow', '–   '),
};

function reportText({ id, folder, version, kind, grade, next, rules, notes }: PluginReport): string {
  const tried = GRADES.filter((one) => rules.some((rule) => rule.grade === one));
  const lines = tried.flatMap((one) => [
    '',
    `${styled('bold', one)}  ${MEANINGS[one]}`,
    ...rules
      .filter((rule) => rule.grade === one)
      .flatMap((rule) => [
        `   ${MARKS[rule.outcome]} ${rule.id.padEnd(13)} ${rule.title}`,
        ...rule.details.map((detail) => `        ${printable(detail)}`),
      ]),
  ]);
  const what = [printable(id ?? folder), version && printable(version), kind && `(${kind})`].filter(Boolean);
  return [
    `${what.join(' ')}: ${grade ? `grade ${grade}, ${MEANINGS[grade]}` : styled('red', 'no grade')}`,
    ...lines,
    ...(notes.length > 0 ? ['', ...notes.map((note) => `Note: ${printable(note)}`)] : []),
    ...(next ? ['', `For ${next.grade}: ${next.missing.join(', ')}`] : []),
  ].join('\n');
}

const isAtLeast = (grade: Grade | null, wanted: Grade): boolean =>
  grade !== null && GRADES.indexOf(grade) >= GRADES.indexOf(wanted);

const DRIVES = { id: 'drives', grade: 'A', title: 'works on real drives, killed at every step' } as const;

const NOT_ASKED: DrivesResult = {
  outcome: 'not-tried',
  details: ['Ask for it with --drives: it takes minutes, and root.'],
  notes: [],
};
async function tryDrives(
  folder: string,
  verbs: readonly TriedVerb[],
  say: (text: string) => void,
): Promise<DrivesResult> {
  if (process.getuid?.() !== 0)
    return { outcome: 'not-tried', details: ['Only root can make drives to try it on.'], notes: [] };
  const { checkOnDrives } = await import('../drives-check');
  return checkOnDrives(folder, verbs, { checkout: join(import.meta.dirname, '../..'), say });
}

/** None: not on drives. */
function verbsOf(options: Record<string, string | string[] | boolean | undefined>): TriedVerb[] {
  const chosen = options['verb'];
  if (Array.isArray(chosen)) return VERBS.filter((verb) => chosen.includes(verb));
  return options['drives'] === true ? [...VERBS] : [];
}

async function check(
  { note, options }: Context,
  given: string,
  verbs: readonly TriedVerb[],
): Promise<PluginReport> {
  const folder = resolve(given);
  if (!existsSync(folder) || !statSync(folder).isDirectory())
    throw new CliError(EXIT.notFound, `${folder} is no folder.`, {
      remedy: 'Name the folder that has the plugin.json in it.',
    });
  const draft = await runKit(folder);
  // Whoever never came to the later rules does not have their grades.
  const isLoaded = draft.rules.some(({ id, outcome }) => id === 'load' && outcome === 'passed');
  if (isLoaded) {
    const say = (text: string): void => (options.json ? undefined : note(text));
    const { notes, ...result } = verbs.length > 0 ? await tryDrives(folder, verbs, say) : NOT_ASKED;
    draft.rules.push({ ...DRIVES, ...result });
    draft.notes.push(...notes);
  }
  return { ...draft, ...gradeOf(draft.rules) };
}

export const checkVerb: Verb = {
  usage: 'check <folder>',
  summary: 'Grade a plugin without a server: A, B, C, or what it lacks',
  arguments: { folder: 'The one with its plugin.json' },
  options: [
    new Option('--at-least <grade>', 'what it has to have for exit code 0').choices([...GRADES]).default('C'),
    new Option(
      '--drives',
      'on drives that are files, in a Cairn of its own, killed at every step; takes minutes',
    ),
    new Option('--verb <verb...>', 'of --drives: only these, while you work on them').choices([...VERBS]),
  ],
  async run(context, [folder = ''], options): Promise<ExitCode> {
    const report = await check(context, folder, verbsOf(options));
    context.show(report, () => reportText(report));
    const wanted = GRADES.find((grade) => grade === options['atLeast']) ?? 'C';
    return isAtLeast(report.grade, wanted) ? EXIT.done : EXIT.failed;
  },
};
