/** What is done to a machine that is there: it goes on, off, and stands still. Pure. */
import type { Step, VmSpec } from '../../src/lib/plugin-api';
import type { PluginSdk } from '../../src/lib/plugin-api/sdk';
import { defineStep, look, off, run, runUnlessOff, switchOff } from './domain-steps';
import { NETWORK } from './virsh';

export function powerPlansOf(sdk: PluginSdk) {
  return {
    start: (spec: VmSpec): Step[] => [
      defineStep(sdk, spec),
      {
        name: 'start-network',
        title: `Start the network "${NETWORK}"`,
        run: run('net-start', NETWORK),
        // Other machines may use it by now.
        undo: 'nothing',
        look: look('network', { name: NETWORK }, { untilReboot: true }),
      },
      {
        name: 'start',
        title: 'Start the machine',
        run: run('start', spec.id),
        undo: [run('destroy', spec.id)],
        look: look('running', { id: spec.id }, { untilReboot: true }),
      },
    ],
    stop: (spec: VmSpec, untilMs: number | null): Step[] => [
      ...(untilMs === null
        ? []
        : [
            {
              name: 'ask-to-shut-down',
              title: 'Press its power button',
              run: runUnlessOff('shutdown', spec.id, '--mode', 'acpi'),
              undo: 'nothing',
              // That the button was pressed cannot be seen, only what the guest makes of it.
              look: { ...off(spec), fleeting: true },
            } satisfies Step,
            {
              name: 'wait-for-it',
              title: 'Give it time to shut down',
              run: { do: 'wait' },
              undo: 'nothing',
              look: look('shut-down', { id: spec.id, untilMs }),
            } satisfies Step,
          ]),
      switchOff(spec),
    ],
    reset: (spec: VmSpec): Step[] => [
      {
        name: 'reset',
        title: 'Press its reset button',
        run: run('reset', spec.id),
        undo: 'nothing',
        look: { ...off(spec), fleeting: true },
      },
    ],
    pause: (spec: VmSpec): Step[] => [
      {
        name: 'pause',
        title: 'Have it stand still',
        run: run('suspend', spec.id),
        undo: [run('resume', spec.id)],
        look: look('status', { id: spec.id, is: 'paused' }),
      },
    ],
    resume: (spec: VmSpec): Step[] => [
      {
        name: 'resume',
        title: 'Let it go on',
        run: run('resume', spec.id),
        undo: [run('suspend', spec.id)],
        look: look('status', { id: spec.id, is: 'running' }),
      },
    ],
  };
}
