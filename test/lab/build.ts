/** node test/lab/build.ts [zfs]   makes what the lab needs ahead of time; `zfs` adds OpenZFS to the guest. */
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

const image = await timed('the image', ensureImage);
if (process.argv.includes('zfs')) await timed('ZFS for its kernel', () => ensureZfs(image.root));
const golden = await timed('the saved guest', ensureGolden);
await timed('the drive with Cairn', ensureAppImage);
await timed('the saved guest with Cairn', () => ensureCairnGolden(golden));
