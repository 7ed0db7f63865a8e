/**
 * Runs plans of a storage plugin in a guest, step by step, with the plugin's looks: for cases about the tools themselves,
 * without Cairn in between. What the core adds (journal, mounts through PID 1) is proven elsewhere.
 */
import * as sdk from '../../src/lib/plugin-api/index.ts';
import type { Action, DeviceRef, Look, LookResult, Step } from '../../src/lib/plugin-api/plan.ts';
import type { PluginContext, PoolDrive, StoragePlugin } from '../../src/lib/plugin-api/storage.ts';
import { immutableArguments } from '../../src/lib/server/host/immutable.ts';
import type { Machine } from './machine.ts';

const guardScript = (path: string, want: 'look' | 'set' | 'clear'): string =>
  ['perl', ...immutableArguments(path, want)].map(quoted).join(' ');
const quoted = (word: string): string => `'${word.replaceAll("'", `'\\''`)}'`;
const STEP_MS = 240_000;

/** Devices of this moment: `/dev` paths by serial and by device-mapper name. */
interface Present {
  drives: Map<string, string>;
  mapped: Map<string, string>;
  mounts: string[][];
}
// Few processes: starting one takes long in the guest.
const PRESENT = String.raw`
lsblk --nodeps --noheadings --raw --output NAME,SERIAL | while read -r name serial; do
  [ -n "$serial" ] && echo "drive $serial /dev/$name"
