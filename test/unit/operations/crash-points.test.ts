import { describe, expect, it } from 'vitest';
import { createCrashPoints } from '$lib/server/operations/crash-points';

describe('crash points', () => {
  it('do nothing when none is asked for', async () => {
    const points = createCrashPoints('');
    points.at('begun', { kind: 'pool.create', step: 'mount' });
    await points.pause('done', { kind: 'pool.create', step: 'mount' });
  });

  it('leave other kinds, steps and points alone', () => {
    const points = createCrashPoints('begun@pool.create/mount:alone');
    points.at('begun', { kind: 'pool.remove', step: 'mount' });
    points.at('begun', { kind: 'pool.create', step: 'unmount' });
    points.at('done', { kind: 'pool.create', step: 'mount' });
  });

  it('hold the runner for the time asked, and let it go at once when it is cancelled', async () => {
    const points = createCrashPoints('acting@*/mount:wait-60000');
    const abort = new AbortController();
    const held = points.pause('acting', { kind: 'pool.create', step: 'mount' }, abort.signal);
    abort.abort();
    await held;
  });

  it.each(['begun', 'begun@pool.create', 'begun@pool.create/mount', 'BEGUN@x/y:alone'])(
    'refuse the spec "%s" that they do not understand',
    (text) => {
      expect(() => createCrashPoints(text)).toThrow(/is not point@kind\/step:mode/);
    },
  );
});
