/** Steps on a domain, and what they are made of, that more than one plan has. Pure. */
import type { Look, Step, VmSpec } from '../../src/lib/plugin-api';
import type { PluginSdk } from '../../src/lib/plugin-api/sdk';
import { domainXml } from './domain-xml';
import { ID, NETWORK, VIRSH, virsh } from './virsh';

export const look = (name: string, args: Look['args'], more: Partial<Look> = {}): Look => ({
  look: `${ID}/${name}`,
  args,
  ...more,
});
export const off = (spec: VmSpec): Look => look('running', { id: spec.id }, { negate: true });

export const run = (...words: string[]) => ({ do: 'exec', program: VIRSH, argv: virsh(...words) }) as const;
/** 1: it went off by itself at that very moment. The look that follows tells. */
export const runUnlessOff = (...words: string[]) => ({ ...run(...words), okExitCodes: [0, 1] });

export const defineStep = (sdk: PluginSdk, spec: VmSpec): Step => ({
  name: 'define',
  title: 'Tell libvirt about the machine',
  run: { ...run('define', '/dev/stdin'), stdin: domainXml(sdk, spec) },
  undo: [run('undefine', spec.id, '--managed-save', '--nvram')],
  look: look('defined', { id: spec.id, name: spec.name }),
});
export const switchOff = (spec: VmSpec): Step => ({
  name: 'switch-off',
  title: 'Switch it off, if it is still on',
  run: runUnlessOff('destroy', spec.id),
  undo: 'impossible',
  look: off(spec),
});
export const startNetwork: Step = {
  name: 'start-network',
  title: `Start the network "${NETWORK}"`,
  run: run('net-start', NETWORK),
  // Other machines may use it by now.
  undo: 'nothing',
  look: look('network', { name: NETWORK }, { untilReboot: true }),
};
