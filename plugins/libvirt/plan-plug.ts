/**
 * A disk or a network card is given to a machine that is there, or taken from it: libvirt changes this one device and leaves the
 * rest of the definition as it is. Pure.
 */
import type { ExecAction, JsonObject, Look, Step } from '../../src/lib/plugin-api';
import type { PluginSdk } from '../../src/lib/plugin-api/sdk';
import { look, run } from './domain-steps';
import type { Where } from './virsh';

/** `--config`: whenever it is started; `--live`: now. */
export type Scope = '--config' | '--live';

export interface Pluggable {
  /** Of its machine. */
  id: string;
  /** For people: `disk`. */
  noun: string;
  xml: string;
  /** The look that tells whether the machine has it, and what it is asked. */
  has: { look: string; args: JsonObject };
}

const act = ({ id, xml }: Pluggable, verb: string, scope: Scope): ExecAction => ({
  ...run(verb, id, '/dev/stdin', scope),
  stdin: xml,
});
const has = (device: Pluggable, where: Where): Look =>
  look(device.has.look, { ...device.has.args, id: device.id, where });

export const giveSteps = (device: Pluggable, isOn: boolean): Step[] => {
  const attach: Step = {
    name: 'attach',
    title: `Give the machine the ${device.noun}, whenever it is started`,
    run: act(device, 'attach-device', '--config'),
    undo: [act(device, 'detach-device', '--config')],
    look: has(device, 'config'),
  };
  const plugIn: Step = {
    name: 'plug-in',
    title: 'Plug it in now',
    run: act(device, 'attach-device', '--live'),
    // Its guest may use it at once, and would have to let go of it.
    undo: [],
    look: has(device, 'now'),
  };
  return [attach, ...(isOn ? [plugIn] : [])];
};

/**
 * First from the guest, which may refuse: then its definition has not been touched, and it keeps its place on the bus.
 * @param untilMs null: it is off, and only made sure of that
 */
export const takeSteps = (sdk: PluginSdk, device: Pluggable, untilMs: number | null): Step[] => {
  const unplug: Step = {
    name: 'unplug',
    title: `Ask the guest to let go of the ${device.noun}`,
    run: act(device, 'detach-device', '--live'),
    undo: [act(device, 'attach-device', '--live')],
    // libvirt waits five seconds for the guest; one that is busy takes longer.
    look: { ...sdk.not(has(device, 'on')), fleeting: true },
  };
  return [
    ...(untilMs === null ? [] : [unplug]),
    {
      name: 'wait-for-guest',
      title: untilMs === null ? 'Make sure that no guest has it' : 'Give it time to let go',
      run: { do: 'wait' },
      undo: 'nothing',
      look: look('let-go', { ...device.has.args, id: device.id, untilMs: untilMs ?? 0 }),
    },
    {
      name: 'detach',
      title: `Let the machine start without the ${device.noun} from now on`,
      run: act(device, 'detach-device', '--config'),
      undo: [act(device, 'attach-device', '--config')],
      look: sdk.not(has(device, 'config')),
    },
  ];
};
