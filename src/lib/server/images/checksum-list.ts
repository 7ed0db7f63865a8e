/**
 * Lists of checksums as projects publish them: of sha256sum(1) (`hex  name`, `hex *name`), the BSD form
 * (`SHA256 (name) = hex`), or one bare sum in a file of its own. PGP armour around a list is passed over.
 */
import type { Checksum } from '$lib/plugin-api/plan';

const HEX = { 64: 'sha256', 128: 'sha512' } as const;
const algorithmOf = (hex: string): Checksum['algorithm'] | null =>
  hex.length === 64 ? HEX[64] : hex.length === 128 ? HEX[128] : null;

interface Line {
  hex: string;
  name: string | null;
}

function lineOf(text: string): Line | null {
  const bsd = /^SHA(?:256|512) \((.+)\) = ([0-9a-fA-F]+)$/.exec(text);
  if (bsd) return { hex: bsd[2] ?? '', name: bsd[1] ?? '' };
  const gnu = /^([0-9a-fA-F]+)(?:\s+\*?(.+))?$/.exec(text);
  return gnu ? { hex: gnu[1] ?? '', name: gnu[2] ?? null } : null;
}

/**
 * @param file the name to look for; a path before the name in the list is passed over
 * @returns the strongest sum that the list has for it; null: it has none
 */
export function findChecksum(list: string, file: string): Checksum | null {
  const lines = list.split(/\r?\n/).flatMap((text) => lineOf(text.trim()) ?? []);
  const named = lines.filter(({ name }) => name !== null && name.split('/').at(-1) === file);
  const bare = lines.length === 1 ? lines.filter(({ name }) => name === null) : [];
  return (
    [...named, ...bare]
      .flatMap(({ hex }): Checksum[] => {
        const algorithm = algorithmOf(hex);
        return algorithm ? [{ algorithm, hex: hex.toLowerCase() }] : [];
      })
      .toSorted((a, b) => b.hex.length - a.hex.length)[0] ?? null
  );
}
