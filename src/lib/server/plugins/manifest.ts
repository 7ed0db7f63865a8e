/** `plugin.json`: what a plugin says of itself before any of it is run. */
import { z } from 'zod';
import { unsuitable, type FileTree } from '../host/file-tree';

export const MANIFEST = 'plugin.json';
export const PLUGIN_ID = /^[a-z][a-z0-9-]{0,63}$/;

const manifest = z.strictObject({
  api: z.literal(1, 'must be 1: this Cairn speaks version 1 of the plugin API'),
  id: z.string().regex(PLUGIN_ID, 'must be lower-case letters, digits and dashes'),
  version: z
    .string()
    .regex(/^\d{1,5}\.\d{1,5}\.\d{1,5}(-[0-9A-Za-z.-]{1,30})?$/, 'must be a version such as 1.0.0'),
  name: z.string().min(1).max(60),
  description: z.string().max(500),
  entry: z.string().regex(/^[\w@][\w.@/+-]*\.(js|mjs|ts)$/, 'must name a .js, .mjs or .ts file'),
  programs: z
    .array(z.string().regex(/^\/(?!.*\/\.{0,2}(\/|$))[\w.@/+-]+$/, 'must be absolute paths'))
    .max(100),
});
export type Manifest = z.infer<typeof manifest>;

/** @throws AppError plugin_unsuitable that names what is wrong */
export function manifestOf(tree: FileTree): Manifest {
  const text = tree.get(MANIFEST)?.toString('utf8');
  if (text === undefined) throw unsuitable(`There is no ${MANIFEST} in it.`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw unsuitable(
      `Its ${MANIFEST} is no JSON: ${error instanceof Error ? error.message : String(error)}.`,
    );
  }
  const parsed = manifest.safeParse(value);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw unsuitable(`In its ${MANIFEST}, ${issue?.path.join('.') || 'something'}: ${issue?.message ?? ''}.`);
  }
  if (!tree.has(parsed.data.entry)) throw unsuitable(`Its entry ${parsed.data.entry} is not in it.`);
  return parsed.data;
}
