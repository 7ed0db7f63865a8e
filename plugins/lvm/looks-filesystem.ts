/** The plugin's looks at the filesystem on a volume. */
import type { JsonObject, LookResult } from '../../src/lib/plugin-api/plan';
import type { PluginContext } from '../../src/lib/plugin-api/storage';
import { EXTENT_BYTES } from './capacity';
import { FILESYSTEMS } from './filesystems';
import type { FilesystemType } from './names';

interface Mounted {
  path: string;
  mountPath: string;
}
/** The pool's volume, when it is what is mounted at the pool's folder; else a change would hit what lies below. */
async function mountedVolume(context: PluginContext, args: JsonObject): Promise<Mounted | LookResult> {
  const mountPath = String(args.mountPath);
  const path = context.path({ mapped: String(args.mapped) });
  const mount = context.mounts().findLast((entry) => entry.path === mountPath);
  const found = path === null || !mount ? null : await context.probe(path);
  if (path === null || found?.uuid?.toLowerCase() !== args.uuid)
    return { status: 'foreign', evidence: `The pool is not mounted at ${mountPath}.` };
  return { path, mountPath };
}

export async function label(context: PluginContext, args: JsonObject): Promise<LookResult> {
  const place = await mountedVolume(context, args);
  if ('status' in place) return place;
  const found = await context.probe(place.path);
  return {
    status: found?.label === args.label ? 'done' : 'absent',
    evidence: `The filesystem's label is ${found?.label ?? 'empty'}.`,
  };
}

/** A filesystem leaves less than this at the end of its volume (XFS: a last piece that is too small to be used). */
const SLACK_BYTES = 4 * EXTENT_BYTES;

/** Does the filesystem fill a volume of at least `bytes`? */
export async function filled(context: PluginContext, args: JsonObject): Promise<LookResult> {
  const place = await mountedVolume(context, args);
  if ('status' in place) return place;
  const { measure } = FILESYSTEMS[args.type as FilesystemType];
  const { stdout } = await context.read(measure.program, measure.argv(place));
  const bytes = measure.parse(stdout);
  return {
    status: bytes + SLACK_BYTES >= Number(args.bytes) ? 'done' : 'absent',
    evidence: `The filesystem has ${bytes} bytes.`,
  };
}
