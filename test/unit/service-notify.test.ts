import { afterEach, describe, expect, it, vi } from 'vitest';
import type { CommandRunner } from '$lib/server/host/types';
import { createLog } from '$lib/server/log';
import { createServiceNotify } from '$lib/server/service-notify';

afterEach(() => {
  vi.useRealTimers();
});

function recorder(config: { notifySocket: string; watchdogMs: number }, fail = false) {
  const told: string[][] = [];
  const commands: Pick<CommandRunner, 'read'> = {
    read: (program, argv) => {
      told.push([program, ...argv]);
      return fail
        ? Promise.reject(new Error('no'))
        : Promise.resolve({ stdout: '', stderr: '', exitCode: 0 });
    },
  };
  return { told, notify: createServiceNotify(config, commands, createLog('silent')) };
}
const pid = `--pid=${process.pid}`;
const PROGRAM = '/usr/bin/systemd-notify';

describe('systemd', () => {
  it('is told when the service is ready, that it lives, and when it stops', async () => {
    vi.useFakeTimers();
    const { told, notify } = recorder({ notifySocket: '/run/systemd/notify', watchdogMs: 30_000 });
    await notify.ready('Ready at x');
    vi.advanceTimersByTime(45_000);
    await notify.stopping();
    vi.advanceTimersByTime(60_000);
    expect(told).toEqual([
      [PROGRAM, pid, '--ready', '--status=Ready at x'],
      [PROGRAM, pid, 'WATCHDOG=1'],
      [PROGRAM, pid, 'WATCHDOG=1'],
      [PROGRAM, pid, 'WATCHDOG=1'],
      [PROGRAM, pid, 'STOPPING=1'],
    ]);
  });

  it('is not looked for when it did not start us', async () => {
    const { told, notify } = recorder({ notifySocket: '', watchdogMs: 30_000 });
    await notify.ready('x');
    await notify.stopping();
    expect(told).toEqual([]);
  });

  it('that cannot be reached does not stop the service', async () => {
    const { told, notify } = recorder({ notifySocket: '/run/systemd/notify', watchdogMs: 0 }, true);
    await notify.ready('x');
    await notify.stopping();
    expect(told).toHaveLength(2);
  });
});
