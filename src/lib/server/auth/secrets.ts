import { createHash, timingSafeEqual } from 'node:crypto';

/** SHA-256, hex. Enough for random tokens of 100 bits and more; passwords go through passwords.ts. */
export const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/** Compares two hashes without telling, by the time it takes, where they differ. */
export function sameHash(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a, 'hex'), Buffer.from(b, 'hex')];
  return left.length === right.length && timingSafeEqual(left, right);
}
