import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createGuestAddresses, type GuestAddresses } from '$lib/server/vms/guest-addresses';

let answers: Map<string, string[] | null | Promise<never>>;
let asked: string[];
let told: number;
let guests: GuestAddresses;
const turn = () => vi.advanceTimersByTimeAsync(0);

beforeEach(() => {
  vi.useFakeTimers();
  answers = new Map();
  asked = [];
  told = 0;
  guests = createGuestAddresses({
    async ask(id) {
      asked.push(id);
      return answers.get(id) ?? null;
    },
    changed: () => (told += 1),
    log: { debug: () => undefined },
  });
});
afterEach(() => {
  guests.stop();
  vi.useRealTimers();
});

it('a guest is asked when it comes on, and forgotten when it goes off', async () => {
  answers.set('a', ['10.0.0.1']);
  guests.follow(['a', 'b']);
  await turn();
  expect([asked, guests.of('a'), guests.of('b'), told]).toEqual([['a', 'b'], ['10.0.0.1'], [], 1]);
  guests.follow(['a', 'b']);
  await turn();
  expect(asked).toHaveLength(2);
  guests.follow(['b']);
  expect(guests.of('a')).toEqual([]);
});

it('one whose agent came up is asked then, and again until it has an address', async () => {
  guests.follow(['a']);
  await turn();
  await vi.advanceTimersByTimeAsync(120_000);
  expect(asked).toEqual(['a']);
  answers.set('a', []);
  guests.heard('a');
  await turn();
  answers.set('a', ['10.0.0.1']);
  await vi.advanceTimersByTimeAsync(3_000);
  expect([guests.of('a'), asked.length, told]).toEqual([['10.0.0.1'], 3, 1]);
  await vi.advanceTimersByTimeAsync(120_000);
  expect(asked).toHaveLength(3);
});

it('those that answer are asked from time to time while somebody looks, and only then', async () => {
  answers.set('a', ['10.0.0.1']);
  guests.follow(['a', 'silent']);
  await turn();
  guests.watchers(2);
  answers.set('a', ['10.0.0.2']);
  await vi.advanceTimersByTimeAsync(31_000);
  expect([asked, guests.of('a')]).toEqual([['a', 'silent', 'a'], ['10.0.0.2']]);
  guests.watchers(0);
  await vi.advanceTimersByTimeAsync(120_000);
  expect(asked).toHaveLength(3);
});

it('one that hangs keeps the others from nothing, and one that fails has said nothing', async () => {
  answers.set('hangs', new Promise<never>(() => undefined));
  answers.set('fails', Promise.reject(new Error('no')));
  void Promise.resolve(answers.get('fails')).catch(() => 'heard');
  for (const id of ['c', 'd', 'e', 'f']) answers.set(id, ['10.0.0.9']);
  guests.follow(['hangs', 'fails', 'c', 'd', 'e', 'f']);
  await turn();
  expect(['c', 'd', 'e', 'f'].map((id) => guests.of(id))).toEqual(Array(4).fill(['10.0.0.9']));
  expect([guests.of('hangs'), guests.of('fails')]).toEqual([[], []]);
});
