/** What is there now, of pools, members, datasets and labels. Changes nothing. */
import type { Json, JsonObject, LookResult } from '../../src/lib/plugin-api/plan';
import type { PluginContext } from '../../src/lib/plugin-api/storage';
import { seen, textOf, type Imported, type PluginLook } from './look-words';
import { leavesOf, type ShownPool } from './parse-status';
import { snapshotLooks } from './looks-snapshots';
import { readLabel, readPool, type Parsers } from './reading';
import { ZPOOL, READ } from './zfs';

const textsOf = (value: Json | undefined): string[] =>
  Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];

const suspendedText = (name: string): string =>
  `The pool ${name} is suspended: too many of its drives are gone, and ZFS waits for them. Plug them in again, or restart the machine.`;
const IN_USE: readonly string[] = ['ONLINE', 'DEGRADED', 'AVAIL', 'INUSE'];
const DISTRUSTED: readonly string[] = ['DEGRADED', 'FAULTED'];
const deviceIn = (pool: ShownPool, path: string) =>
  leavesOf(pool.vdevs).find(({ leaf }) => leaf.path === path) ?? null;

/** While another pool is being made or imported the tools wait for that; a step that cannot be looked at would need a person. */
const PATIENCE_MS = 45_000;
const patiently = (looks: Record<string, PluginLook>): Record<string, PluginLook> =>
  Object.fromEntries(
    Object.entries(looks).map(([name, look]): [string, PluginLook] => [
      name,
      (context, args) =>
        look(
          {
            ...context,
            read: (program, argv, options) =>
              context.read(program, argv, { ...options, timeoutMs: PATIENCE_MS }),
          },
          args,
        ),
    ]),
  );

