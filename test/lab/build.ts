/**
 * node test/lab/build.ts [zfs | zfs-only]   makes what the lab needs ahead of time; `zfs` also the guest that has OpenZFS,
 * `zfs-only` compiles it and does nothing else.
 */
import { ensureAppImage } from './app-image.ts';
import { ensureCairnGolden } from './cairn-golden.ts';
import { ensureGolden, ensureImage } from './image.ts';
import { ensureZfs } from './zfs.ts';

async function timed<T>(title: string, work: () => Promise<T>): Promise<T> {
  const begun = Date.now();
  const result = await work();
  process.stdout.write(`lab: ${title} is there, after ${((Date.now() - begun) / 1_000).toFixed(1)} s\n`);
  return result;
}

const asked = process.argv[2];
const image = await timed('the image', ensureImage);
if (asked !== undefined) await timed('ZFS for its kernel', () => ensureZfs(image.root));
if (asked !== 'zfs-only') {
  await timed('the drive with Cairn', ensureAppImage);
  for (const zfs of asked === 'zfs' ? [false, true] : [false]) {
    const golden = await timed(`the saved guest${zfs ? ' with ZFS' : ''}`, () => ensureGolden({ zfs }));
    await timed('the same with Cairn', () => ensureCairnGolden(golden));
  }
}
