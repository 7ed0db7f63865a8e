import { describe, expect, it } from 'vitest';
import type { Action } from '$lib/plugin-api/plan';
import type { StepState } from '$lib/shared/states';
import type { StepRow } from '$lib/server/operations/journal';
import { pastNoReturn } from '$lib/server/operations/view';

const exec: Action = { do: 'exec', program: '/usr/sbin/mdadm', argv: [] };
const step = (run: Action, undo: StepRow['undo'], state: StepState): StepRow =>
  ({ run, undo, state, destroys: [] }) as unknown as StepRow;

describe('a rebuild that can be cancelled until a new drive is filled', () => {
  const rebuild = (state: StepState): boolean =>
    pastNoReturn('continue', [step(exec, [exec], 'done'), step({ do: 'wait' }, 'impossible', state)]);

  it('has a way back while it is waited for', () => {
    for (const state of ['pending', 'begun', 'acting', 'failed'] as const)
      expect(rebuild(state), state).toBe(false);
  });
  it('has none once it is filled, also when that was so before anybody looked', () => {
    for (const state of ['done', 'skipped'] as const) expect(rebuild(state), state).toBe(true);
  });
});
