/** What it makes of a machine that is in trouble, or that says what nobody understands. */
import type { PoolReading } from '$lib/plugin-api/storage';
import { heldReading } from '../plugins/answers';
import { withTimeout } from '../plugins/time-limit';
import { gathered, type Rule } from './rule';
import { NONSENSE, sampleMachine, type ProgramAnswer } from './sample-machine';
import { samplePools, type SamplePool, type Sampled } from './samples';

const LIMIT_MS = 10_000;
type Machine = ReturnType<typeof sampleMachine>;

async function ask(
  plugin: Sampled,
  { spec }: SamplePool,
  answer: ProgramAnswer | null,
  more: { mounted: boolean; away?: boolean },
): Promise<{ machine: Machine; reading: PoolReading | null; error: unknown }> {
  const machine = sampleMachine(plugin.programs, answer, { spec, steps: plugin.create(spec), ...more });
  try {
    const reading = await withTimeout(LIMIT_MS, 'its status', async () =>
      heldReading(await plugin.status(machine.context, spec)),
    );
    return { machine, reading, error: null };
  } catch (error) {
    return { machine, reading: null, error };
  }
}

const wordsOf = ({ poolStatus, health }: PoolReading): string => `${poolStatus}, ${health}`;

async function garbageProblems(plugin: Sampled): Promise<string[]> {
  const problems: [string, string][] = [];
  for (const pool of samplePools(plugin))
    for (const mounted of [true, false]) {
      for (const answer of NONSENSE) {
        const { machine, reading } = await ask(plugin, pool, answer, { mounted });
        if (reading && machine.wasRead() && reading.health !== 'unknown')
          problems.push([answer.title, `a program says nonsense, and its status is "${wordsOf(reading)}"`]);
      }
      const { machine, reading } = await ask(plugin, pool, null, { mounted });
      if (reading && machine.wasRun() && reading.health === 'healthy')
        problems.push(['', `all of its programs fail, and its status is "${wordsOf(reading)}"`]);
    }
  return gathered(problems);
}

/** The same for `find`: what it does not understand is not "no pools". */
async function findProblems(plugin: Sampled): Promise<string[]> {
  const { find } = plugin;
  if (!find) return [];
  const problems: [string, string][] = [];
  for (const pool of samplePools(plugin))
    for (const answer of NONSENSE) {
      const steps = plugin.create(pool.spec);
      const machine = sampleMachine(plugin.programs, answer, { spec: pool.spec, steps, mounted: false });
      // Whatever it throws is right here.
      const found = await find.call(plugin, machine.context).then(
        (pools) => pools.length,
        () => null,
      );
      if (found !== null && machine.wasRead())
        problems.push([answer.title, `a program says nonsense, and find gives ${found} pools`]);
    }
  return gathered(problems);
}

export const STORAGE_ANSWER_RULES: Rule<Sampled>[] = [
  {
    ...{
      id: 'reads',
      grade: 'C',
      title: 'reads with programs that it declares, and answers by the contract',
    },
    async judge(plugin) {
      const problems: [string, string][] = [];
      for (const pool of samplePools(plugin))
        for (const mounted of [true, false]) {
          const { machine, reading, error } = await ask(plugin, pool, NONSENSE[0] ?? null, { mounted });
          for (const program of machine.undeclared) problems.push(['', `it runs ${program}`]);
          const wrong = error instanceof Error && /must not give|took longer/.test(error.message);
          if (wrong) problems.push([pool.title, error.message]);
          const own = new Set(pool.spec.drives.map(({ id }) => id));
          if (reading?.members.some(({ driveId }) => !own.has(driveId)))
            problems.push([pool.title, 'its status has members that are not of the pool']);
        }
      return gathered(problems);
    },
  },
  {
    ...{ id: 'garbage', grade: 'B', title: 'takes output that it does not understand for an error' },
    judge: async (plugin) => [...(await garbageProblems(plugin)), ...(await findProblems(plugin))],
  },
  {
    ...{ id: 'gone', grade: 'B', title: 'says which drive is missing when its drives are away' },
    async judge(plugin) {
      const problems: [string, string][] = [];
      for (const pool of samplePools(plugin).filter(({ spec }) => spec.drives.length > 0)) {
        const { reading, machine } = await ask(plugin, pool, null, { mounted: false, away: true });
        // An error is shown as such; of a tool that failed nothing can be said.
        if (!reading && machine.wasRun()) continue;
        const named = reading?.members.some(({ status }) => status === 'missing' || status === 'faulty');
        if (!reading || reading.health === 'healthy' || !named)
          problems.push([
            pool.title,
            reading ? `its status is "${wordsOf(reading)}", and no member is missing` : 'its status fails',
          ]);
        else if (!reading.healthText) problems.push([pool.title, 'nothing says what to do']);
      }
      return gathered(problems);
    },
  },
];
