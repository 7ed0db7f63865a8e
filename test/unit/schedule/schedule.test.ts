import { describe, expect, it } from 'vitest';
import { createLog } from '$lib/server/log';
import { housekeeping, startJobs } from '$lib/server/schedule/schedule';

const EVERY_SECOND = '* * * * * *';
const log = createLog('silent');

describe('jobs', () => {
  it('run by the clock, one that fails like any other, until they are stopped', async () => {
    const ran: string[] = [];
    const stop = startJobs(
      [
        { name: 'good', cron: EVERY_SECOND, run: () => void ran.push('good') },
        { name: 'bad', cron: EVERY_SECOND, run: () => Promise.reject(new Error('no')) },
        {
          name: 'worse',
          cron: EVERY_SECOND,
          run: () => {
            ran.push('worse');
            throw new Error('no');
          },
        },
      ],
      log,
    );
    await expect
      .poll(() => ran.filter((name) => name === 'worse').length, { timeout: 4_000 })
      .toBeGreaterThan(1);
    await stop();
    const count = ran.length;
    await new Promise((resolve) => setTimeout(resolve, 1_200));
    expect(ran).toHaveLength(count);
    expect(ran).toContain('good');
  });

  it('that still run are waited for when they are stopped', async () => {
    let ended = false;
    let begun = false;
    const stop = startJobs(
      [
        {
          name: 'slow',
          cron: EVERY_SECOND,
          run: async () => {
            begun = true;
            await new Promise((resolve) => setTimeout(resolve, 300));
            ended = true;
          },
        },
      ],
      log,
    );
    await expect.poll(() => begun, { timeout: 4_000 }).toBe(true);
    await stop();
    expect(ended).toBe(true);
  });

  it('of the house sweep operations by the configured times and clean up sessions', () => {
    const jobs = housekeeping(
      { sweepCron: '*/5 * * * *' },
      {
        sweep: () => Promise.resolve(),
        cleanUp: () => undefined,
        boots: { signOfLife: () => undefined },
      },
    );
    expect(jobs.map((job) => job.cron)).toEqual(['* * * * *', '*/5 * * * *', '7 * * * *']);
  });
});
