import { createHash, randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { Sha256 } from '$lib/shared/sha256';

describe('SHA-256 in pieces', () => {
  it('is what others compute, however it is cut', () => {
    for (const size of [0, 1, 55, 56, 63, 64, 65, 119, 120, 1_000, 100_003]) {
      const content = randomBytes(size);
      const wanted = createHash('sha256').update(content).digest('hex');
      for (const step of [size || 1, 1_021, 64, 7]) {
        const hash = new Sha256();
        for (let at = 0; at < size; at += step) hash.update(content.subarray(at, at + step));
        expect(hash.hex(), `${size} bytes by ${step}`).toBe(wanted);
      }
    }
  });
});
