/** Finding machines by what is written about them. Pure. */
import { naturally } from '$lib/shared/natural-order';
import type { Vm } from '$lib/shared/wire/vms';
import { stateWord } from './words';

const textOf = ({ name, tags, notes, addresses, image, pool, state }: Vm): string =>
  [name, ...tags, notes, ...addresses, image.name, pool?.label ?? '', stateWord[state]]
    .join('\n')
    .toLowerCase();

/** Every word has to be somewhere: "media run" finds a running machine with the tag media. */
export function isFound(vm: Vm, words: string): boolean {
  if (words === '') return true;
  const text = textOf(vm);
  return words
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}

/** All tags that are in use, in natural order. */
export const tagsOf = (vms: Vm[]): string[] => [...new Set(vms.flatMap(({ tags }) => tags))].sort(naturally);