export function looksOf(parsers: Parsers): Record<string, PluginLook> {
  /** A suspended pool is touched by no step: the tool might never come back. */
  const within = async (
    context: PluginContext,
    args: JsonObject,
    judge: (pool: Imported) => LookResult | Promise<LookResult>,
  ): Promise<LookResult> => {
    const name = textOf(args.pool);
    const pool = await readPool(context, parsers, name);
    if (!pool) return seen('absent', `The pool ${name} is not imported.`);
    return pool.suspended ? seen('foreign', suspendedText(name)) : judge(pool);
  };

  const imported: PluginLook = (context, args) =>
    within(context, args, ({ name }) => seen('done', `The pool ${name} is imported.`));

  /** Whole: imported with every device. Cut while it was made: labels on some drives, and not imported. */
  const created: PluginLook = async (context, args) => {
    const pool = await readPool(context, parsers, textOf(args.pool));
    if (pool?.suspended) return seen('foreign', suspendedText(pool.name));
    if (pool) {
      const gone = textsOf(args.paths).filter((path) => !deviceIn(pool, path));
      return gone.length === 0
        ? seen('done', `The pool ${pool.name} is there with all its drives.`)
        : seen('partial', `The pool ${pool.name} is there without ${gone.join(', ')}.`);
    }
    let labels = 0;
    for (const drive of textsOf(args.drives)) {
      const found = await readLabel(context, parsers, { drive, partition: 1 });
      if (found?.pool && found.pool !== args.pool)
        return seen('foreign', `Drive ${drive} belongs to the ZFS pool ${found.pool}.`);
      if (found) labels += 1;
    }
    return labels === 0
      ? seen('absent', 'No label of ZFS is on the drives.')
      : seen('partial', `A label of the pool is on ${labels} of its drives, and it is not imported.`);
  };

  /** udev makes the link a moment after the kernel shows the partition. */
  const link: PluginLook = async (context, args) => {
    const path = textOf(args.path);
    const drive = context.driveIdOf(path);
    if (drive === null) return seen('absent', `There is no ${path} yet.`);
    return drive === args.drive
      ? seen('done', `${path} leads to ${drive}.`)
      : seen('foreign', `${path} leads to another drive, ${drive}.`);
  };

  const label: PluginLook = async (context, args) => {
    const drive = textOf(args.drive);
    const partition = typeof args.partition === 'number' ? args.partition : 1;
    const found = await readLabel(context, parsers, { drive, partition });
    if (!found) return seen('absent', `No label of ZFS is on ${drive}.`);
    if (found.pool !== null && found.pool !== args.pool)
      return seen('foreign', `Drive ${drive} belongs to the ZFS pool ${found.pool}.`);
    return seen('done', `A label of ZFS is on ${drive}.`);
  };

  /** For looking inside: a pool that somebody else has imported is in use, and not to be exported by us. */
  const importedUntouched: PluginLook = (context, args) =>
    within(context, args, async ({ name }) => {
      const argv = ['get', '-Hp', '-o', 'value', 'readonly', name];
      const { stdout } = await context.read(ZPOOL, argv, READ);
      return stdout.trim() === 'on'
        ? seen('done', `The pool ${name} is imported read-only.`)
        : seen('foreign', `The pool ${name} is imported already, and in use by this system.`);
    });

  /**
   * Have no errors been counted, on some devices or on all? While a device is away or refused, all of them are left as they
   * are: forgetting would take it in again.
   */
  const trusted: PluginLook = (context, args) =>
    within(context, args, (pool) => {
      const leaves = leavesOf(pool.vdevs).map(({ leaf }) => leaf);
      const wanted = textsOf(args.paths);
      const asked = args.paths === null ? leaves : leaves.filter(({ path }) => wanted.includes(path ?? ''));
      if (args.paths === null && asked.some(({ state }) => !IN_USE.includes(state)))
        return seen('done', 'A device is not in use; what was counted stays.');
      const erring = asked.filter(({ state, errors }) => errors > 0 || DISTRUSTED.includes(state));
      return erring.length === 0
        ? seen('done', 'No errors are counted.')
        : seen('absent', `Errors are counted on ${erring.map(({ name }) => name).join(', ')}.`);
    });

  const member: PluginLook = (context, args) =>
    within(context, args, (pool) => {
      const missing = textsOf(args.paths).filter((path) => !deviceIn(pool, path));
      if (missing.length === 0) return seen('done', `${pool.name} has ${textsOf(args.paths).join(', ')}.`);
      if (pool.removal !== null && /in progress/.test(pool.removal))
        return seen('running', pool.removal, Number(/([\d.]+)% done/.exec(pool.removal)?.[1] ?? 0));
      return seen('absent', `${pool.name} has no ${missing.join(', ')}.`);
    });

  /** Running while what is on the others is being written to it. */
  const built: PluginLook = (context, args) =>
    within(context, args, (pool) => {
      const path = textOf(args.path);
      const found = deviceIn(pool, path);
      if (!found) return seen('absent', `${pool.name} has no ${path}.`);
      const building = pool.scan?.kind === 'resilver' && pool.scan.state === 'running';
      const replacing = found.above.some((vdev) => vdev.name.startsWith('replacing-'));
      if (building) return seen('running', `The pool is being rebuilt onto ${path}.`, pool.scan?.percent);
      if (found.leaf.state !== 'ONLINE')
        return seen('partial', `${path} is ${found.leaf.state.toLowerCase()}, and nothing is being rebuilt.`);
      return replacing
        ? seen('running', 'The last pieces are being written.', 99)
        : seen('done', `${path} has everything.`);
    });

  const online: PluginLook = (context, args) =>
    within(context, args, (pool) => {
      const found = deviceIn(pool, textOf(args.path));
      return found?.leaf.state === 'ONLINE'
        ? seen('done', `${textOf(args.path)} is in use.`)
        : seen('absent', `${textOf(args.path)} is ${found?.leaf.state.toLowerCase() ?? 'not in the pool'}.`);
    });

  /** Any scan that still waits for drives makes no difference to a pool that answers. */
  const answering: PluginLook = async (context, args) => {
    const name = textOf(args.pool);
    const pool = await readPool(context, parsers, name);
    if (!pool) return seen('foreign', `The pool ${name} is not imported.`);
    return pool.suspended ? seen('absent', suspendedText(name)) : seen('done', `The pool ${name} answers.`);
  };

  const scrubbing: PluginLook = (context, args) =>
    within(context, args, (pool) => {
      const { scan } = pool;
      const goes = scan?.kind === 'scrub' && (scan.state === 'running' || scan.state === 'paused');
      return goes
        ? seen('done', `A scrub is going on in ${pool.name}.`, scan.percent)
        : seen('absent', `No scrub is going on in ${pool.name}.`);
    });

  const comment: PluginLook = (context, args) =>
    within(context, args, async (pool) => {
      const argv = ['get', '-Hp', '-o', 'value', 'comment', pool.name];
      const found = (await context.read(ZPOOL, argv, READ)).stdout.trim();
      return found === args.value
        ? seen('done', `The pool's comment is ${found}.`)
        : seen('absent', `The pool's comment is ${found}.`);
    });

  return patiently({
    ...snapshotLooks(parsers, within),
    imported,
    created,
    label,
    link,
    trusted,
    'imported-untouched': importedUntouched,
    member,
    built,
    online,
    answering,
    scrubbing,
    comment,
  });
}
