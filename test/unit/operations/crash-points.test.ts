import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
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

  it('hold the runner at a place until that is asked no more, and say that it is there', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'cairn-points-'));
    const file = join(folder, 'points');
    try {
      writeFileSync(file, 'acted@pool.create/mount:hold');
      const points = createCrashPoints(`file:${file}`);
      await points.pause('acting', { kind: 'pool.create', step: 'mount' });
      let held = true;
      const gone = points.pause('acted', { kind: 'pool.create', step: 'mount' }).then(() => (held = false));
      await sleep(200);
      expect(held).toBe(true);
      expect(readFileSync(`${file}.reached`, 'utf8')).toBe('acted@pool.create/mount\n');
      writeFileSync(file, 'acted@pool.create/unmount:hold');
      await gone;
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it.each(['begun', 'begun@pool.create', 'begun@pool.create/mount', 'BEGUN@x/y:alone'])(
    'refuse the spec "%s" that they do not understand',
    (text) => {
      expect(() => createCrashPoints(text)).toThrow(/is not point@kind\/step:mode/);
    },
  );
});
