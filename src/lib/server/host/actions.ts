/**
 * Actions of a plan, made ready to be run: an argv for a program, or a piece of work on files in this process. Drives
 * become device paths here, right before the act, from what is plugged in now.
 */
import { existsSync } from 'node:fs';
import {
  isDriveRef,
  type Action,
  type DeviceRef,
  type DriveRef,
  type ExecAction,
} from '$lib/plugin-api/plan';
import { AppError } from '../errors';
import { saveAreas, writeAreas } from './areas';
import { describeContent, performContent } from './content-actions';
import { performFileAction } from './file-actions';
import { endProcess } from './end-process';
import { blinkArguments, setLocate } from './identify';
import { immutableArguments } from './immutable';
import { loopsOf } from './loops';
import { trialTimeMs, tryMemoryArguments } from './memory-trial';
import { mountCommand, unmountCommand } from './mount-command';
import { PROGRAMS } from './programs';
import { describeRelease, isRelease, performRelease } from './release-actions';
import { shellLine, shellWord } from './shell-word';
import type { Host } from './types';

export interface CommandAction {
  kind: 'command';
  program: string;
  argv: string[];
  stdin?: string;
  /** See SupervisedCommand: nobody may look at the drive meanwhile. */
  lockDrive?: string;
  timeoutMs: number;
  okExitCodes: number[];
  /** How often it is begun at most, with a pause in between, when it does not end well; once unless told. */
  tries?: number;
}
export interface InProcessAction {
  kind: 'in-process';
  title: string;
  /** Doing it again after it was done, or half done, is no error. @throws AppError foreign_state, or the error of the file system */
  perform(signal: AbortSignal): Promise<void>;
}
export type CompiledAction = CommandAction | InProcessAction;

const DEFAULT_TIMEOUT_MS = 120_000;
const SHORT_TIMEOUT_MS = 30_000;

const command = (program: string, argv: string[], okExitCodes: number[] = [0]): CommandAction => ({
  kind: 'command',
  program,
  argv,
  timeoutMs: SHORT_TIMEOUT_MS,
  okExitCodes,
});
const inProcess = (title: string, perform: () => Promise<void>): InProcessAction => ({
  kind: 'in-process',
  title,
  perform: async (signal) => {
    if (signal.aborted) throw new AppError('cancelled', `${title} was cancelled.`);
    await perform();
  },
});

/** @throws AppError drive_gone | drive_ambiguous when a drive is not there or cannot be told apart */
export function compileAction(action: Action, host: Pick<Host, 'argument' | 'blockDevices'>): CompiledAction {
  if (isRelease(action))
    return {
      ...{ kind: 'in-process', title: describeRelease(action) },
      perform: (signal) => performRelease(action, signal),
    };
  switch (action.do) {
    case 'exec':
      return compileExec(action, host);
    case 'mount':
      return mountCommand(action, (ref) => host.blockDevices.resolve(ref));
    case 'unmount':
      return unmountCommand(action.path);
    case 'set-immutable':
      return command(PROGRAMS.perl, immutableArguments(action.path, action.on ? 'set' : 'clear'));
    case 'attach-loop':
      return command(PROGRAMS.losetup, ['--find', '--show', '--partscan', '--', action.path]);
    case 'detach-loop': {
      const loops = loopsOf(action.path);
      if (loops.length > 0) return command(PROGRAMS.losetup, ['--detach', ...loops]);
      return inProcess(`nothing to detach: ${action.path} is on no loop device`, async () => undefined);
    }
    case 'reread-partitions':
      return partxCommand('--update', host.blockDevices.resolve({ drive: action.drive }));
    case 'forget-partitions':
      // 1: there was none
      return command(
        PROGRAMS.partx,
        ['--delete', host.blockDevices.resolve({ drive: action.drive })],
        [0, 1],
      );
    case 'forget-btrfs':
      return forgetBtrfs(action.at, host);
    case 'blink':
      return {
        ...command(PROGRAMS.perl, blinkArguments(action, host.blockDevices.resolve({ drive: action.drive }))),
        timeoutMs: Math.max(0, action.untilMs - Date.now()) + SHORT_TIMEOUT_MS,
      };
    case 'try-memory':
      return { ...command(PROGRAMS.perl, tryMemoryArguments(action)), timeoutMs: trialTimeMs(action) };
    case 'set-locate':
      return inProcess(
        describeAction(action, () => null),
        async () => setLocate(host, action.drive, action.on),
      );
    case 'save-areas':
    case 'write-areas':
      return inProcess(
        describeAction(action, () => null),
        () => areasAction(action, host.blockDevices.resolve({ drive: action.drive })),
      );
    case 'end-process':
      return inProcess(
        describeAction(action, () => null),
        () => endProcess(action),
      );
    case 'wait':
      return inProcess('waiting for the kernel', async () => undefined);
    case 'download':
    case 'receive':
    case 'write-manifest':
    case 'check-digests':
      return {
        kind: 'in-process',
        title: describeContent(action),
        perform: (signal) => performContent(action, signal),
      };
    default:
      return inProcess(
        describeAction(action, () => null),
        () => performFileAction(action),
      );
  }
}

