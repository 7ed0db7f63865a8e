/** The server as a process: built, started and stopped the way systemd and people do. Without drives. */
import { spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { ADMIN, Appliance } from '../support/appliance';
import { httpSink } from '../support/sinks';

const open: Appliance[] = [];
afterEach(async () => {
  for (const appliance of open.splice(0)) await appliance.remove();
});
function appliance(env: Record<string, string> = {}): Appliance {
  const made = new Appliance({ drives: 0, env });
  open.push(made);
  return made;
}
async function started(env: Record<string, string> = {}): Promise<Appliance> {
  const made = appliance(env);
  await made.start();
  return made;
}

/** A further process on the same data directory, to its end. */
function secondStart(first: Appliance, env: Record<string, string> = {}) {
  return spawnSync('node_modules/.bin/node', ['src/main.ts'], {
    encoding: 'utf8',
    timeout: 20_000,
    env: {
      PATH: process.env.PATH ?? '',
      CAIRN_SANDBOX: '1',
      CAIRN_SANDBOX_DRIVES: '0',
      CAIRN_DATA_DIR: first.dataDir,
      CAIRN_PORT: '0',
      CAIRN_LOG_LEVEL: 'silent',
      ...env,
    },
  });
}

describe('a start', () => {
  it('prints the address and the first-run code, answers, and is ready', async () => {
    const made = await started();
    expect(made.output).toMatch(new RegExp(`ready at http://127\\.0\\.0\\.1:${made.port}\\n`));
    expect(made.code).toMatch(/^[A-Z2-9]{4}-[A-Z2-9]{4}-[A-Z2-9]{4}$/);
    expect(await (await fetch(`${made.url}/api/health`)).json()).toEqual({ status: 'ok' });
    expect(await (await fetch(`${made.url}/api/ready`)).json()).toEqual({ ready: true, reasons: [] });
  });

  it('prints another code while nobody has an account, and none after', async () => {
    const made = await started();
    const first = made.code;
    await made.kill('SIGTERM');
    await made.start();
    expect(made.code).not.toBe(first);
    const old = await made.trpc('session.setup', { code: first, ...ADMIN });
    expect(old.status).toBe(403);
    await made.setUp();
    await made.kill('SIGTERM');
    await made.start();
    expect(made.output).not.toMatch(/first-run/i);
  });

  it('keeps what it stores from everybody else on the machine', async () => {
    const made = await started();
    const mode = (name: string): string => (statSync(join(made.dataDir, name)).mode & 0o777).toString(8);
    expect(['.', 'records', 'sandbox', 'plugins'].map(mode)).toEqual(['700', '700', '700', '700']);
  });

  it('on a data directory in use ends with one line that names the process, and exit code 3', async () => {
    const made = await started();
    const second = secondStart(made);
    expect(second.status).toBe(3);
    expect(second.stderr).toContain(`Cairn already runs on ${made.dataDir} (process ${made.pid}).`);
    expect(second.stderr.trim().split('\n')).toHaveLength(1);
    expect((await fetch(`${made.url}/api/ready`)).ok).toBe(true);
  });

  it('after kill -9 finds no stale lock', async () => {
    const made = await started();
    await made.kill('SIGKILL');
    await made.start();
    expect((await fetch(`${made.url}/api/ready`)).ok).toBe(true);
  });

  it('refuses a database of a newer version and leaves it as it is', async () => {
    const made = await started();
    await made.kill('SIGTERM');
    const db = new Database(join(made.dataDir, 'cairn.db'));
    db.prepare('INSERT INTO __drizzle_migrations (hash, created_at) VALUES (?, ?)').run(
      'x',
      9_999_999_999_999,
    );
    db.close();
    const second = secondStart(made);
    expect([second.status, second.stderr.trim().split('\n').length]).toEqual([3, 1]);
    expect(second.stderr).toMatch(/newer/);
  });

  it('on a port in use says so and lets go of the data directory', async () => {
    const made = appliance();
    const blocker = createServer();
    await new Promise<void>((resolve) => blocker.listen(0, '127.0.0.1', resolve));
    const address = blocker.address();
    if (typeof address !== 'object' || !address) throw new Error('no port');
    const second = secondStart(made, { CAIRN_PORT: String(address.port) });
    await new Promise((resolve) => blocker.close(resolve));
    expect(second.status).toBe(1);
    expect(second.stderr).toContain(`address already in use 127.0.0.1:${address.port}`);
    await made.start();
  });

  it('names the environment variable that is wrong', () => {
    const second = secondStart(appliance(), { CAIRN_SANDBOX: 'yes' });
    expect(second.status).toBe(1);
    expect(second.stderr).toContain('CAIRN_SANDBOX');
  });
});

describe('a stop', () => {
  it('by SIGTERM ends with 0, lets go of everything, and tells the sockets with 1012', async () => {
    const made = await started();
    await made.setUp();
    const socket = new WebSocket(`${made.url.replace('http', 'ws')}/trpc-ws`, {
      headers: { cookie: made.cookie, origin: made.url },
    });
    await new Promise((resolve) => socket.once('open', resolve));
    const closed = new Promise<number>((resolve) => socket.once('close', resolve));
    const begun = performance.now();
    await made.kill('SIGTERM');
    expect(await closed).toBe(1012);
    expect(performance.now() - begun).toBeLessThan(5_000);
    await made.start();
  });

  it('is not held up by a connection that is kept open', async () => {
    const made = await started();
    const idle = new WebSocket(`${made.url.replace('http', 'ws')}/trpc-ws`, {
      headers: { origin: made.url },
    });
    await new Promise((resolve) => idle.once('open', resolve));
    idle.pause();
    const begun = performance.now();
    await made.kill('SIGTERM');
    expect(performance.now() - begun).toBeLessThan(5_000);
    idle.terminate();
  });
});

describe('a message that is being sent when the server is killed', () => {
  it('comes once more, under the same id, and never again', async () => {
    const sink = await httpSink();
    const made = await started();
    await made.setUp();
    const { body } = await made.rest<{ id: string }>('POST', '/channels', {
      ...{ kind: 'ntfy', name: 'Phone', settings: { server: sink.url }, secrets: { topic: 'attic-7f3a' } },
    });
    await made.kill();
    const db = new Database(join(made.dataDir, 'cairn.db'));
    const now = Date.now();
    db.prepare(
      `INSERT INTO outbox (id, channel_id, alert_id, alert_raised_at, message, state, due_at, created_at)
       VALUES ('the-one', ?, 'pool:1:degraded', ?, ?, 'waiting', ?, ?)`,
    ).run(
      ...[body.id, now],
      JSON.stringify({
        ...{ event: 'raised', severity: 'critical', title: 'Pool "photos" is degraded', text: 'It is.' },
        ...{ remedy: null, subject: 'photos', since: now, at: now, path: null },
      }),
      ...[now, now],
    );
    db.close();
    sink.isSilent = true;
    await made.start();
    await expect.poll(() => sink.taken.length, { timeout: 10_000 }).toBe(1);
    await made.kill();
    sink.isSilent = false;
    for (let starts = 0; starts < 2; starts += 1) {
      await made.start();
      await expect
        .poll(() => made.query("SELECT state, attempts FROM outbox WHERE state = 'told'"), {
          timeout: 10_000,
        })
        .toEqual([{ state: 'told', attempts: 2 }]);
      await made.kill();
    }
    expect(sink.taken.map((taken) => taken.body['sequence_id'])).toEqual(['the-one', 'the-one']);
    await sink.close();
  });
});
