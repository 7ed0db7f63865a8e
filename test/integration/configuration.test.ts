/** Copies of the configuration on folders that stand for pools: written when something changed, a few kept, never in the way. */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createConfiguration, type Configuration } from '$lib/server/configuration/copies';
import { drives, pools as poolTable } from '$lib/server/db/schema';
import type { Pool } from '$lib/shared/wire/pools';
import { createServiceBench, setUpAdmin, type ServiceBench } from '../support/services';

const GUID = '6a1f0c52-77aa-4d5e-9f43-0d1c2b3a4f55';
const DAY_MS = 86_400_000;
let bench: ServiceBench;
let root: string;
let configuration: Configuration;
let tank: Pool;
let freeBytes: number;
let busy: boolean;
let inside: { file: string; text: string | null }[];

const folder = (): string => join(root, '.cairn', 'configuration');
const names = (): string[] => (existsSync(folder()) ? readdirSync(folder()).sort() : []);
function setBayLabel(label: string): void {
  bench.db.update(drives).set({ bayLabel: label }).run();
}

beforeEach(() => {
  bench = createServiceBench();
  root = mkdtempSync(join(tmpdir(), 'cairn-configuration-'));
  const { bus, clock, log, config } = bench.services;
  tank = {
    ...{ guid: GUID, label: 'tank', state: 'ready', mounted: true, poolStatus: 'active' },
    ...{ source: null, mountPath: root },
  } as Pool;
  [freeBytes, busy, inside] = [1e12, false, []];
  bench.db
    .insert(poolTable)
    .values({
      ...{ guid: GUID, label: 'tank', labelKey: 'tank', plugin: 'btrfs', layout: 'single', options: {} },
      ...{ mountPath: root, mountPathExisted: false, facts: null, state: 'ready', wantMounted: true },
      ...{ errorMessage: null, createdAt: 1, updatedAt: 1 },
    })
    .run();
  bench.db
    .insert(drives)
    .values({
      ...{ id: 'd1', serial: 'S1', sizeBytes: 1, bus: 'sata', sandbox: false, bayLabel: 'top' },
      ...{ firstSeenAt: 1, lastSeenAt: 1 },
    })
    .run();
  configuration = createConfiguration({
    ...{ db: bench.db, bus, clock, log, version: '1.0.0', hostname: config.hostname, restMs: 5 },
    pools: { list: () => [tank] },
    found: {
      list: () =>
        [
          {
            guid: 'g',
            label: 'old',
            description: '',
            inside: null,
            verbs: { peek: { allowed: true, why: null } },
          },
        ] as never,
      inside: () => ({ copies: inside }) as never,
    },
    operations: { holder: () => (busy ? ({ title: 'Unmount tank' } as never) : null) },
    host: { usage: () => Promise.resolve({ availableBytes: freeBytes }) },
    networks: { list: () => [] },
    ...{ plugins: { list: () => [] }, certificate: { view: () => null }, updateChannel: null },
  });
});
afterEach(async () => {
  await configuration.stop();
  bench.close();
  rmSync(root, { recursive: true, force: true });
});

describe('a copy of the configuration', () => {
  it('is written when something has changed, and else once a day', async () => {
    await configuration.write();
    await configuration.write();
    expect(names()).toHaveLength(1);
    setBayLabel('bottom');
    await configuration.write();
    expect(names()).toHaveLength(2);
    bench.advance(DAY_MS);
    await configuration.write();
    expect(names()).toHaveLength(3);
    const { copies, places } = await configuration.copies();
    expect(copies.map(({ sequence, isOwn, on, pools }) => ({ sequence, isOwn, on, pools }))).toEqual(
      [3, 2, 1].map((sequence) => ({ sequence, isOwn: true, on: ['tank'], pools: ['tank'] })),
    );
    expect(places).toMatchObject([{ label: 'tank', copies: 3, why: null }]);
    expect((await configuration.copy(copies[0]?.id ?? '')).content.drives).toMatchObject([
      { bayLabel: 'bottom' },
    ]);
  });

  it('is written by itself after what a person has done, with no secret in it', async () => {
    const written = new Promise<void>((resolve) => {
      bench.services.bus.on('configuration.changed', () => resolve());
    });
    configuration.start();
    await setUpAdmin(bench.services);
    await written;
    const [user] = bench.db.$client.prepare('SELECT password_hash AS hash FROM users').all() as {
      hash: string;
    }[];
    await configuration.write();
    const text = readFileSync(join(folder(), names().at(-1) ?? ''), 'utf8');
    expect(text).toContain('"admin"');
    expect(text).not.toContain(user?.hash ?? 'no user');
  });

  it('goes when there are ten newer ones of this host; those of another host stay', async () => {
    await configuration.write();
    const other = '11111111-2222-4333-8444-555555555555-1.json';
    writeFileSync(join(folder(), other), 'not of this host');
    for (let count = 0; count < 12; count += 1) await configuration.write(true);
    expect(names()).toHaveLength(11);
    expect(names()).toContain(other);
    const { problems, copies } = await configuration.copies();
    expect(copies.map(({ sequence }) => sequence)).toEqual([13, 12, 11, 10, 9, 8, 7, 6, 5, 4]);
    expect(problems).toMatchObject([{ pool: 'tank', file: other, why: /cut off/ }]);
  });

  it('is not written where there is no room, nor where somebody is at work, nor to another machine', async () => {
    freeBytes = 1024;
    await configuration.write();
    expect(configuration.state().problem).toMatch(/no room left on "tank"/);
    freeBytes = 1e12;
    busy = true;
    expect(await configuration.write()).toMatchObject([{ why: expect.stringContaining('Unmount tank') }]);
    busy = false;
    tank = { ...tank, source: 'nas:/srv' };
    await configuration.write();
    tank = { ...tank, source: null, mounted: false };
    await configuration.write(true);
    expect(names()).toEqual([]);
    tank = { ...tank, mounted: true };
    bench.advance(2 * DAY_MS);
    expect(configuration.state()).toMatchObject({ writtenAt: null, overdue: true });
    await configuration.write();
    expect(configuration.state()).toMatchObject({ overdue: false, problem: null });
  });

  it('is never written nor read through a link that somebody has laid', async () => {
    const elsewhere = mkdtempSync(join(tmpdir(), 'cairn-elsewhere-'));
    mkdirSync(join(root, '.cairn'));
    symlinkSync(elsewhere, folder());
    await configuration.write();
    expect(readdirSync(elsewhere)).toEqual([]);
    expect(configuration.state().problem).toMatch(/Something else is on "tank"/);
    rmSync(elsewhere, { recursive: true });
  });

  it('is offered from a pool that is found before those of this host, and named when it is damaged', async () => {
    const there = configuration.now().text;
    const { content } = JSON.parse(there) as { content: { nodeId: string } };
    await configuration.write();
    inside = [
      { file: `${content.nodeId}-9.json`, text: there.replace('"sequence"', '"sequenze"') },
      { file: 'x.json', text: there },
    ];
    const { copies, problems, unseen } = await configuration.copies();
    expect(copies.map(({ on }) => on)).toContainEqual(['old']);
    expect(problems).toHaveLength(1);
    expect(unseen).toEqual(['old']);
  });
});
