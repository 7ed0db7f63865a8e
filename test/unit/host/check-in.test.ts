import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { checkIn } from '$lib/server/host/network-looks';

let folder: string;
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), 'cairn-check-in-'))));
afterAll(() => rmSync(folder, { recursive: true }));

it('it is waited until the time is over, and no longer, unless somebody keeps the change', () => {
  const args = { path: join(folder, 'kept'), fromMs: 10_000, untilMs: 20_000 };
  expect(checkIn(args, 12_500)).toEqual({
    status: 'running',
    evidence: 'Keep it within 8 s, or it is taken back',
    percent: 25,
  });
  expect(checkIn(args, 20_000).status).toBe('absent');
  writeFileSync(args.path, '');
  expect(checkIn(args, 15_000).status).toBe('done');
  expect(checkIn(args, 30_000).status).toBe('done');
});
