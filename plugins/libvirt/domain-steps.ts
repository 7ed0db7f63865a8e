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

/**
 * For `undefine`, which takes along what a TPM keeps unless it is told otherwise: that goes by a step of its own, and only with a
 * machine that goes for good. Where the UEFI of a machine remembers its settings is a file of the machine's folder.
 */
export const keepFlags = ({ firmware, tpm }: VmSpec): string[] => [
  firmware ? '--keep-nvram' : '--nvram',
  ...(tpm ? ['--keep-tpm'] : []),
];

/** Of a machine that may have been there before. */
export const defineStep = (sdk: PluginSdk, spec: VmSpec): Step => ({
  name: 'define',
  title: 'Tell libvirt about the machine',
  run: { ...run('define', '/dev/stdin'), stdin: domainXml(sdk, spec) },
  undo: [run('undefine', spec.id, '--managed-save', ...keepFlags(spec))],
  look: look('defined', { id: spec.id, name: spec.name }),
});
/** Of a new one: when it is taken back, the TPM that its first start has made goes with it. */
export const createdStep = (sdk: PluginSdk, spec: VmSpec): Step => ({
  ...defineStep(sdk, spec),
  undo: [
    run(
      ...['undefine', spec.id, '--managed-save', spec.firmware ? '--keep-nvram' : '--nvram'],
      ...(spec.tpm ? ['--tpm'] : []),
    ),
  ],
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
