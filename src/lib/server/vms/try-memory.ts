/** A new machine is started only once the host has shown that it has the memory for it. */
import { posix } from 'node:path';
import { looks, not, type Step } from '$lib/plugin-api/plan';
import type { VmSpec } from '$lib/plugin-api/vm';
import { formatBytes } from '$lib/shared/units';

export function tryMemorySteps({ folder, memoryBytes }: Pick<VmSpec, 'folder' | 'memoryBytes'>): Step[] {
  const into = posix.join(folder, 'memory-tried');
  return [
    {
      name: 'try-memory',
      title: `Check that ${formatBytes(memoryBytes)} of memory can be had`,
      run: { do: 'try-memory', bytes: memoryBytes, into },
      undo: [{ do: 'remove-file', path: into }],
      look: looks.fileThere(into),
    },
    {
      name: 'remove-memory-note',
      title: 'Remove the note that it could',
      run: { do: 'remove-file', path: into },
      undo: 'nothing',
      look: not(looks.fileThere(into)),
    },
  ];
}
