import { expect, it, vi } from 'vitest';
import type { Plugin } from '$lib/plugin-api/sdk';
import { boundedLog } from '$lib/server/plugins/bounded-log';

it('keeps a hundred messages of a plugin in ten seconds, says once that there were more, and shortens what is long', () => {
  vi.useFakeTimers();
  const log = { info: vi.fn(), warn: vi.fn() };
  const [loud, other] = [{ id: 'loud' } as Plugin, { id: 'other' } as Plugin];
  for (let count = 0; count < 5_000; count += 1) boundedLog(loud, log)('hello');
  boundedLog(other, log)('x'.repeat(9_000), { text: 'y'.repeat(9_000), plugin: 'loud' });
  expect(log.info).toHaveBeenCalledTimes(101);
  expect(log.warn.mock.calls).toEqual([[{ plugin: 'loud' }, expect.stringContaining('says too much')]]);
  expect(log.info).toHaveBeenLastCalledWith(
    { plugin: 'other', dropped: 'its data is too long' },
    'x'.repeat(2_000),
  );
  vi.advanceTimersByTime(10_001);
  boundedLog(loud, log)('again');
  expect(log.info).toHaveBeenLastCalledWith({ plugin: 'loud' }, 'again');
  vi.useRealTimers();
});
