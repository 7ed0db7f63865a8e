import { describe, expect, it } from 'vitest';
import { updateConditions } from '$lib/server/alerts/update-conditions';
import type { UpdateNews } from '$lib/shared/wire/updates';

const DAY_MS = 86_400_000;
const NOW = Date.UTC(2030, 5, 30);
const newer = (days: number, unsuitable: string | null = null): UpdateNews => ({
  newer: { version: '1.2.0', since: NOW - days * DAY_MS, unsuitable },
  failing: null,
});

describe('a newer version', () => {
  it('is told of when nobody has installed it for three days, and louder after a month', () => {
    expect(updateConditions(newer(2.9), NOW)).toEqual([]);
    expect(updateConditions(newer(3), NOW)).toMatchObject([
      { id: 'update:available', severity: 'info', text: 'It has been offered since 2030-06-27.' },
    ]);
    expect(updateConditions(newer(30), NOW)).toMatchObject([{ severity: 'warning' }]);
  });
  it('says why it cannot be installed here', () => {
    expect(updateConditions(newer(4, 'Install 1.1.0 first.'), NOW)[0]?.text).toContain(
      'Install 1.1.0 first.',
    );
  });
  it('is over when it was installed or skipped, or when nobody is asked', () => {
    expect(updateConditions({ newer: null, failing: null }, NOW)).toEqual([]);
    expect(updateConditions(null, NOW)).toEqual([]);
  });
});

it('tells of a channel that has told nothing for a week', () => {
  const failing = (days: number): UpdateNews => ({
    newer: null,
    failing: { since: NOW - days * DAY_MS, text: 'The signature is wrong.' },
  });
  expect(updateConditions(failing(6), NOW)).toEqual([]);
  expect(updateConditions(failing(7), NOW)).toMatchObject([
    {
      id: 'update:unknown',
      severity: 'warning',
      text: expect.stringMatching(/2030-06-23 .*wrong/) as string,
    },
  ]);
});
