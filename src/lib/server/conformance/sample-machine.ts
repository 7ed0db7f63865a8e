/**
 * A machine that a plugin can look at, and that does not exist: its programs answer what they are told to, and who reads
 * what is written down. So a plugin can be asked what it makes of output that nobody can understand.
 */
import type { Action, DeviceRef, Step } from '$lib/plugin-api/plan';
import type { CommandOutput, PluginContext, PoolSpec } from '$lib/plugin-api/storage';
import { AppError } from '../errors';
import { SAMPLE_DRIVE_BYTES } from './samples';

/** How all of its programs answer. */
export interface ProgramAnswer {
  title: string;
  stdout: string;
  exitCode: number;
}
export const NONSENSE: ProgramAnswer[] = [
  { title: 'a sentence', stdout: 'The quick brown fox jumps over the lazy dog.\n', exitCode: 0 },
  { title: 'half a JSON document', stdout: '{"report": [{"', exitCode: 0 },
  { title: 'a JSON document about something else', stdout: '{"something": {"else": [1, 2]}}\n', exitCode: 0 },
  { title: 'columns of another tool', stdout: 'NAME  FOO  BAR\nx     1    -\ny     2    ?\n', exitCode: 0 },
];

export interface SampleMachine {
  context: PluginContext;
  /** Programs that were started though the plugin does not declare them. */
  undeclared: string[];
  /** Somebody looked at what a program had written, so what it says counts. */
  wasRead(): boolean;
  wasRun(): boolean;
}

const ID = /^drive-sample-(\d+)$/;
const pathOf = (ref: DeviceRef): string => {
  if ('array' in ref) return '/dev/md127';
  if ('mapped' in ref) return `/dev/mapper/${ref.mapped}`;
  const name = `/dev/sample${ID.exec(ref.drive)?.[1] ?? 'X'}`;
  return ref.partition ? `${name}p${ref.partition}` : name;
};
const mountOf = (steps: Step[]): Extract<Action, { do: 'mount' }> | undefined =>
  steps.map(({ run }) => run).find((action) => action.do === 'mount');

/** @param answer null: no program can be run, as when all of them fail */
export function sampleMachine(
  programs: string[],
  answer: ProgramAnswer | null,
  pool: { spec: PoolSpec; steps: Step[]; mounted: boolean; away?: boolean } | null = null,
): SampleMachine {
  const undeclared: string[] = [];
  let [read, run] = [false, false];
  const away = pool?.away === true;
  const mount = pool && mountOf(pool.steps);
  const source = mount && ('source' in mount.source ? mount.source.source : pathOf(mount.source));

  function output({ stdout, exitCode }: ProgramAnswer): CommandOutput {
    const given = { stderr: '', exitCode };
    return Object.defineProperty(given, 'stdout', {
      enumerable: true,
      get() {
        read = true;
        return stdout;
      },
    }) as CommandOutput;
  }
  const context: PluginContext = {
    async read(program, _argv, options = {}) {
      if (!programs.includes(program)) {
        undeclared.push(program);
        throw new AppError('command_not_allowed', `The plugin does not declare ${program}.`);
      }
      run = true;
      if (answer && (options.okExitCodes ?? [0]).includes(answer.exitCode)) return output(answer);
      throw new AppError('command_failed', `${program} failed.`, { details: { exitCode: 1, stderr: '' } });
    },
    path: (ref) => (away ? null : pathOf(ref)),
    drives: () =>
      away
        ? []
        : (pool?.spec.drives ?? []).map(({ id, serial, sizeBytes, partitions }) => ({
            ...{ id, serial, sizeBytes, partitions, path: pathOf({ drive: id }) },
          })),
    driveIdOf: (path) => {
      const number = /^\/dev\/sample(\d+)(?:p\d+)?$/.exec(path)?.[1];
      return number === undefined || away ? null : `drive-sample-${number}`;
    },
    probe: () =>
      Promise.resolve(
        pool && mount && !away ? { type: mount.filesystem, uuid: pool.spec.guid, label: null } : null,
      ),
    mounts: () =>
      pool && mount && source && pool.mounted
        ? [
            {
              ...{ path: pool.spec.mountPath, source, filesystem: mount.filesystem },
              ...{ majorMinor: '7:0', readOnly: false },
            },
          ]
        : [],
    hasFilesystem: () => true,
    usage: () =>
      Promise.resolve({
        ...{ sizeBytes: SAMPLE_DRIVE_BYTES, usedBytes: 1_024, availableBytes: SAMPLE_DRIVE_BYTES - 1_024 },
      }),
    signal: AbortSignal.timeout(20_000),
    log: () => undefined,
  };
  return { context, undeclared, wasRead: () => read, wasRun: () => run };
}
