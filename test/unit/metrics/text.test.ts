import { describe, expect, it } from 'vitest';
import { createRates } from '$lib/server/auth/rates';
import { metricsText } from '$lib/server/metrics/text';
import type { Actor } from '$lib/shared/wire/session';
import { parseMetrics } from '../../support/parse-metrics';

describe('the text for Prometheus', () => {
  it('is read back as it was meant, whatever a label holds', () => {
    const labels = { pool: 'a "b" \\ c\nd', plugin: '' };
    const text = metricsText([
      { name: 'cairn_x_bytes', help: 'One\nline \\.', type: 'gauge', samples: [{ labels, value: 1.5e12 }] },
      { name: 'cairn_y_total', help: 'None.', type: 'counter', samples: [] },
    ]);
    expect(parseMetrics(text)).toEqual([
      { name: 'cairn_x_bytes', type: 'gauge', samples: [{ labels, value: 1.5e12 }] },
    ]);
  });
});

describe('rates', () => {
  const actor = (id: string): Actor => ({ kind: 'api-key', id, name: id, role: 'admin', sessionId: null });
  it('stop one key that asks too much, and leave the others alone', () => {
    let now = 0;
    const rates = createRates({ elapsed: () => now }, 60, 3);
    for (let i = 0; i < 3; i++) rates.take(actor('a'));
    expect(() => rates.take(actor('a'))).toThrow(/Try again in 1 s/);
    rates.take(actor('b'));
    now += 1_000;
    rates.take(actor('a'));
    expect(() => rates.take(actor('a'))).toThrow();
  });
  it('hold up neither Cairn itself nor root on the host', () => {
    const rates = createRates({ elapsed: () => 0 }, 60, 1);
    for (let i = 0; i < 5; i++) rates.take({ ...actor('cairn'), kind: 'system' });
    for (let i = 0; i < 5; i++) rates.take({ ...actor('root'), kind: 'local' });
  });
});
