/** What the running kernel can mount. Sources: proc_filesystems(5), modules.dep(5) and modules.builtin of kmod. */
import { existsSync, readFileSync } from 'node:fs';
import { release } from 'node:os';
import { join } from 'node:path';

const read = (path: string): string => (existsSync(path) ? readFileSync(path, 'utf8') : '');

/**
 * @param type as mount(8) names it, `ext4`
 * @param root where /proc and /lib/modules are
 * @returns whether the kernel has it already, or has a module of that name which mount(8) loads by itself
 */
export function kernelHasFilesystem(type: string, root = '/'): boolean {
  const known = read(join(root, 'proc/filesystems'))
    .split('\n')
    .map((line) => line.split('\t')[1]);
  if (known.includes(type)) return true;
  const modules = join(root, 'lib/modules', release());
  return [read(join(modules, 'modules.dep')), read(join(modules, 'modules.builtin'))].some((list) =>
    list.split('\n').some((line) => /([^/:]+)\.ko[^/:]*(:|$)/.exec(line)?.[1] === type),
  );
}
