/** What is done to a machine that is there: it goes on, off, and stands still. Pure. */
import type { Step, VmSpec, VmStopTime } from '../../src/lib/plugin-api';
import type { PluginSdk } from '../../src/lib/plugin-api/sdk';
import { defineStep, look, off, run, runUnlessOff, startNetwork, switchOff } from './domain-steps';
import { SAVE_FOLDER } from './virsh';

/** What listens to the button may not be there yet, while a guest starts: soon at first, then less and less often. */
const AGAIN_MS = 5_000;

interface Press {
  /** 0: the first. */
  index: number;
  /** So long it has before the next one, or before it is switched off. */
  untilMs: number;
}
function pressTimes({ fromMs, untilMs }: VmStopTime): Press[] {
  const ends: number[] = [];
  for (let end = fromMs + AGAIN_MS; end < untilMs; end = fromMs + (end - fromMs) * 2) ends.push(end);
  return [...ends, untilMs].map((end, index) => ({ index, untilMs: end }));
}

function askToShutDown(spec: VmSpec, { index, untilMs }: Press, time: VmStopTime): Step[] {
  const first = index === 0;
  return [
    {
      name: first ? 'ask-to-shut-down' : `ask-again-${index}`,
      title: first ? 'Press its power button' : 'Press it again, if it has not been heard',
      run: runUnlessOff('shutdown', spec.id, '--mode', 'acpi'),
      undo: 'nothing',
      // That the button was pressed cannot be seen, only what the guest makes of it.
      look: { ...off(spec), fleeting: true },
    },
    {
      name: first ? 'wait-for-it' : `wait-again-${index}`,
      title: 'Give it time to shut down',
      run: { do: 'wait' },
      undo: 'nothing',
      look: look('shut-down', { id: spec.id, untilMs, endMs: time.untilMs }),
    },
  ];
}

/** Without libvirt's where all its cards are on bridges of the host, or, of an adopted one, on networks that are not ours. */
const networkFor = ({ adopted, cards }: VmSpec): Step[] =>
  cards && (cards.length > 0 || adopted) && cards.every(({ bridge }) => bridge !== undefined)
    ? []
    : [startNetwork];

/** Gigabytes of memory, and a slow disk. */
const SAVE_MS = 30 * 60_000;

const saveIfOn = (spec: VmSpec): Step => ({
  name: 'save-if-on',
  title: 'Write its memory to disk, if it is still on',
  run: { ...runUnlessOff('managedsave', spec.id), timeoutMs: SAVE_MS },
  undo: 'nothing',
  look: off(spec),
});

export function powerPlansOf(sdk: PluginSdk) {
  return {
    start: (spec: VmSpec): Step[] => [
      // What somebody else has defined is not known well enough to be defined again.
      ...(spec.adopted ? [] : [defineStep(sdk, spec)]),
      ...networkFor(spec),
      {
        name: 'start',
        title: 'Start the machine',
        run: run('start', spec.id),
        undo: [run('destroy', spec.id)],
        look: look('running', { id: spec.id }, { untilReboot: true }),
      },
    ],
    stop: (
      spec: VmSpec,
      time: VmStopTime | null,
      otherwise: 'switch-off' | 'save' = 'switch-off',
    ): Step[] => [
      ...(time === null ? [] : pressTimes(time).flatMap((press) => askToShutDown(spec, press, time))),
      otherwise === 'save' ? saveIfOn(spec) : switchOff(spec),
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
    memory: {
      folder: SAVE_FOLDER,
      save: (spec: VmSpec): Step[] => [
        {
          name: 'save',
          title: 'Write its memory to disk and switch it off',
          run: { ...run('managedsave', spec.id), timeoutMs: SAVE_MS },
          undo: [run('start', spec.id)],
          look: look('status', { id: spec.id, is: 'saved' }),
        },
      ],
      restore: (spec: VmSpec): Step[] => [
        ...networkFor(spec),
        {
          name: 'restore',
          title: 'Let it go on with the memory that was saved',
          run: { ...run('start', spec.id), timeoutMs: SAVE_MS },
          // Never simply off: what it had in memory would be lost.
          undo: [{ ...run('managedsave', spec.id), timeoutMs: SAVE_MS }],
          look: look('running', { id: spec.id }, { untilReboot: true }),
        },
      ],
      discard: (spec: VmSpec): Step[] => [
        {
          name: 'discard',
          title: 'Delete the memory that was saved',
          run: run('managedsave-remove', spec.id),
          undo: 'impossible',
          look: look('status', { id: spec.id, is: 'saved' }, { negate: true }),
        },
      ],
    },
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
