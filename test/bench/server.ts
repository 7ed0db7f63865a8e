/** Start, idle cost, creation and fan-out: the server without a browser. */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { Appliance } from '../support/appliance.ts';
import { loopsBelow } from '../../src/cli/leftovers.ts';
import { figure, milliseconds, wallClock, type Row } from './measure.ts';

async function firstAnswer(start: () => Promise<void>): Promise<number> {
  const begun = wallClock();
  await start();
  return wallClock() - begun;
}

async function rawServerStart(): Promise<number> {
  const script = "require('node:http').createServer((q, s) => s.end('ok')).listen(18420, '127.0.0.1')";
  const begun = wallClock();
  const child = spawn(process.execPath, ['-e', script], { stdio: 'ignore' });
  while (
    !(await fetch('http://127.0.0.1:18420').then(
      () => true,
      () => false,
    ))
  )
    await sleep(2);
  const took = wallClock() - begun;
  child.kill('SIGKILL');
  return took;
}

export async function startTime(): Promise<Row> {
  const appliance = new Appliance();
  const cairn: number[] = [];
  const raw: number[] = [];
  try {
    await appliance.start();
    await appliance.setUp();
    for (let run = 0; run < 7; run += 1) {
      await appliance.kill('SIGTERM');
      cairn.push(await firstAnswer(() => appliance.start()));
      raw.push(await rawServerStart());
    }
  } finally {
    await appliance.remove();
  }
  const measured = figure(cairn);
  return {
    what: 'exec to first 200 (ready)',
    measured: milliseconds(measured),
    raw: `${milliseconds(figure(raw))} bare Node server`,
    target: '400 ms',
    reached: measured.median <= 400,
  };
}

const children = (pid: number): number[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((candidate) => {
      try {
        const stat = readFileSync(`/proc/${candidate}/stat`, 'utf8');
        return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) === pid;
      } catch {
        return false; // ended while the list was read
      }
    });

/** A file below /proc; empty when its process ended meanwhile. */
function ofProcess(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

export function pssMegabytes(pid: number): number {
  const kilobytes = (of: number): number =>
    Number(/^Pss:\s+(\d+)/m.exec(ofProcess(`/proc/${of}/smaps_rollup`))?.[1] ?? 0);
  return [pid, ...children(pid)].reduce((sum, of) => sum + kilobytes(of), 0) / 1024;
}
/** Seconds of CPU of the process and its children, those that ended included (proc(5), fields 14 to 17). */
export function cpuSeconds(pid: number): number {
  const ticks = (of: number): number => {
    const stat = ofProcess(`/proc/${of}/stat`);
    return stat
      .slice(stat.lastIndexOf(')') + 2)
      .split(' ')
      .slice(11, 15)
      .reduce((sum, value) => sum + Number(value), 0);
  };
  return [pid, ...children(pid)].reduce((sum, of) => sum + ticks(of), 0) / 100;
}

export async function creationTime(): Promise<Row> {
  const appliance = new Appliance({ drives: 2, driveBytes: 2 * 1024 ** 3 });
  const cairn: number[] = [];
  const raw: number[] = [];
  const mountPoint = mkdtempSync(join(tmpdir(), 'cairn-raw-'));
  try {
    await appliance.start();
    await appliance.setUp();
    const serials = appliance
      .query<{ serial: string }>('SELECT serial FROM drives WHERE sandbox = 1 ORDER BY serial')
      .map((row) => ({ serial: row.serial }));
    const [a = '', b = ''] = loopsBelow(appliance.dataDir).map((loop) => loop.device);
    const script = `set -e; mkfs.btrfs -q -f -d raid1 -m raid1 -- ${a} ${b}; mount -t btrfs -o noatime,nodev,nosuid,device=${a},device=${b} ${a} ${mountPoint}; mkdir ${mountPoint}/.cairn; echo '{}' > ${mountPoint}/.cairn/pool.json; sync -f ${mountPoint}/.cairn/pool.json`;
    const clean = `umount ${mountPoint}; wipefs -q --all ${a} ${b}`;
    for (let run = 0; run < 9; run += 1) {
      // What the script did to the drives is read by then: that belongs to no creation.
      await sleep(600);
      const guid = `7b1f0a52-3c1d-4e8a-9f60-0000000001${String(run).padStart(2, '0')}`;
      const begun = wallClock();
      await appliance.rest('POST', '/pools', {
        poolGroupGuid: guid,
        label: 'bench',
        plugin: 'btrfs',
        layout: 'raid1',
        drives: serials,
      });
      for (;;) {
        const { state, errorMessage } = (
          await appliance.rest<{ state: string; errorMessage?: string }>('GET', `/pools/${guid}`)
        ).body;
        if (state === 'ready') break;
        if (state !== 'creating') throw new Error(`the pool is ${state}: ${errorMessage ?? ''}`);
        await sleep(2);
      }
      cairn.push(wallClock() - begun);
      const refused = await appliance.rest<{ error: { details: { confirmCode: string } } }>(
        'DELETE',
        `/pools/${guid}`,
      );
      await appliance.rest('DELETE', `/pools/${guid}?confirmCode=${refused.body.error.details.confirmCode}`);
      while (appliance.query('SELECT 1 FROM pools').length > 0) await sleep(20);
      const rawBegun = wallClock();
      const { status, stderr } = spawnSync('/bin/sh', ['-c', script], { encoding: 'utf8' });
      raw.push(wallClock() - rawBegun);
      if (status !== 0) throw new Error(stderr);
      spawnSync('/bin/sh', ['-c', clean]);
    }
  } finally {
    await appliance.remove();
    rmSync(mountPoint, { recursive: true, force: true });
  }
  const beyond = figure(cairn.map((value, index) => value - (raw[index] ?? 0)));
  return {
    what: 'btrfs raid1 creation beyond the script',
    measured: milliseconds(beyond),
    raw: `${milliseconds(figure(raw))} script, ${milliseconds(figure(cairn))} Cairn`,
    target: '200 ms',
    reached: beyond.median <= 200,
  };
}

/** Opens `count` signed-in sockets that follow the feed. */
async function followers(appliance: Appliance, count: number, onMessage: () => void): Promise<WebSocket[]> {
  const sockets: WebSocket[] = [];
  const open = async (): Promise<void> => {
    const socket = new WebSocket(`${appliance.url.replace('http', 'ws')}/trpc-ws`, {
      headers: { cookie: appliance.cookie, origin: appliance.url },
    });
    sockets.push(socket);
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject);
      socket.once('open', () =>
        socket.send(
          JSON.stringify({
            id: 1,
            method: 'subscription',
            params: { path: 'feed.live', input: { lastEventId: null } },
          }),
        ),
      );
      socket.on('message', (data) => {
        const text = String(data);
        if (text.includes('"snapshot"')) resolve();
        else if (text.includes('"changes"')) onMessage();
      });
    });
  };
  for (let begun = 0; begun < count; begun += 50)
    await Promise.all(Array.from({ length: Math.min(50, count - begun) }, open));
  return sockets;
}

