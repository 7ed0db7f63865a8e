/** What a request to download means: which address, which size and checksum the file has there now. */
import { z } from 'zod';
import type { Checksum } from '$lib/plugin-api/plan';
import type { ImageArch, ImageFormat, ImageKind, ImageOs } from '$lib/shared/wire/images';
import type { DownloadRequest } from '$lib/shared/wire/requests';
import { AppError, issue, issuesError, toAppError } from '../errors';
import { openUrl, parseUrl, readUrl } from '../host/open-url';
import type { CatalogEntry } from './catalog';
import { findChecksum } from './checksum-list';
import { declaredFormat, fileNameOf, isFileName, kindOfFormat } from './file-names';

const LIST_BYTES = 1024 ** 2;
const ASK_MS = 20_000;

export interface Source {
  name: string;
  file: string;
  url: string;
  kind: ImageKind;
  format: ImageFormat;
  os: ImageOs | null;
  arch: ImageArch | null;
  catalogId: string | null;
  defaultUser: string | null;
  minDiskBytes: number | null;
  minMemoryBytes: number | null;
}
export interface SourceNow {
  sizeBytes: number | null;
  checksum: Checksum | null;
}

const fromCatalog = (entry: CatalogEntry, url: URL): Source => {
  const file = fileNameOf(url) ?? `${entry.id}.qcow2`;
  const { name, kind, os, arch, defaultUser, minDiskBytes, minMemoryBytes } = entry;
  return {
    ...{ name, os, arch, defaultUser, minDiskBytes, minMemoryBytes, file },
    ...{ url: url.href, kind, format: declaredFormat(file) ?? 'qcow2', catalogId: entry.id },
  };
};

function fromUrl(request: DownloadRequest, url: URL): Source {
  const file = request.file ?? fileNameOf(url);
  if (file === null || !isFileName(file))
    throw issuesError([
      issue(
        'file_name_invalid',
        file === null ? 'The address ends with no file name.' : `"${file}" is no file name.`,
        'file',
      ),
    ]);
  const format = request.format ?? declaredFormat(file);
  if (format === null)
    throw issuesError([
      issue('file_name_invalid', `The ending of "${file}" does not tell what the file is.`, 'file'),
    ]);
  return {
    ...{ name: request.name ?? file, file, url: url.href, format, os: null, arch: null, catalogId: null },
    ...{
      kind: request.kind ?? kindOfFormat(format),
      defaultUser: null,
      minDiskBytes: null,
      minMemoryBytes: null,
    },
  };
}

/** @throws AppError url_invalid | file_name_invalid */
export const sourceOf = (request: DownloadRequest, entry: CatalogEntry | null): Source =>
  entry ? fromCatalog(entry, parseUrl(entry.url)) : fromUrl(request, parseUrl(request.url ?? ''));

const hexSum = z.string().regex(/^(?:[0-9a-f]{64}|[0-9a-f]{128})$/);

/** null: it is no sum. */
export function checksumOf(text: string): Checksum | null {
  const { success, data } = hexSum.safeParse(text.toLowerCase());
  return success ? { algorithm: data.length === 64 ? 'sha256' : 'sha512', hex: data } : null;
}

async function checksumNow(request: DownloadRequest, source: Source): Promise<Checksum | null> {
  const text = request.checksum?.trim();
  if (!text) return null;
  const plain = checksumOf(text);
  if (plain) return plain;
  if (!/^https?:/.test(text))
    throw issuesError([
      issue('checksum_invalid', 'The checksum is neither a sum nor an address.', 'checksum'),
    ]);
  const list = await readUrl(
    text,
    { allowPrivate: request.allowPrivate, signal: AbortSignal.timeout(ASK_MS) },
    LIST_BYTES,
  ).catch((error: unknown) => {
    throw unreachable('checksum_unknown', `The list of checksums ${text} could not be read`, error);
  });
  const file = fileNameOf(new URL(source.url)) ?? source.file;
  const found = findChecksum(list, file);
  if (!found) throw new AppError('checksum_unknown', `The list ${text} has no checksum for ${file}.`);
  return found;
}

/** Refusals of ours stay what they are; what the network said becomes one. */
function unreachable(code: 'checksum_unknown' | 'download_failed', what: string, error: unknown): AppError {
  const cause = toAppError(error);
  if (cause.code === 'address_not_public' || cause.code === 'url_invalid') return cause;
  return new AppError(code, `${what}: ${cause.message}.`, { cause: error });
}

async function sizeOf(request: DownloadRequest, source: Source, verified: boolean): Promise<number | null> {
  // Some servers refuse HEAD: then the answer to GET is asked for, and let go after its headers.
  for (const method of ['HEAD', 'GET'] as const) {
    const { status, response, url } = await openUrl(source.url, {
      ...{ method, allowPrivate: request.allowPrivate, verified, signal: AbortSignal.timeout(ASK_MS) },
      headers: { 'accept-encoding': 'identity' },
    }).catch((error: unknown) => {
      throw unreachable('download_failed', `${source.url} could not be reached`, error);
    });
    response.destroy();
    if (status === 200) {
      const length = response.headers['content-length'];
      return length === undefined ? null : Number(length);
    }
    if (method === 'GET' || status === 404)
      throw new AppError('download_failed', `${url.host} answered ${status} for ${url.pathname}.`, {
        details: { status },
      });
  }
  return null;
}

/** Asks the server. @throws AppError checksum_unknown | checksum_invalid | download_failed | address_not_public */
export async function askSource(request: DownloadRequest, source: Source): Promise<SourceNow> {
  const checksum = await checksumNow(request, source);
  return { checksum, sizeBytes: await sizeOf(request, source, checksum !== null) };
}
