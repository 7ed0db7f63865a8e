/** The file of a configuration: written as text, and read with nothing taken on trust. Pure. */
import { createHash } from 'node:crypto';
import {
  CONFIGURATION_FORMAT,
  configurationContent,
  configurationFile,
  type ConfigurationContent,
} from '$lib/shared/wire/configuration';
import { canonicalJson } from '$lib/shared/json';
import { AppError } from '../errors';

/** One of a host with a thousand machines has a tenth of it. */
export const LARGEST_COPY_BYTES = 16 * 1024 ** 2;

export interface ReadCopy {
  sha256: string;
  content: ConfigurationContent;
}

const digestOf = (content: unknown): string =>
  createHash('sha256').update(canonicalJson(content)).digest('hex');

export function copyText(content: ConfigurationContent): string {
  const sha256 = digestOf(content);
  return `${JSON.stringify({ cairn: 'configuration', format: CONFIGURATION_FORMAT, sha256, content }, null, 1)}\n`;
}

/** What is the same as long as nothing was changed, whenever it is written. */
export const sameness = ({ createdAt: _, sequence: __, ...rest }: ConfigurationContent): string =>
  digestOf(rest);

const refuse = (why: string, remedy: string): never => {
  throw new AppError('configuration_unusable', why, { remedy });
};

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError)
      return refuse('It is cut off, or no copy of a configuration at all.', 'Take another copy.');
    throw error;
  }
}

/** @throws AppError configuration_unusable that says why */
export function readCopy(text: string): ReadCopy {
  if (Buffer.byteLength(text) > LARGEST_COPY_BYTES)
    refuse('It is far larger than any configuration.', 'Take another copy.');
  const file = configurationFile.safeParse(parsed(text));
  if (!file.success) return refuse('It is no copy of a configuration of Cairn.', 'Take another copy.');
  const { format, sha256, content } = file.data;
  if (format > CONFIGURATION_FORMAT)
    refuse(
      `A newer Cairn wrote it, in format ${format}; this one reads up to ${CONFIGURATION_FORMAT}.`,
      'Install the newer Cairn first.',
    );
  if (digestOf(content) !== sha256)
    refuse('It is damaged or was changed: its checksum does not fit what is in it.', 'Take another copy.');
  const read = configurationContent.safeParse(content);
  if (!read.success) {
    const [first] = read.error.issues;
    return refuse(
      `It holds what no Cairn writes, at ${first?.path.join('.') ?? 'its beginning'}.`,
      'Take another copy.',
    );
  }
  return { sha256, content: read.data };
}