done
for dm in /sys/block/dm-*; do [ -e "$dm" ] && echo "mapped $(<"$dm/dm/name") /dev/\${dm##*/}"; done
while read -r source path type _; do echo "mount $source $path $type"; done </proc/mounts`.replaceAll(
  '\\$',
  '$',
);

export class PlanRunner {
  readonly #machine: Machine;
  readonly #plugin: StoragePlugin;
  #present: Present = { drives: new Map(), mapped: new Map(), mounts: [] };

  constructor(machine: Machine, plugin: StoragePlugin) {
    this.#machine = machine;
    this.#plugin = plugin;
  }

  /** A drive of a pool; its id is its serial. */
  async drive(serial: string, slot: number): Promise<PoolDrive> {
    await this.refresh();
    const path = this.#present.drives.get(serial);
    const sizeBytes = path ? Number(await this.#machine.check(['blockdev', '--getsize64', path])) : 0;
    return {
      ...{ id: serial, serial, label: serial, sizeBytes, slot },
      ...{ contentHash: 'blank', partitions: [], present: path !== undefined },
    };
  }

  async refresh(): Promise<void> {
    const lines = (await this.#machine.check(PRESENT)).split('\n').map((line) => line.split(' '));
    const pairs = (kind: string) =>
      new Map(lines.flatMap(([type, name, path]) => (type === kind && name && path ? [[name, path]] : [])));
    this.#present = {
      drives: pairs('drive'),
      mapped: pairs('mapped'),
      mounts: lines.filter(([type]) => type === 'mount').map((line) => line.slice(1)),
    };
  }

  #path(ref: DeviceRef): string | null {
    if ('mapped' in ref) return this.#present.mapped.get(ref.mapped) ?? null;
    return 'drive' in ref ? (this.#present.drives.get(ref.drive) ?? null) : null;
  }
  #must(ref: DeviceRef): string {
    const path = this.#path(ref);
    if (path === null) throw new Error(`${JSON.stringify(ref)} is not there`);
    return path;
  }

  get context(): PluginContext {
    return {
      read: async (program, argv, { okExitCodes = [0] } = {}) => {
        const { code, out } = await this.#machine.run(
          `${[program, ...argv].map(quoted).join(' ')} 2>/dev/null`,
        );
        if (!okExitCodes.includes(code)) throw new Error(`${program} ${argv.join(' ')}: ${code}\n${out}`);
        return { stdout: out, stderr: '', exitCode: code };
      },
      path: (ref) => this.#path(ref),
      drives: () =>
        [...this.#present.drives].map(([id, path]) => ({
          id,
          path,
          serial: id,
          sizeBytes: 0,
          partitions: [],
        })),
      driveIdOf: (path) => [...this.#present.drives].find(([, known]) => known === path)?.[0] ?? null,
      probe: async (path) => {
        const { code, out } = await this.#machine.run(`blkid -p -o export ${quoted(path)} 2>/dev/null`);
        const value = (name: string) => new RegExp(`^${name}=(.*)$`, 'm').exec(out)?.[1] ?? null;
        const type = value('TYPE');
        return code === 0 && type ? { type, uuid: value('UUID'), label: value('LABEL') } : null;
      },
      mounts: () =>
        this.#present.mounts.map(([source = '', path = '', filesystem = '']) => ({
          ...{ source, path, filesystem, majorMinor: '', readOnly: false },
        })),
      hasFilesystem: () => true,
      usage: async (path) => {
        const [size, used, free] = (
          await this.#machine.check(`df -B1 --output=size,used,avail ${path} | tail -1`)
        )
          .trim()
          .split(/\s+/)
          .map(Number);
        return { sizeBytes: size ?? 0, usedBytes: used ?? 0, availableBytes: free ?? 0 };
      },
      signal: new AbortController().signal,
      log: () => undefined,
    };
  }

  async look(look: Look): Promise<LookResult> {
    await this.refresh();
    const result = await this.#ask(look);
    if (!look.negate) return result;
    const swapped = { done: 'absent', absent: 'done' } as const;
    return result.status === 'done' || result.status === 'absent'
      ? { ...result, status: swapped[result.status] }
      : result;
  }

  /** The core's looks, as far as these plans use them, told by the same facts. */
  async #ask({ look, args }: Look): Promise<LookResult> {
    const own = this.#plugin.looks?.[look.replace(`${this.#plugin.id}/`, '')];
    if (own) return own(this.context, args);
    const seen = (done: boolean): LookResult => ({ status: done ? 'done' : 'absent', evidence: look });
    const path = String(args.path);
    if (look === 'immutable') {
      const out = await this.#machine.check(guardScript(path, 'look'));
      return seen((out.trim() === 'set') === (args.on === true));
    }
    if (look === 'filesystem') {
      const at = this.#path(
        'mapped' in args ? { mapped: String(args.mapped) } : { drive: String(args.drive) },
      );
      const found = at === null ? null : await this.context.probe(at);
      if (found && found.uuid !== args.uuid) return { status: 'foreign', evidence: JSON.stringify(found) };
      return seen(found !== null);
    }
    if (look === 'mounted') return seen(this.#present.mounts.some((mount) => mount[1] === path));
    const test = look === 'directory' ? '-d' : '-f';
    return seen((await this.#machine.run(`[ ${test} ${quoted(path)} ]`)).code === 0);
  }

  #script(action: Action): string {
    switch (action.do) {
      case 'exec':
        return [
          action.program,
          ...action.argv.map((word) => (typeof word === 'string' ? word : this.#must(word))),
        ]
          .map(quoted)
          .join(' ');
      case 'make-directory':
        return `mkdir -p ${quoted(action.path)}`;
      case 'remove-directory':
        return `rmdir ${quoted(action.path)}`;
      case 'write-file':
        return `printf %s ${quoted(action.content)} >${quoted(action.path)}`;
      case 'set-immutable':
        return guardScript(action.path, action.on ? 'set' : 'clear');
      case 'unmount':
        return `umount ${quoted(action.path)}`;
      case 'mount': {
        if ('source' in action.source) throw new Error('no device');
        const options = action.options.join(',');
        return `mount -t ${action.filesystem} -o ${options} ${this.#must(action.source)} ${quoted(action.path)}`;
      }
      case 'wait':
        return ':';
      default:
        throw new Error(`${action.do} is not run here`);
    }
  }

  async #until(step: Step, wanted: LookResult['status']): Promise<void> {
    for (;;) {
      const result = await this.look(step.look);
      if (result.status === wanted) return;
      if (result.status !== 'running')
        throw new Error(`${step.name}: ${result.status} instead of ${wanted}: ${result.evidence}`);
    }
  }

  /** @throws Error naming the step whose command failed or whose look did not say `done` afterwards */
  async run(steps: Step[]): Promise<void> {
    for (const step of steps) {
      const before = await this.look(step.look);
      if (before.status === 'done') continue;
      if (before.status === 'foreign') throw new Error(`${step.name}: ${before.evidence}`);
      await this.#perform(step.name, step.run);
      await this.#until(step, 'done');
    }
  }

  /** Takes steps back as the core does, last first; what failed on the way is decided by the look. */
  async back(steps: Step[]): Promise<void> {
    for (const step of steps.toReversed()) {
      if (step.undo === 'nothing' || step.undo === 'impossible') continue;
      if ((await this.look(step.look)).status === 'absent') continue;
      for (const action of step.undo) await this.#machine.run(this.#script(action), { timeoutMs: STEP_MS });
      await this.#until(step, 'absent');
    }
  }

  async #perform(name: string, action: Action): Promise<void> {
    const { code, out } = await this.#machine.run(this.#script(action), { timeoutMs: STEP_MS });
    const fine = action.do === 'exec' ? (action.okExitCodes ?? [0]) : [0];
    if (!fine.includes(code)) throw new Error(`${name}: exit ${code}\n${this.#script(action)}\n${out}`);
  }
}

export const pluginSdk = sdk;
