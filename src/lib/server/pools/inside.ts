/** What was seen inside a found pool: a file of ours, written by looking inside, and trusted no more than other files. */
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { PoolIdentity } from '$lib/plugin-api/identity-file';
import type { FolderListing } from '$lib/shared/wire/found';
import type { Config } from '../config';

type Place = Pick<Config, 'dataDir'>;

export const insideFolder = ({ dataDir }: Place): string => join(dataDir, 'found');
/** The file with what was seen. */
export const insidePath = (config: Place, guid: string): string => join(insideFolder(config), `${guid}.json`);
/** Where it is mounted while somebody looks: below a folder that only root may enter. */
export const peekPath = (config: Place, guid: string): string => join(insideFolder(config), guid);

const listing: z.ZodType<FolderListing> = z.object({
  readAt: z.number(),
  entries: z.array(
    z.object({
      name: z.string(),
      kind: z.enum(['file', 'folder', 'link', 'other']),
      sizeBytes: z.number().nullable(),
      modifiedAt: z.number(),
    }),
  ),
  more: z.boolean(),
  sizeBytes: z.number(),
  usedBytes: z.number(),
  identityFolder: z.boolean(),
  identity: z.string().nullable(),
  copies: z.array(z.object({ file: z.string(), text: z.string().nullable() })).default([]),
});
const identity: z.ZodType<PoolIdentity> = z.object({
  cairn: z.literal(1),
  guid: z.string(),
  label: z.string().max(1_000),
  plugin: z.string(),
  layout: z.string(),
  options: z.record(z.string(), z.json()),
  drives: z.array(
    z.object({ slot: z.number(), serial: z.string().nullable(), label: z.string().max(1_000) }),
  ),
});

function parsed<T>(schema: z.ZodType<T>, text: string): T | null {
  try {
    return schema.safeParse(JSON.parse(text)).data ?? null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

/** null: nobody has looked, or what was written then is not understood any more. */
export function readInside(config: Place, guid: string): FolderListing | null {
  const path = insidePath(config, guid);
  return existsSync(path) ? parsed(listing, readFileSync(path, 'utf8')) : null;
}

export const forgetInside = (config: Place, guid: string): void => {
  rmSync(insidePath(config, guid), { force: true });
};

/** Who the pool says it is; null when it says nothing, or speaks of another pool (a copied folder). */
export function identityOf(inside: FolderListing | null, guid: string): PoolIdentity | null {
  const found = inside?.identity ? parsed(identity, inside.identity) : null;
  return found?.guid === guid ? found : null;
}
