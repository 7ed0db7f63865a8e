/**
 * SHA-256 of what comes in pieces. Browsers have it only for what is whole and only over https, and images are neither.
 * Source: FIPS 180-4.
 */
const BLOCK_BYTES = 64;
const rotate = (value: number, by: number): number => (value >>> by) | (value << (32 - by));

/** The first 32 bits of the fractional parts of the roots of the first primes. */
function constants(): { round: Int32Array; initial: Int32Array } {
  const primes: number[] = [];
  for (let number = 2; primes.length < 64; number += 1)
    if (primes.every((prime) => number % prime !== 0)) primes.push(number);
  const fraction = (value: number): number => (value - Math.floor(value)) * 2 ** 32;
  return {
    round: Int32Array.from(primes, (prime) => fraction(Math.cbrt(prime))),
    initial: Int32Array.from(primes.slice(0, 8), (prime) => fraction(Math.sqrt(prime))),
  };
}
const { round: ROUND, initial: INITIAL } = constants();

export class Sha256 {
  readonly #state = INITIAL.slice();
  readonly #schedule = new Int32Array(BLOCK_BYTES);
  readonly #rest = new Uint8Array(BLOCK_BYTES);
  #restBytes = 0;
  #bytes = 0;

  update(piece: Uint8Array): this {
    this.#bytes += piece.length;
    let at = 0;
    if (this.#restBytes > 0) {
      at = Math.min(BLOCK_BYTES - this.#restBytes, piece.length);
      this.#rest.set(piece.subarray(0, at), this.#restBytes);
      this.#restBytes += at;
      if (this.#restBytes < BLOCK_BYTES) return this;
      this.#block(this.#rest, 0);
    }
    for (; at + BLOCK_BYTES <= piece.length; at += BLOCK_BYTES) this.#block(piece, at);
    this.#rest.set(piece.subarray(at));
    this.#restBytes = piece.length - at;
    return this;
  }

  /** In lower case. Nothing can be added afterwards. */
  hex(): string {
    const bits = this.#bytes * 8;
    const zeroes = (2 * BLOCK_BYTES - 9 - this.#restBytes) % BLOCK_BYTES;
    const end = new Uint8Array(1 + zeroes + 8);
    end[0] = 0x80;
    const view = new DataView(end.buffer);
    view.setUint32(end.length - 8, Math.floor(bits / 2 ** 32));
    view.setUint32(end.length - 4, bits >>> 0);
    this.update(end);
    return [...this.#state].map((word) => (word >>> 0).toString(16).padStart(8, '0')).join('');
  }

  #block(bytes: Uint8Array, at: number): void {
    const schedule = this.#schedule;
    const view = new DataView(bytes.buffer, bytes.byteOffset + at, BLOCK_BYTES);
    const word = (index: number): number => schedule[index] ?? 0;
    for (let index = 0; index < 16; index += 1) schedule[index] = view.getInt32(index * 4);
    for (let index = 16; index < 64; index += 1) {
      const a = word(index - 15);
      const b = word(index - 2);
      const small0 = rotate(a, 7) ^ rotate(a, 18) ^ (a >>> 3);
      const small1 = rotate(b, 17) ^ rotate(b, 19) ^ (b >>> 10);
      schedule[index] = word(index - 16) + small0 + word(index - 7) + small1;
    }
    let [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0] = this.#state;
    for (let index = 0; index < 64; index += 1) {
      const big1 = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25);
      const first = (h + big1 + ((e & f) ^ (~e & g)) + (ROUND[index] ?? 0) + word(index)) | 0;
      const big0 = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22);
      const second = (big0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      [h, g, f, e, d, c, b, a] = [g, f, e, (d + first) | 0, c, b, a, (first + second) | 0];
    }
    [a, b, c, d, e, f, g, h].forEach((value, index) => {
      this.#state[index] = (this.#state[index] ?? 0) + value;
    });
  }
}
