import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { createBus } from '$lib/server/events/bus';
import type { Commands } from '$lib/server/host/command';
import { createEvents, driveOfEvent } from '$lib/server/host/events';
import { createLog } from '$lib/server/log';

const log = createLog('silent');
const recorded = readFileSync(new URL('../../fixtures/udevadm/252-loop-attach.txt', import.meta.url), 'utf8');

test('recorded events of a drive and of its partitions name the drive', () => {
  const names = recorded.split('\n').map(driveOfEvent);
  expect(new Set(names)).toEqual(new Set([null, 'loop0']));
  expect(names.filter((name) => name === 'loop0')).toHaveLength(5);
});

/** Followers whose lines the test says. */
function sources() {
  const say = new Map<string, (line: string) => void>();
  const end = new Map<string, (code: number) => void>();
  const follow: Commands['follow'] = (program, _argv, onLine, signal) => {
    const ended = Promise.withResolvers<number | null>();
    say.set(program, onLine);
    end.set(program, ended.resolve);
    signal.addEventListener('abort', () => ended.resolve(null));
    queueMicrotask(() => onLine(program.endsWith('perl') ? 'ready' : 'KERNEL - the kernel uevent'));
    return ended.promise;
  };
  return { say, end, follow };
}

test('a storm of events is one "look again" with every drive in it once', async () => {
  const bus = createBus(log);
  const { say, follow } = sources();
  const events = createEvents({ commands: { follow }, bus, log });
  await events.start();
  await sleep(5);
  const heard: string[][] = [];
  bus.on('block-devices.changed', ({ names }) => heard.push(names));
  for (let count = 0; count < 500; count += 1)
    say.get('/usr/bin/udevadm')?.(
      `KERNEL[1.${count}] change   /devices/virtual/block/loop${count % 3} (block)`,
    );
  await sleep(5);
  expect(heard).toEqual([['loop0', 'loop1', 'loop2']]);
  await events.stop();
});

test('a source that ends is reported down, started again, and everything is looked at anew', async () => {
  const bus = createBus(log);
  const { end, follow } = sources();
  const events = createEvents({ commands: { follow }, bus, log });
  await events.start();
  await sleep(5);
  const heard: string[] = [];
  bus.on('source.changed', ({ name, ok }) => heard.push(`${name} ${ok ? 'up' : 'down'}`));
  bus.on('block-devices.changed', ({ names }) => heard.push(names.length === 0 ? 'everything' : 'some'));
  end.get('/usr/bin/udevadm')?.(1);
  await expect
    .poll(() => heard, { timeout: 2_000 })
    .toEqual(['block-devices down', 'block-devices up', 'everything']);
  await events.stop();
});

test('a source of a plugin is started when what it needs is there, and its lines of one moment are one change', async () => {
  const bus = createBus(log);
  const { say, follow } = sources();
  const events = createEvents({ commands: { follow }, bus, log });
  const heard: string[] = [];
  bus.on('storage.changed', ({ plugin }) => heard.push(plugin));
  events.watch({ name: 'here', program: '/usr/sbin/here', argv: [], needs: '/proc', of: 'storage' });
  events.watch({ name: 'gone', program: '/usr/sbin/gone', argv: [], needs: '/proc/nothing', of: 'storage' });
  await events.start();
  await sleep(5);
  expect(say.has('/usr/sbin/gone')).toBe(false);
  for (let count = 0; count < 50; count += 1) say.get('/usr/sbin/here')?.('resource.fs.zfs.removed');
  await expect.poll(() => heard, { timeout: 2_000 }).toEqual(['here']);
  await events.stop();
});

test('a source of a plugin begins and ends while others go on, and one that floods is ended and named', async () => {
  const bus = createBus(log);
  const { say, follow } = sources();
  const events = createEvents({ commands: { follow }, bus, log });
  await events.start();
  const heard: string[] = [];
  const reasons: (string | null)[] = [];
  bus.on('storage.changed', ({ plugin }) => heard.push(plugin));
  bus.on('source.changed', ({ name, ok, reason }) => name === 'late' && !ok && reasons.push(reason));
  const end = events.watch({
    ...{ name: 'late', program: '/usr/sbin/late', argv: [] },
    ...{ needs: '/proc', of: 'storage' },
  });
  say.get('/usr/sbin/late')?.('changed');
  await expect.poll(() => heard, { timeout: 2_000 }).toEqual(['late']);
  for (let count = 0; count < 10_000; count += 1) say.get('/usr/sbin/late')?.('changed');
  await expect
    .poll(() => reasons, { timeout: 2_000 })
    .toEqual(['/usr/sbin/late said more than 2000 lines in a second']);
  expect(heard.length).toBeLessThan(5);
  end();
  await sleep(250);
  heard.length = 0;
  say.get('/usr/sbin/late')?.('changed');
  await sleep(150);
  expect([heard, reasons.length]).toEqual([[], 1]);
  await events.stop();
});
