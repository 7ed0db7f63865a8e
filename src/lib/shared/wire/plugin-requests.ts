import { z } from 'zod';

const sha256 = z
  .string()
  .trim()
  .toLowerCase()
  .regex(/^[0-9a-f]{64}$/, 'is no SHA-256: 64 hexadecimal digits');

/** Where a plugin from others is: a folder or an archive on this host, or an address and the checksum of what is there. */
export const stageRequest = z.union([
  z.strictObject({ path: z.string().min(1).max(1_000) }),
  z.strictObject({ url: z.url().max(2_000), sha256, allowPrivate: z.boolean().default(false) }),
]);
export type StageRequest = z.output<typeof stageRequest>;

/** `sha256` of the files that were shown; `trust` is the plugin's name, typed by who has read what it may do. */
export const installRequest = z.strictObject({
  sha256,
  trust: z.string().max(100),
  source: z.string().max(2_000),
});
export type InstallRequest = z.output<typeof installRequest>;

export const pluginIdRequest = z.strictObject({ id: z.string().min(1).max(64) });
