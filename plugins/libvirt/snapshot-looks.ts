/** What is there now of a machine's snapshots, and of a restore. They change nothing. */
import { setTimeout as sleep } from 'node:timers/promises';
import type {
  Json,
  JsonObject,
  LookResult,
  LookStatus,
  PluginContext,
  VmSnapshot,
} from '../../src/lib/plugin-api';
import type { PluginSdk } from '../../src/lib/plugin-api/sdk';
import { readDiskSnapshots, readSnapshotsNow, type SnapshotsNow } from './read-snapshots';
import { ask } from './virsh';

const seen = (status: LookStatus, evidence: string): LookResult => ({ status, evidence });

/** A snapshot as a step means it; `createdAt` null: whenever it was made. */
interface Meant {
  id: string;
  name: string;
  createdAt: number | null;
}
function meant({ id, name, createdAt }: JsonObject): Meant {
  if (typeof id !== 'string' || typeof name !== 'string') throw new TypeError('a look without a name');
  return { id, name, createdAt: typeof createdAt === 'number' ? createdAt : null };
}
const textsOf = (value: Json | undefined): string[] =>
  Array.isArray(value) ? value.filter((one) => typeof one === 'string') : [];

const isIt = ({ name, createdAt }: Meant, one: VmSnapshot): boolean =>
  one.name === name && (createdAt === null || one.createdAt === createdAt);
/** virDomainState and virDomainPausedReason (libvirt-domain.h): it is being started, with its memory perhaps. */
const STARTING = { 'state.state': '3', 'state.reason': '11' };
/** libvirtd has put the old definition in place, and has yet to say from which snapshot the machine goes on. */
const SETTLES = { tries: 20, everyMs: 250 };

const isNoted = ({ name, createdAt }: Meant, { definition: { note } }: SnapshotsNow): boolean =>
  note !== null && note.name === name && note.createdAt === createdAt;

export function snapshotLooksOf(sdk: PluginSdk) {
  const read = readSnapshotsNow(sdk);
  async function isStarting(context: PluginContext, id: string): Promise<boolean> {
    const { stdout } = await ask(context, ['domstats', '--state', '--raw', id]);
    const fields = stdout.split('\n').map((line) => line.trim());
    return Object.entries(STARTING).every(([key, value]) => fields.includes(`${key}=${value}`));
  }
  /** A restore that nobody waits for any more may be at its end. */
  async function settled(context: PluginContext, wanted: Meant): Promise<SnapshotsNow> {
    for (let tries = 1; ; tries += 1) {
      const now = await read(context, wanted.id);
      const isBetween =
        !isNoted(wanted, now) && now.snapshots.some((one) => isIt(wanted, one) && !one.isCurrent);
      if (!isBetween || tries === SETTLES.tries) return now;
      await sleep(SETTLES.everyMs, null, { signal: context.signal });
    }
  }
  const readDisks = readDiskSnapshots(sdk);
  return {
    /** partial: it is in a disk, and libvirt does not know it. foreign: one of another time has its name. */
    async snapshot(context: PluginContext, args: JsonObject): Promise<LookResult> {
      const wanted = meant(args);
      const { snapshots } = await read(context, wanted.id);
      const { name } = wanted;
      if (snapshots.some((one) => isIt(wanted, one))) return seen('done', `The snapshot "${name}" is there.`);
      if (snapshots.some((one) => one.name === name))
        return seen('foreign', `Another snapshot is called "${name}" by now.`);
      const { held } = await readDisks(context, textsOf(args['diskPaths']));
      return held.some((one) => one.name === name)
        ? seen('partial', `The disk has a snapshot "${name}" that libvirt does not know.`)
        : seen('absent', `There is no snapshot "${name}".`);
    },
    /** Whether a disk itself holds it, whatever libvirt knows. */
    async 'disk-holds'(context: PluginContext, args: JsonObject): Promise<LookResult> {
      const [path, name] = [args['path'], args['name']];
      const { held, unreadable } = await readDisks(context, textsOf([path ?? null]));
      if (unreadable.length > 0) throw new Error(`${String(path)} cannot be read now`);
      return held.some((one) => one.name === name)
        ? seen('done', `${String(path)} holds the snapshot "${String(name)}".`)
        : seen('absent', `${String(path)} does not hold the snapshot "${String(name)}".`);
    },
    async 'restore-noted'(context: PluginContext, args: JsonObject): Promise<LookResult> {
      const wanted = meant(args);
      return isNoted(wanted, await read(context, wanted.id))
        ? seen('done', 'Its definition says that it is being restored.')
        : seen('absent', 'Its definition says nothing of a restore.');
    },
    /** foreign: the snapshot is not there, or the machine is not the one that was to be restored. */
    async restored(context: PluginContext, args: JsonObject): Promise<LookResult> {
      const wanted = meant(args);
      if (await isStarting(context, wanted.id))
        return seen('running', 'The machine is being started as it was.');
      const now = await settled(context, wanted);
      const snapshot = now.snapshots.find((one) => isIt(wanted, one));
      if (!snapshot) return seen('foreign', `There is no snapshot "${wanted.name}" any more.`);
      if (isNoted(wanted, now))
        return now.runId === null || now.runId === args['runId']
          ? seen('absent', 'Its definition still says that it is to be restored.')
          : seen('foreign', 'It has been started since the restore was asked for.');
      return snapshot.isCurrent
        ? seen('done', `The machine is as it was in "${wanted.name}".`)
        : seen('foreign', 'Its definition was changed, and it goes on from another snapshot.');
    },
  };
}
