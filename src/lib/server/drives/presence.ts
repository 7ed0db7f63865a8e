/** Who came and who went since it was asked last. */
import { locateSwitch } from '../host/identify';
import type { BlockDrive } from '../host/types';
import type { DriveRow } from './store';

export interface Presence {
  /**
   * @param here drives that are there now
   * @param rows what is kept about drives
   * @param rowOf the row of a drive that is there
   * @returns rows of drives that were not there before or are not there any more. Without a serial nobody could know it
   * again: not kept.
   */
  comeOrGone(
    here: BlockDrive[],
    rows: ReadonlyMap<string, DriveRow>,
    rowOf: (drive: BlockDrive) => DriveRow,
  ): DriveRow[];
  /** Its bay has a light of its own: looked up when it came. */
  hasBayLight(driveId: string): boolean;
}

export function createPresence(): Presence {
  /** Of those that were there, whether the bay has a light. */
  let before = new Map<string, boolean>();
  return {
    comeOrGone(here, rows, rowOf) {
      const now = new Map(
        here.map(({ id, kernelName }) => [id, before.get(id) ?? locateSwitch(kernelName) !== null]),
      );
      const come = here
        .filter(({ id, identity }) => !before.has(id) && (identity === 'strong' || rows.has(id)))
        .map(rowOf);
      const gone = [...before.keys()].filter((id) => !now.has(id)).map((id) => rows.get(id));
      before = now;
      return [...come, ...gone.filter((row) => row !== undefined)];
    },
    hasBayLight: (driveId) => before.get(driveId) ?? false,
  };
}
