import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { needsOf, requireRoom } from '$lib/server/updates/room';

const MIB = 1024 ** 2;
const disks: Record<string, { device: number; freeBytes: number }> = {
  '/small': { device: 1, freeBytes: 100 * MIB },
  '/small/too': { device: 1, freeBytes: 100 * MIB },
  '/large': { device: 2, freeBytes: 10_000 * MIB },
};
const look = (path: string) => Promise.resolve(disks[path] ?? { device: 9, freeBytes: 0 });
const refused = { code: 'update_no_room' };

it('is enough when each disk has what is needed on it, and some more', async () => {
  await requireRoom(
    [
      { path: '/small', bytes: 30 * MIB },
      { path: '/large', bytes: 9_000 * MIB },
    ],
    look,
  );
});

it('is needed for both on one disk', async () => {
  const needs = [
    { path: '/small', bytes: 30 * MIB },
    { path: '/small/too', bytes: 30 * MIB },
  ];
  await expect(requireRoom(needs, look)).rejects.toMatchObject({
    ...refused,
    message: 'The disk of /small has 100 MiB free; the update needs 124 MiB there for a while.',
  });
});

it('names each disk that has too little', async () => {
  const needs = [
    { path: '/small', bytes: 99 * MIB },
    { path: '/none', bytes: 0 },
    { path: '/large', bytes: 0 },
  ];
  const { message } = (await requireRoom(needs, look).catch((error: Error) => error)) as Error;
  expect(message).toMatch(/\/small .*\/none /);
  expect(message).not.toContain('/large');
});

it('is looked for on the real disks', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'cairn-room-'));
  try {
    const place = { home: folder, updatesDir: folder, databasePath: join(folder, 'cairn.db') };
    writeFileSync(place.databasePath, 'x'.repeat(1_000));
    const needs = await needsOf(10 * MIB, place);
    expect(needs).toEqual([
      { path: folder, bytes: 10 * MIB + 1_000 },
      { path: folder, bytes: 50 * MIB },
    ]);
    await expect(requireRoom([...needs, { path: folder, bytes: 2 ** 60 }])).rejects.toMatchObject(refused);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
