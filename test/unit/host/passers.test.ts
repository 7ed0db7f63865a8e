import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { askToLeave, passThrough } from '$lib/server/host/passers';

/** Works until it is told to leave, and takes a moment to close what it has open. */
const longWork = (log: string[]) => async (signal: AbortSignal) => {
  await new Promise((resolve) => signal.addEventListener('abort', resolve));
  await sleep(20);
  log.push('closed');
  signal.throwIfAborted();
};

describe('those who only look into a pool', () => {
  it('have left when the one who asks goes on, and stay away for a moment', async () => {
    const log: string[] = [];
    const looking = expect(passThrough('/mnt/one/images', longWork(log))).rejects.toMatchObject({
      code: 'made_way',
    });
    await askToLeave('/mnt/one');
    expect(log).toEqual(['closed']);
    await looking;
    await expect(passThrough('/mnt/one', async () => 1)).rejects.toMatchObject({ code: 'made_way' });
  });
  it('are left alone on other pools, also on one whose name begins alike', async () => {
    await askToLeave('/mnt/two');
    expect(await passThrough('/mnt/twofold', async (signal) => signal.aborted)).toBe(false);
  });
  it('hand on what went wrong by itself', async () => {
    await expect(passThrough('/mnt/three', () => Promise.reject(new Error('EIO')))).rejects.toThrow('EIO');
  });
});
