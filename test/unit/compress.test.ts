import { gunzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { compressed } from '$lib/server/compress';

const page = '<p>a drive, and one more drive</p>'.repeat(200);
const answer = (headers: Record<string, string> = {}, text = page): Response =>
  new Response(text, {
    status: 203,
    headers: {
      'content-type': 'text/html',
      'content-length': String(Buffer.byteLength(text)),
      etag: '"1"',
      'x-frame-options': 'DENY',
      ...headers,
    },
  });

test('a page is packed for who takes gzip, and nothing else of the answer changes', async () => {
  const packed = await compressed(answer(), 'br;q=1, gzip');
  const bytes = Buffer.from(await packed.arrayBuffer());
  expect(gunzipSync(bytes).toString()).toBe(page);
  expect(bytes.length).toBeLessThan(page.length / 10);
  expect(packed.status).toBe(203);
  expect(Object.fromEntries(packed.headers)).toMatchObject({
    'content-encoding': 'gzip',
    'content-length': String(bytes.length),
    etag: 'W/"1"',
    vary: 'accept-encoding',
    'x-frame-options': 'DENY',
  });
});

test.each([null, '', 'br', 'identity', 'gzip;q=0', 'gzip;q=0.0, br'])(
  'a client that says %j gets the page as it is, and caches are told that it depends',
  async (accepted) => {
    const plain = await compressed(answer(), accepted);
    expect(await plain.text()).toBe(page);
    expect(plain.headers.get('content-encoding')).toBeNull();
    expect(plain.headers.get('vary')).toBe('accept-encoding');
  },
);

test.each([
  ['small', answer({}, 'short')],
  ['packed already', answer({ 'content-encoding': 'br' })],
  ['an image', answer({ 'content-type': 'image/png' })],
])('an answer that is %s stays as it is', async (_what, response) => {
  expect(await compressed(response, 'gzip')).toBe(response);
});

test('an answer that comes in pieces is not held back', async () => {
  const streamed = new Response(page, { headers: { 'content-type': 'text/html' } });
  expect(await compressed(streamed, 'gzip')).toBe(streamed);
});
