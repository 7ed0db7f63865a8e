/** How a filesystem is mounted and unmounted: by the programs of util-linux, through PID 1 where that is systemd. */
import { existsSync } from 'node:fs';
import type { Action, DeviceRef } from '$lib/plugin-api/plan';
import type { CommandAction } from './actions';
import { PROGRAMS } from './programs';

type MountAction = Extract<Action, { do: 'mount' }>;

const TIMEOUT_MS = 120_000;
/**
 * Who looks at a filesystem for a moment (Cairn itself, an indexer, a shell that completes a path) keeps it from being
 * unmounted for as long.
 */
const UNMOUNT_TRIES = 6;

/** Mounts made in a service's own mount namespace are seen by nobody else, so PID 1 is asked where it is systemd. */
export const systemdRuns = (): boolean => existsSync('/run/systemd/system');

const command = (program: string, argv: string[]): CommandAction => ({
  ...{ kind: 'command', program, argv, okExitCodes: [0], timeoutMs: TIMEOUT_MS },
});

export function mountCommand(action: MountAction, pathOf: (ref: DeviceRef) => string): CommandAction {
  const { source, path, filesystem } = action;
  const device = 'source' in source ? source.source : pathOf(source);
  // Without udev nobody has told the kernel of the other drives; and it may remember some that are long gone.
  const members = (action.devices ?? []).map((ref) => `device=${pathOf(ref)}`);
  const optionList = [...action.options, ...members].join(',') || 'defaults';
  const mount = ['-t', filesystem, '-o', optionList, '--', device, path];
  // A service of PID 1 runs mount: systemd-mount cannot, once there is a unit for the path, and takes a dataset for a file.
  if (systemdRuns())
    return command(PROGRAMS.systemdRun, [
      ...['--quiet', '--wait', '--pipe', '--collect', '--'],
      ...[PROGRAMS.mount, ...mount],
    ]);
  return command(PROGRAMS.mount, mount);
}

export const unmountCommand = (path: string): CommandAction => ({
  ...command(systemdRuns() ? PROGRAMS.systemdUmount : PROGRAMS.umount, ['--', path]),
  tries: UNMOUNT_TRIES,
});