function compileExec(action: ExecAction, host: Pick<Host, 'argument'>): CommandAction {
  return {
    kind: 'command',
    program: action.program,
    argv: action.argv.map((argument) => host.argument(argument)),
    ...(action.stdin === undefined ? {} : { stdin: action.stdin }),
    timeoutMs: action.timeoutMs ?? DEFAULT_TIMEOUT_MS,
    okExitCodes: action.okExitCodes ?? [0],
  };
}

const forgetCommand = (paths: string[]): [program: string, argv: string[]] => [
  PROGRAMS.btrfs,
  ['device', 'scan', '--forget', '--', ...paths],
];
/** 1: an older kernel remembers nothing of one of them, or one is in use again. Without the tools nobody has told it of any. */
function forgetBtrfs(at: DriveRef[], host: Pick<Host, 'blockDevices'>): CompiledAction {
  const paths = at.flatMap((ref) => host.blockDevices.pathOf(ref) ?? []);
  return paths.length > 0 && existsSync(PROGRAMS.btrfs)
    ? command(...forgetCommand(paths), [0, 1])
    : inProcess('nothing to forget', async () => undefined);
}

const areasAction = (
  action: Extract<Action, { do: 'save-areas' | 'write-areas' }>,
  device: string,
): Promise<void> =>
  action.do === 'save-areas' ? saveAreas(device, action) : writeAreas(device, action.drive, action.path);

function partxCommand(verb: '--update' | '--delete', path: string, okExitCodes?: number[]): CommandAction {
  return { ...command(PROGRAMS.partx, [verb, path], okExitCodes), lockDrive: path };
}

const octal = (mode: number): string => mode.toString(8).padStart(4, '0');

/**
 * The act as one line that a shell understands, for previews and the exported script. Work on files is told by the
 * command that does the same.
 * @param pathOf the path to show for a drive: present device path, by-id path; null shows the drive's id
 */
