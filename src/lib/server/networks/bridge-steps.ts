/** The steps of a change of the host's network. */
import { join } from 'node:path';
import { looks, not, type Action, type Look, type Step } from '$lib/plugin-api/plan';
import { CHECK_IN } from '$lib/shared/wire/network-changes';
import type { Clock } from '../clock';
import type { Config } from '../config';
import { inNetwork } from '../host/links';
import { PROGRAMS } from '../host/programs';
import { INTERFACES } from './interfaces-file';

/** ifup(8) asks a DHCP server for as long as a minute. */
const COMMAND_MS = 120_000;

export type Files = { trial: string; kept: string };
export const filesOf = ({ config }: { config: Pick<Config, 'dataDir'> }): Files => ({
  trial: join(config.dataDir, 'network-trial'),
  kept: join(config.dataDir, 'network-kept'),
});

/** How the host gets from one configuration to the other, and back. Static addresses are those that the link has now. */
export function changeSteps(
  deps: { config: Pick<Config, 'networkNamespace'>; clock: Clock },
  files: Files,
  change: {
    from: string;
    to: string;
    /** Of the file. */
    mode: number;
    /** Taken down with the present configuration, brought up with the next one. */
    down: { link: string; look: Look } | null;
    up: { link: string; look: Look; rest?: Action[] } | null;
    /** null: the addresses of the host stay. */
    checkInSeconds: number | null;
  },
): Step[] {
  const { networkNamespace } = deps.config;
  // By force: ifupdown keeps its own note of what is up, which one that was killed at work leaves untrue. The looks decide.
  const run = (program: string, ...argv: string[]): Action => ({
    ...{ do: 'exec', timeoutMs: COMMAND_MS },
    ...inNetwork(networkNamespace, program, argv),
  });
  const { from, to, mode, down, up, checkInSeconds } = change;
  const { trial, kept } = files;
  const fromMs = deps.clock.now();
  const trialFile: Action = { do: 'write-file', path: trial, content: to, mode: 0o600 };
  // What an earlier change has left is not there any more: see prepare.
  const steps: Step[] = [
    {
      name: 'write-trial',
      title: 'Write the new configuration beside the present one',
      run: trialFile,
      undo: [{ do: 'remove-file', path: trial }],
      look: looks.file(trial, to),
    },
  ];
  if (down)
    steps.push({
      name: 'take-down',
      title: `Take ${down.link} down`,
      run: run(PROGRAMS.ifdown, '--force', '--', down.link),
      undo: [run(PROGRAMS.ifup, '--force', '--', down.link)],
      look: down.look,
    });
  if (up)
    steps.push({
      name: 'bring-up',
      title: `Bring ${up.link} up`,
      run: run(PROGRAMS.ifup, '--force', `--interfaces=${trial}`, '--', up.link),
      undo: [run(PROGRAMS.ifdown, '--force', `--interfaces=${trial}`, '--', up.link), ...(up.rest ?? [])],
      look: up.look,
    });
  if (checkInSeconds !== null)
    steps.push({
      name: CHECK_IN,
      title: 'Wait until somebody says that the host can still be reached',
      run: { do: 'wait' },
      undo: 'nothing',
      look: { look: 'check-in', args: { path: kept, fromMs, untilMs: fromMs + checkInSeconds * 1_000 } },
    });
  return [
    ...steps,
    {
      name: 'keep',
      title: `Write it into ${INTERFACES}`,
      run: { do: 'write-file', path: INTERFACES, content: to, mode },
      undo: [{ do: 'write-file', path: INTERFACES, content: from, mode }],
      look: looks.file(INTERFACES, to, from),
    },
    {
      name: 'remove-trial',
      title: 'Remove the copy',
      run: { do: 'remove-file', path: trial },
      undo: [trialFile],
      look: not(looks.fileThere(trial)),
    },
  ];
}
