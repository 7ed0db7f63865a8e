/** A machine that others begin as: the file of its disk takes no more writing, since what lies above it counts on that. Pure. */
import { posix } from 'node:path';
import type { ExecAction, Step, VmSpec } from '../../src/lib/plugin-api';
import type { PluginSdk } from '../../src/lib/plugin-api/sdk';
import { look, off } from './domain-steps';

export const CHMOD = '/usr/bin/chmod';
/** chmod(1). QEMU, which runs as a user of its own, cannot open such a file to write to it. */
const READ_ONLY = '0444';
const WRITABLE = '0644';

export function templatePlansOf({ disksOf }: Pick<PluginSdk, 'disksOf'>): {
  make(spec: VmSpec): Step[];
  unmake(spec: VmSpec): Step[];
} {
  const chmod = (mode: string, path: string): ExecAction => ({
    ...{ do: 'exec', program: CHMOD, argv: [mode, '--', path] },
  });
  const toMode = (spec: VmSpec, to: string, from: string): Step[] =>
    disksOf(spec).map(({ slot, path }) => ({
      name: `${to === READ_ONLY ? 'close' : 'open'}-disk${slot === 1 ? '' : `-${slot}`}`,
      title: `${to === READ_ONLY ? 'Let nobody write to' : 'Let the machine write again to'} ${posix.basename(path)}`,
      run: chmod(to, path),
      undo: [chmod(from, path)],
      look: look('disk-mode', { path, readOnly: to === READ_ONLY }),
    }));
  return {
    make: (spec) => [
      {
        name: 'make-sure',
        title: 'Make sure that it is off',
        run: { do: 'wait' },
        undo: 'nothing',
        look: off(spec),
      },
      ...toMode(spec, READ_ONLY, WRITABLE),
    ],
    unmake: (spec) => toMode(spec, WRITABLE, READ_ONLY),
  };
}