export function describeAction(action: Action, pathOf: (ref: DeviceRef) => string | null): string {
  const at = (ref: DeviceRef): string => pathOf(ref) ?? unplugged(ref, pathOf);
  if (isRelease(action)) return describeRelease(action);
  switch (action.do) {
    case 'exec': {
      const words = action.argv.map((argument) => (typeof argument === 'string' ? argument : at(argument)));
      const line = shellLine(action.program, ...words);
      return action.stdin === undefined ? line : `printf %s ${shellWord(action.stdin)} | ${line}`;
    }
    case 'make-directory':
      return shellLine('mkdir', '-p', '-m', octal(action.mode), '--', action.path);
    case 'remove-directory':
      return shellLine('rmdir', '--', action.path);
    case 'try-memory':
      return `: take ${action.bytes} bytes of memory and give them back, then write ${shellWord(action.into)}`;
    case 'set-immutable':
      return shellLine('chattr', action.on ? '+i' : '-i', '--', action.path);
    case 'name-file':
      return shellLine('mv', '--no-clobber', '--', action.from, action.path);
    case 'move-directory':
      return shellLine('mv', '--no-copy', '--no-target-directory', '--', action.from, action.path);
    case 'mount': {
      const { program, argv } = mountCommand(action, at);
      return shellLine(program, ...argv);
    }
    case 'unmount': {
      const { program, argv } = unmountCommand(action.path);
      return shellLine(program, ...argv);
    }
    case 'write-file': {
      const path = shellWord(action.path);
      return `printf %s ${shellWord(action.content)} > ${path} && chmod ${octal(action.mode)} -- ${path}`;
    }
    case 'remove-file':
      return shellLine('rm', '-f', '--', action.path);
    case 'list-folder':
      return `${shellLine('ls', '-lA', '--', action.path)} > ${shellWord(action.into)}`;
    case 'remove-download':
      return shellLine('rm', '-f', '--', action.path, `${action.path}.part`, `${action.path}.part.json`);
    case 'download':
    case 'receive':
    case 'write-manifest':
    case 'check-digests':
      return describeContent(action);
    case 'make-sparse-file':
      return shellLine('truncate', `--size=${action.sizeBytes}`, '--', action.path);
    case 'attach-loop':
      return shellLine(PROGRAMS.losetup, '--find', '--show', '--partscan', '--', action.path);
    case 'detach-loop':
      return `${PROGRAMS.losetup} --associated ${shellWord(action.path)} --noheadings --output NAME | xargs -r -n1 ${PROGRAMS.losetup} --detach`;
    case 'reread-partitions':
      return shellLine(PROGRAMS.partx, '--update', at({ drive: action.drive }));
    case 'forget-partitions':
      return shellLine(PROGRAMS.partx, '--delete', at({ drive: action.drive }));
    case 'forget-btrfs': {
      const [program, argv] = forgetCommand(action.at.map(at));
      return shellLine(program, ...argv);
    }
    case 'blink':
      return `: read at random places of ${at({ drive: action.drive })} until ${new Date(action.untilMs).toISOString()}`;
    case 'set-locate':
      return `: switch the light at the bay of ${at({ drive: action.drive })} ${action.on ? 'on' : 'off'}`;
    case 'save-areas': {
      const bytes = action.areas.reduce((sum, area) => sum + area.lengthBytes, 0);
      return `: save ${action.areas.length} areas (${bytes} bytes) of ${at({ drive: action.drive })} in ${shellWord(action.path)}`;
    }
    case 'write-areas':
      return `: write the areas saved in ${shellWord(action.path)} back to ${at({ drive: action.drive })}`;
    case 'end-process':
      return `kill -TERM ${action.pid}; sleep ${Math.ceil(action.graceMs / 1_000)}; kill -KILL ${action.pid}`;
    case 'wait':
      return ': wait until the kernel has finished';
  }
}

/** As mdadm spells a UUID. */
const colons = (uuid: string): string => uuid.replaceAll('-', '').replace(/(.{8})(?!$)/g, '$1:');

/** A partition that the plan itself will make has no node yet: its path follows from the drive's. */
function unplugged(ref: DeviceRef, pathOf: (ref: DeviceRef) => string | null): string {
  // As udev will call it, for the shell script.
  if (!isDriveRef(ref))
    return 'array' in ref ? `/dev/disk/by-id/md-uuid-${colons(ref.array)}` : `/dev/mapper/${ref.mapped}`;
  if (ref.partition === undefined) return ref.drive;
  return partitionPath(pathOf({ drive: ref.drive }) ?? ref.drive, ref.partition);
}

/** `/dev/sda` and 1 give /dev/sda1, `/dev/nvme0n1` gives /dev/nvme0n1p1, a by-id path gives `<path>-part1`. */
export function partitionPath(path: string, partition: number): string {
  if (path.startsWith('/dev/disk/')) return `${path}-part${partition}`;
  return /\d$/.test(path) ? `${path}p${partition}` : `${path}${partition}`;
}
