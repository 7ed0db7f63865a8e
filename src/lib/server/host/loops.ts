/** Loop devices, from sysfs. Source: Documentation/ABI/testing/sysfs-block, /sys/block/loopN/loop/. */
import { readdirSync, readFileSync } from 'node:fs';

const attribute = (loop: string, name: string): string | null => {
  try {
    return readFileSync(`/sys/block/${loop}/loop/${name}`, 'utf8').trimEnd();
  } catch {
    return null; // not attached: the folder `loop` is not there
  }
};

const namesOf = (file: string): string[] =>
  readdirSync('/sys/block').filter(
    (name) => name.startsWith('loop') && attribute(name, 'backing_file') === file,
  );
/** A detached device that somebody still has open lives on until they close it; nothing can be built on it any more. */
const isLeaving = (loop: string): boolean => attribute(loop, 'autoclear') === '1';

/** Paths of the loop devices that show this file: none, one, or more when somebody attached it twice. */
export const loopsOf = (file: string): string[] =>
  namesOf(file)
    .filter((name) => !isLeaving(name))
    .map((name) => `/dev/${name}`);

/** True while the kernel waits for the last user of a detached loop device to close it. */
export const isDetaching = (file: string): boolean => namesOf(file).some(isLeaving);
