/** What a machine can be started from, and is. Pure. */
import { disksOf, type VmSpec } from './vm';

/** All that it can be started from: `disk-1`, `cd`, `card-1`, by their slots. */
export const bootDevicesOf = (spec: VmSpec): string[] => [
  ...disksOf(spec).map(({ slot }) => `disk-${slot}`),
  'cd',
  ...(spec.cards ?? [{ slot: 1 }]).map(({ slot }) => `card-${slot}`),
];
/** An empty disk cannot be started from: then the installer's turn comes. */
const USUAL_ORDER = ['disk-1', 'cd'];
export function bootOrderOf(spec: VmSpec): string[] {
  const there = bootDevicesOf(spec);
  return (spec.boot ?? USUAL_ORDER).filter((device) => there.includes(device));
}
