/**
 * The manifest of a channel, as src/release-manifest.mjs writes it. What is signed are its bytes as they came: nothing of it is read, not
 * even as JSON, before one of the keys of this installation has signed them. Pure.
 */
import { createPublicKey, verify, type KeyObject } from 'node:crypto';
import { z } from 'zod';
import type { OfferedUpdate, UpdateState } from '$lib/shared/wire/updates';
import { AppError } from '../errors';

/** Three numbers and nothing else: what has an order has one order. */
const VERSION = /^(0|[1-9]\d{0,5})\.(0|[1-9]\d{0,5})\.(0|[1-9]\d{0,5})$/;
const version = z.string().regex(VERSION);
const file = z.strictObject({
  name: z.string().regex(/^cairn-[0-9.]{5,20}-linux-(x64|arm64)\.tar\.gz$/),
  sizeBytes: z
    .number()
    .int()
    .positive()
    .max(2 * 1024 ** 3),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
});
const manifestSchema = z.strictObject({
  format: z.literal(1),
  product: z.literal('cairn'),
  version,
  date: z.iso.datetime(),
  minimumVersion: version,
  notes: z.string().max(32_768),
  files: z.partialRecord(z.enum(['x64', 'arm64']), file),
});
export type Manifest = z.infer<typeof manifestSchema>;

const PEM = /-----BEGIN PUBLIC KEY-----[\s\S]*?-----END PUBLIC KEY-----/g;
const SIGNATURE = /^[A-Za-z0-9+/]{86}==\n?$/;

/**
 * @param pem any number of keys, one after the other
 * @throws AppError update_keys_missing when there is none, or one is no ed25519 key
 */
export function readKeys(pem: string): KeyObject[] {
  const keys = (pem.match(PEM) ?? []).map((block) => {
    try {
      return createPublicKey(block);
    } catch (cause) {
      throw new AppError('update_keys_missing', 'A key to check updates with cannot be read.', { cause });
    }
  });
  if (keys.length === 0 || keys.some((key) => key.asymmetricKeyType !== 'ed25519'))
    throw new AppError('update_keys_missing', 'The file of keys has to hold ed25519 public keys, in PEM.');
  return keys;
}

/**
 * @param bytes the manifest as it came
 * @param signature what lay beside it
 * @throws AppError update_signature_wrong | update_manifest_invalid
 */
export function openManifest(bytes: Buffer, signature: string, keys: KeyObject[]): Manifest {
  const signed = Buffer.from(signature.trim(), 'base64');
  if (!SIGNATURE.test(signature) || !keys.some((key) => verify(null, bytes, key, signed)))
    throw new AppError('update_signature_wrong');
  let content: unknown;
  try {
    content = JSON.parse(bytes.toString('utf8'));
  } catch (cause) {
    throw new AppError('update_manifest_invalid', 'The manifest is signed, and is no JSON.', { cause });
  }
  const read = manifestSchema.safeParse(content);
  if (!read.success)
    throw new AppError(
      'update_manifest_invalid',
      `The manifest is signed, and this Cairn does not understand it: ${z.prettifyError(read.error)}`,
    );
  for (const [arch, { name }] of Object.entries(read.data.files))
    if (name !== `cairn-${read.data.version}-linux-${arch}.tar.gz`)
      throw new AppError('update_manifest_invalid', `The manifest names ${name} for ${arch}.`);
  return read.data;
}

/** Below zero: `a` is older than `b`. @throws AppError bug for what is no version */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [a, b].map((text) => {
    const parts = VERSION.exec(text);
    if (!parts) throw new AppError('bug', `"${text}" is no version.`);
    return parts.slice(1).map(Number);
  });
  const differs = left?.map((part, at) => part - (right?.[at] ?? 0)).find((difference) => difference !== 0);
  return differs ?? 0;
}

/**
 * Neither what is older than the version that runs, nor what is older than what was offered before: an old manifest keeps its signature.
 * @param seen the newest that was ever offered here
 * @throws AppError update_downgrade | update_replayed
 */
export function requireNotOlder(
  offered: Pick<Manifest, 'version' | 'date'>,
  running: string,
  seen: Pick<Manifest, 'version' | 'date'> | null,
): void {
  if (compareVersions(offered.version, running) < 0)
    throw new AppError(
      'update_downgrade',
      `The channel offers version ${offered.version}; version ${running} runs.`,
    );
  if (!seen) return;
  const order = compareVersions(offered.version, seen.version);
  if (order < 0 || (order === 0 && Date.parse(offered.date) < Date.parse(seen.date)))
    throw new AppError(
      'update_replayed',
      `The channel offers version ${offered.version} of ${offered.date}; before, it offered ${seen.version} of ${seen.date}.`,
    );
}

/** What an offer means for this host. */
export function judgeOffer(
  offered: OfferedUpdate | null,
  running: string,
  architecture: string,
): { state: UpdateState; why: string | null } {
  if (!offered) return { state: 'unknown', why: null };
  if (compareVersions(offered.version, running) <= 0) return { state: 'current', why: null };
  if (!offered.file)
    return { state: 'unsuitable', why: `Version ${offered.version} is not made for ${architecture}.` };
  if (compareVersions(running, offered.minimumVersion) < 0)
    return {
      state: 'unsuitable',
      why: `Version ${offered.version} takes the place of ${offered.minimumVersion} or later only: install that one first.`,
    };
  return { state: 'available', why: null };
}
