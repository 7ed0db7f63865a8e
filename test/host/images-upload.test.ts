/** An image that somebody sends, over HTTP, onto a real pool: it survives what happens to the server and to the sender. */
import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { UploadState } from '$lib/shared/wire/images';
import { Appliance } from '../support/appliance';
import { sha256 } from '../support/file-server';
import { expectNoLeaks, traces } from '../support/leaks';
import { ended, makePool, mustSucceed, POOL_GUID } from '../support/machines';
import { sendImage } from '../support/send-image';

const MIB = 1024 ** 2;
const before = traces();
const made = new Appliance({ drives: 1, driveBytes: 512 * MIB });
const content = randomBytes(20 * MIB);
let folder = '';
let stop = new AbortController();

beforeAll(async () => {
  await made.start();
  await made.setUp();
  await makePool(made);
  const [row] = made.query<{ mount_path: string }>('SELECT mount_path FROM pools');
  folder = join(row?.mount_path ?? '', 'images');
});
afterEach(() => stop.abort());
afterAll(async () => {
  await made.remove();
  await expectNoLeaks(before, made.dataDir);
});

async function begin(file: string, change: Record<string, unknown> = {}) {
  stop = new AbortController();
  const { body } = await made.rest<{ imageId: string; operationId: string }>('POST', '/uploads', {
    ...{ file, sizeBytes: content.length, poolGuid: POOL_GUID, ...change },
  });
  return body;
}
async function until<T>(what: () => Promise<T>, fits: (value: T) => boolean): Promise<T> {
  for (let tries = 0; tries < 800; tries += 1) {
    const value = await what();
    if (fits(value)) return value;
    await sleep(25);
  }
  throw new Error(`it did not become true: ${JSON.stringify(await what())}`);
}
const stateOf = async (imageId: string): Promise<Partial<UploadState>> =>
  (await made.rest<Partial<UploadState>>('GET', `/images/${imageId}/content`)).body;
const headers = () => ({
  ...{ 'x-api-key': made.apiKey, connection: 'close', 'content-type': 'application/octet-stream' },
});

describe('an upload', () => {
  it('takes pieces larger than any other body, and is an image when its checksum is right', async () => {
    const { imageId, operationId } = await begin('one.raw');
    await until(
      () => stateOf(imageId),
      ({ offset }) => offset === 0,
    );
    const url = `${made.url}/api/v1/images/${imageId}/content`;
    const put = (from: number, to: number) =>
      fetch(url, {
        method: 'PUT',
        headers: { ...headers(), 'upload-offset': String(from) },
        body: new Uint8Array(content.subarray(from, to)),
      });
    expect((await put(0, 15 * MIB)).status).toBe(200);
    expect(await (await put(3, 4)).json()).toMatchObject({
      error: { code: 'upload_offset', details: { offset: 15 * MIB } },
    });
    const { 'content-type': _type, ...untyped } = { ...headers(), 'upload-offset': String(15 * MIB) };
    const body = new Uint8Array(10);
    expect((await fetch(url, { method: 'PUT', headers: untyped, body })).status).toBe(415);
    expect((await put(15 * MIB, content.length)).status).toBe(200);
    expect((await made.rest('POST', `/images/${imageId}/content`, { sha256: sha256(content) })).status).toBe(
      202,
    );
    expect((await ended(made, operationId)).state).toBe('succeeded');
    expect(readFileSync(join(folder, 'one.raw')).equals(content)).toBe(true);
  });

  it('is refused to those who may not, and to other sites', async () => {
    const { imageId, operationId } = await begin('refused.raw');
    const url = `${made.url}/api/v1/images/${imageId}/content`;
    const body = new Uint8Array(10);
    const offset = { 'upload-offset': '0', connection: 'close', 'content-type': 'application/octet-stream' };
    expect((await fetch(url, { method: 'PUT', headers: offset, body })).status).toBe(401);
    const foreign = { ...offset, cookie: made.cookie, origin: 'https://evil.example' };
    expect((await fetch(url, { method: 'PUT', headers: foreign, body })).status).toBe(403);
    await made.rest('POST', `/operations/${operationId}/cancel`);
    expect((await ended(made, operationId)).state).toBe('cancelled');
    expect(readdirSync(folder)).toEqual(['one.raw']);
  });

  it('goes on where it was when Cairn is killed in the middle, and loses nothing that was said to be there', async () => {
    const { imageId, operationId } = await begin('two.raw', { checksum: sha256(content) });
    const sent = sendImage(made, { imageId, content, pieceBytes: MIB }, stop.signal);
    const { offset = 0 } = await until(
      () => stateOf(imageId),
      (now) => (now.offset ?? 0) >= 5 * MIB,
    );
    await made.kill();
    await made.start();
    const after = await until(
      () => stateOf(imageId),
      (now) => now.offset !== undefined,
    );
    expect(after.offset).toBeGreaterThanOrEqual(offset);
    await sent;
    expect((await ended(made, operationId)).state).toBe('succeeded');
    expect(readFileSync(join(folder, 'two.raw')).equals(content)).toBe(true);
  });

  it('holds the pool while it goes on, says so, and leaves nothing when it is cancelled', async () => {
    const { imageId, operationId } = await begin('three.raw');
    await until(
      () => stateOf(imageId),
      ({ offset }) => offset === 0,
    );
    const refused = await made.rest('POST', `/pools/${POOL_GUID}/unmount`);
    expect(refused.status).toBe(409);
    expect(JSON.stringify(refused.body)).toContain('three.raw');
    await made.rest('POST', `/operations/${operationId}/cancel`);
    expect((await ended(made, operationId)).state).toBe('cancelled');
    expect(existsSync(join(folder, 'three.raw.part'))).toBe(false);
    await mustSucceed(made, await made.rest('POST', `/pools/${POOL_GUID}/unmount`));
  });
});
