/** Loop devices, from sysfs. Source: Documentation/ABI/testing/sysfs-block, /sys/block/loopN/loop/. */
import { readdirSync, readFileSync } from 'node:fs';

const attribute = (loop: string, name: string): string | null => {
  try {
    return readFileSync(`/sys/block/${loop}/loop/${name}`, 'utf8').trimEnd();
  } catch {
    return null; // not attached: the folder `loop` is not there
  }
};

/** Paths of the loop devices that show this file: none, one, or more when somebody attached it twice. */
export const loopsOf = (file: string): string[] =>
  readdirSync('/sys/block')
    .filter((name) => name.startsWith('loop') && attribute(name, 'backing_file') === file)
    .map((name) => `/dev/${name}`);

/** True while the kernel waits for the last user of a detached loop device to close it. */
export const isDetaching = (file: string): boolean =>
  loopsOf(file).some((path) => attribute(path.slice('/dev/'.length), 'autoclear') === '1');