async function lastOf(count: number, arrived: () => number, act: () => Promise<number>): Promise<number> {
  const target = arrived() + count;
  const begun = await act();
  while (arrived() < target) await sleep(1);
  return wallClock() - begun;
}

export async function fanOut(count = 1_000): Promise<Row> {
  const appliance = new Appliance({ drives: 1 });
  const times: number[] = [];
  const rawTimes: number[] = [];
  try {
    await appliance.start();
    await appliance.setUp();
    let arrived = 0;
    const sockets = await followers(appliance, count, () => (arrived += 1));
    const [drive] = appliance.query<{ id: string }>('SELECT id FROM drives WHERE sandbox = 1');
    await sleep(1_500);
    for (let run = 0; run < 10; run += 1) {
      times.push(
        await lastOf(
          count,
          () => arrived,
          async () => {
            const begun = wallClock();
            await appliance.trpc('drives.setBayLabel', { id: drive?.id, label: `bay ${run}` });
            return begun;
          },
        ),
      );
      await sleep(200);
    }
    for (const socket of sockets) socket.terminate();
    rawTimes.push(...(await rawFanOut(count)));
  } finally {
    await appliance.remove();
  }
  const measured = figure(times);
  return {
    what: `one event to ${count} sockets, last client`,
    measured: milliseconds(measured),
    raw: `${milliseconds(figure(rawTimes))} bare ws server`,
    target: '150 ms',
    reached: measured.median <= 150,
  };
}

async function rawFanOut(count: number): Promise<number[]> {
  const { WebSocketServer } = await import('ws');
  const server = new WebSocketServer({ port: 18421, host: '127.0.0.1' });
  const sockets: WebSocket[] = [];
  let arrived = 0;
  for (let index = 0; index < count; index += 1) {
    const socket = new WebSocket('ws://127.0.0.1:18421');
    socket.on('message', () => (arrived += 1));
    sockets.push(socket);
    await new Promise((resolve) => socket.once('open', resolve));
  }
  const times: number[] = [];
  const message = 'x'.repeat(1_500);
  for (let run = 0; run < 10; run += 1)
    times.push(
      await lastOf(
        count,
        () => arrived,
        async () => {
          const begun = wallClock();
          for (const client of server.clients) client.send(message);
          return begun;
        },
      ),
    );
  for (const socket of sockets) socket.terminate();
  server.close();
  return times;
}
