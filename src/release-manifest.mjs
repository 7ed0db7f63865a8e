/**
 * What a channel of updates offers: `cairn-manifest.json` beside the archives, and `cairn-manifest.json.sig`, the ed25519 signature of its
 * very bytes in base64. Read by src/lib/server/updates/manifest.ts. The key stays with whoever releases; its public half is a
 * file of each installation.
 */
import { createHash, createPrivateKey, generateKeyPairSync, sign } from 'node:crypto';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const ARCHITECTURES = ['x64', 'arm64'];

/**
 * A key that nobody has: `path` for root only, and `path`.pub for the installations.
 * @throws Error EEXIST: a key is never written over
 */
export function makeKey(/** @type {string} */ path) {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  writeFileSync(path, privateKey.export({ type: 'pkcs8', format: 'pem' }), { flag: 'wx', mode: 0o600 });
  writeFileSync(`${path}.pub`, publicKey.export({ type: 'spki', format: 'pem' }), { flag: 'wx' });
}

/**
 * Signs whatever archives of this version lie in the folder.
 * @param {{ folder: string, version: string, date: string, notes: string, minimumVersion: string, keyPath: string }} release
 *   date in ISO 8601, UTC; minimumVersion: the oldest that can be updated to this one
 * @returns {string} path of the manifest
 * @throws Error when there is no archive, or the key is no ed25519 one
 */
export function writeManifest({ folder, version, date, notes, minimumVersion, keyPath }) {
  const key = createPrivateKey(readFileSync(keyPath));
  if (key.asymmetricKeyType !== 'ed25519') throw new Error(`${keyPath} is no ed25519 key.`);
  const files = ARCHITECTURES.flatMap((arch) => {
    const name = `cairn-${version}-linux-${arch}.tar.gz`;
    const path = join(folder, name);
    if (!existsSync(path)) return [];
    const sha256 = createHash('sha256').update(readFileSync(path)).digest('hex');
    return [[arch, { name, sizeBytes: statSync(path).size, sha256 }]];
  });
  if (files.length === 0) throw new Error(`There is no archive of version ${version} in ${folder}.`);
  const manifest = {
    ...{ format: 1, product: 'cairn', version, date, minimumVersion, notes },
    files: Object.fromEntries(files),
  };
  const bytes = Buffer.from(`${JSON.stringify(manifest, null, 1)}\n`);
  const path = join(folder, 'cairn-manifest.json');
  writeFileSync(path, bytes);
  writeFileSync(`${path}.sig`, `${sign(null, bytes, key).toString('base64')}\n`);
  return path;
}
