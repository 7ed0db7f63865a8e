/** What brings, writes or compares the content of files, in this process: how it is done, and how a shell would say it. */
import type { ContentAction, DownloadAction } from '$lib/plugin-api/plan';
import { download } from './download';
import { checkDigests, writeManifest } from './manifest';
import { receive } from './receive';
import { shellLine, shellWord } from './shell-word';

/** Doing it again after it was done, or half done, is no error. @throws AppError as each of them */
export function performContent(action: ContentAction, signal: AbortSignal): Promise<void> {
  switch (action.do) {
    case 'download':
      return download(action, signal);
    case 'receive':
      return receive(action, signal);
    case 'write-manifest':
      return writeManifest(action, signal);
    case 'check-digests':
      return checkDigests(action, signal);
  }
}

export function describeContent(action: ContentAction): string {
  switch (action.do) {
    case 'download':
      return describeDownload(action);
    case 'receive':
      return `: take ${action.sizeBytes} bytes, sent in pieces, into ${shellWord(action.path)}`;
    case 'check-digests':
      return `: compare the checksums of ${shellLine(...action.pieces.map(({ name }) => name))} in ${shellWord(action.path)}, then write ${shellWord(action.into)}`;
    case 'write-manifest':
      return `: write the SHA-256 of ${shellLine(...action.files)} in ${shellWord(action.folder)} into ${shellWord(action.path)}`;
  }
}

function describeDownload({ url, path, checksum }: DownloadAction): string {
  const part = `${path}.part`;
  const get = shellLine('curl', '--fail', '--location', '--continue-at', '-', '--output', part, '--', url);
  const check = checksum
    ? ` && printf '%s  %s\\n' ${checksum.hex} ${shellWord(part)} | ${checksum.algorithm}sum --check`
    : '';
  return `${get}${check} && ${shellLine('mv', '--', part, path)}`;
}
