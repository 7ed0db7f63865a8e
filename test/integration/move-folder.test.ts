/** Moving a folder within a mount, as a step does it. */
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import type { Step } from '$lib/plugin-api/plan';
import type { Operation } from '$lib/shared/wire/operations';
import { actor, folderStep, openBench, planOf, removeStep, type Bench } from '../support/engine';

let bench: Bench;
afterEach(() => bench.close());

const run = async (...steps: Step[]): Promise<Operation> =>
  bench.operations.wait(
    (await bench.operations.start({ kind: 'test.remove', request: planOf(steps), actor })).id,
  );
const move = (from: string, name: string): Step => ({
  ...folderStep(bench.dir, name),
  run: { do: 'move-directory', from: join(bench.dir, from), path: join(bench.dir, name) },
});

it('twice is no error, and never takes the place of one that is not empty', async () => {
  bench = openBench();
  const { dir } = bench;
  expect(
    await run(folderStep(dir, 'box'), folderStep(dir, 'box/a'), folderStep(dir, 'box/b'), move('box/a', 'a')),
  ).toMatchObject({ state: 'succeeded' });
  expect(await run(move('box/a', 'a'))).toMatchObject({ state: 'succeeded' });
  await run(folderStep(dir, 'full'), folderStep(dir, 'full/x'));
  const onto: Step = { ...removeStep(dir, 'box/b'), undo: 'nothing', run: move('box/b', 'full').run };
  expect(await run(onto)).toMatchObject({ state: 'failed', error: { code: 'foreign_state' } });
  expect(bench.made()).toEqual(['a', 'box', 'full']);
});
