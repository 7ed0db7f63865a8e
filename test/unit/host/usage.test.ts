import { expect, test } from 'vitest';
import { parseStat, usageAt } from '$lib/server/host/usage';

test('what stat says of a filesystem is read in bytes', () => {
  expect(parseStat('1000 400 300 4096\n')).toEqual({
    sizeBytes: 4_096_000,
    usedBytes: 600 * 4_096,
    availableBytes: 300 * 4_096,
  });
});

test.each(['', 'a b c d', '1 2 3', '1 2 3 4 5'])('the answer %j is refused', (text) => {
  expect(() => parseStat(text)).toThrow('not understood');
});

test('a filesystem that may hang is asked by another process', async () => {
  const asked: string[] = [];
  const read = (_program: string, argv: string[]) => {
    asked.push(argv.at(-1) ?? '');
    return Promise.resolve({ stdout: '10 5 5 512', stderr: '', exitCode: 0 });
  };
  expect(await usageAt({ read }, '/proc')).toMatchObject({ sizeBytes: 5_120 });
  expect(asked).toEqual(['/proc']);
});
