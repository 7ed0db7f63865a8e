/** What the running kernel can do, from what it shows: nothing is loaded to find out. */
import { existsSync, readFileSync } from 'node:fs';
import { release } from 'node:os';

/** absent: neither in the kernel nor in its folder of modules. */
export type ModuleState = 'loaded' | 'loadable' | 'absent';

const listOf = (path: string): string => (existsSync(path) ? readFileSync(path, 'utf8') : '');
const plain = (name: string): string => name.replaceAll('-', '_');

/** `kernel/drivers/md/dm-thin-pool.ko.xz: …` and `kernel/fs/ext4/ext4.ko`, see depmod(8). */
export const namesModule = (list: string, name: string): boolean =>
  list.split('\n').some((line) => {
    const file = line.split(':')[0]?.split('/').at(-1) ?? '';
    return plain(file.replace(/\.ko(\.\w+)?$/, '')) === plain(name);
  });

export function moduleState(name: string): ModuleState {
  const folder = `/lib/modules/${release()}`;
  const inUse =
    existsSync(`/sys/module/${plain(name)}`) || namesModule(listOf(`${folder}/modules.builtin`), name);
  // A filesystem that is built in shows no folder of its own.
  const filesystems = listOf('/proc/filesystems')
    .split('\n')
    .map((line) => line.split('\t')[1]);
  if (inUse || filesystems.includes(name)) return 'loaded';
  return namesModule(listOf(`${folder}/modules.dep`), name) ? 'loadable' : 'absent';
}
