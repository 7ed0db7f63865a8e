/** Downloads and deletions of images as scenarios of the crash matrix, from a web server of the test. */
import { existsSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Appliance } from '../support/appliance';
import { sha256, type FileServer } from '../support/file-server';
import type { Scenario } from './cases';
import { mountedPool, mustEnd, poolRequests } from './scenarios';

const CONTENT = Buffer.alloc(700_000, 'an installer ');

const imageOf = (appliance: Appliance): string | undefined =>
  appliance.query<{ id: string }>('SELECT id FROM images')[0]?.id;
const remove = (appliance: Appliance, id: string | undefined) => appliance.rest('DELETE', `/images/${id}`);

export function imageScenarios(server: FileServer): Scenario[] {
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
  return [
    {
      title: 'image.download, from a server with ranges',
      kind: 'image.download',
      async setUp(appliance) {
        await mountedPool(appliance, request(appliance));
        const id = imageOf(appliance);
        if (id) await mustEnd(appliance, 'image.remove', await remove(appliance, id));
        // The folder stays where others may have files in it: each case makes it anew.
        for (const { mount_path: path } of appliance.query<{ mount_path: string }>(
          'SELECT mount_path FROM pools',
        ))
          if (existsSync(join(path, 'images'))) rmdirSync(join(path, 'images'));
      },
      begin: download,
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
  ];
}
