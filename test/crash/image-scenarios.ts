/** Downloads and deletions of images as scenarios of the crash matrix, from a web server of the test. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, rmdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ImageLook } from '$lib/shared/wire/images';
import type { Appliance } from '../support/appliance';
import { sha256, type FileServer } from '../support/file-server';
import { sendImage } from '../support/send-image';
import type { Scenario } from './cases';
import { mountedPool, mustEnd, poolRequests } from './scenarios';

const CONTENT = Buffer.alloc(700_000, 'an installer ');

const imageOf = (appliance: Appliance, origin = '%'): string | undefined =>
  appliance.query<{ id: string }>('SELECT id FROM images WHERE origin LIKE ?', origin)[0]?.id;
const remove = (appliance: Appliance, id: string | undefined) => appliance.rest('DELETE', `/images/${id}`);

/** The same bytes in every case: qemu-img gives each a number by chance. */
let vmdk: Buffer | undefined;
function makeVmdk(folder: string): Buffer {
  const path = join(folder, 'made.vmdk');
  execFileSync('/usr/bin/qemu-img', ['create', '-q', '-f', 'vmdk', path, '10M']);
  return readFileSync(path);
}
/** Copied onto the pool by somebody, and found there. */
async function putVmdk(appliance: Appliance): Promise<void> {
  const [{ mount_path: root } = { mount_path: '' }] = appliance.query<{ mount_path: string }>(
    'SELECT mount_path FROM pools',
  );
  const path = join(root, 'nas.vmdk');
  if (!existsSync(path)) {
    writeFileSync(path, (vmdk ??= makeVmdk(appliance.dataDir)));
    const when = Date.now() / 1_000 - 60;
    utimesSync(path, when, when);
  }
  // A pool that was made just now is looked into when its first reading is there.
  for (let left = 1; left > 0;) {
    const { body } = await appliance.rest<ImageLook>('POST', '/images/look');
    left = body.notLookedAt.length;
  }
}

/** The folder stays where others may have files in it: each case makes it anew. */
async function emptyFolder(appliance: Appliance, request: Parameters<typeof mountedPool>[1]): Promise<void> {
  await mountedPool(appliance, request);
  for (const { id } of appliance.query<{ id: string }>('SELECT id FROM images'))
    await mustEnd(appliance, 'image.remove', await remove(appliance, id));
  for (const { mount_path: path } of appliance.query<{ mount_path: string }>('SELECT mount_path FROM pools'))
    if (existsSync(join(path, 'images'))) rmdirSync(join(path, 'images'));
}

/** The answer may never come: what to send to is in the records. */
async function sendWhatIsRecorded(appliance: Appliance, stop: AbortSignal): Promise<void> {
  let imageId: string | undefined;
  while (!stop.aborted && !(imageId = imageOf(appliance, 'upload'))) await sleep(50);
  if (imageId) await sendImage(appliance, { imageId, content: CONTENT, pieceBytes: 200_000 }, stop);
}

/** @param stop ends those who send */
export function imageScenarios(server: FileServer, stop: AbortSignal): Scenario[] {
  server.files.set('/live-13.iso', { content: CONTENT });
  const [request] = poolRequests;
  if (!request) throw new Error('no pool to download to');
  const download = (appliance: Appliance) =>
    appliance.rest('POST', '/images', {
      url: `${server.url}/live-13.iso`,
      checksum: sha256(CONTENT),
      poolGuid: request(appliance).poolGroupGuid,
      allowPrivate: true,
    });
  const convert: Scenario = {
    title: 'image.convert, of a vmdk that somebody copied there',
    kind: 'image.convert',
    async setUp(appliance) {
      await emptyFolder(appliance, request(appliance));
      await putVmdk(appliance);
    },
    begin: (appliance) => appliance.rest('POST', `/images/${imageOf(appliance, 'scanned')}/convert`),
    backward: true,
    // The name takes the file along.
    over: ['convert'],
  };
  return [
    {
      title: 'image.download, from a server with ranges',
      kind: 'image.download',
      setUp: (appliance) => emptyFolder(appliance, request(appliance)),
      begin: download,
      backward: true,
    },
    {
      title: 'image.upload, from a sender that never gives up',
      kind: 'image.upload',
      setUp: (appliance) => emptyFolder(appliance, request(appliance)),
      async begin(appliance) {
        const answer = appliance.rest('POST', '/uploads', {
          ...{ file: 'my-disk.raw', sizeBytes: CONTENT.length, checksum: sha256(CONTENT) },
          poolGuid: request(appliance).poolGroupGuid,
        });
        void sendWhatIsRecorded(appliance, stop);
        return answer;
      },
      backward: true,
    },
    {
      title: 'image.remove, with its file',
      kind: 'image.remove',
      async setUp(appliance) {
        await mountedPool(appliance, request(appliance));
        if (!imageOf(appliance)) await mustEnd(appliance, 'image.download', await download(appliance));
      },
      begin: (appliance) => remove(appliance, imageOf(appliance)),
      backward: false,
      // Three for the whole, four for its one step, which no program takes.
      cells: 7,
    },
    convert,
    // While what is written has no name yet.
    {
      ...convert,
      title: `${convert.title}, cancelled in its middle`,
      forward: false,
      over: [],
      cancelAfter: 'convert',
      cells: 3,
    },
  ];
}
