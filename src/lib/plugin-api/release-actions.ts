/** Actions that put another version of Cairn in the place of the one that runs. All of the core only. */
import type { Checksum } from './content-actions';

export type ReleaseAction =
  /** Copies a file of this host; `<path>.part` while it comes, named when its checksum is right. `remove-download` takes it back. */
  | { do: 'copy-in'; from: string; path: string; mode: number; sizeBytes: number; checksum: Checksum }
  /**
   * Unpacks a release, whose one folder is called `top`, as the folder `path`: whole, with every checksum compared, or not there.
   * @see ../server/host/unpack-release.ts for what refuses an archive
   */
  | { do: 'unpack-release'; archive: string; sha256: string; top: string; path: string }
  /** The folder of a version, unless it runs or is the one to be started. */
  | { do: 'remove-release'; path: string }
  /** Atomic, by rename(2). A link that was there is replaced; anything else refuses. */
  | { do: 'point-link'; path: string; target: string }
  /** A copy of the database as it is at this moment, whole or not there. */
  | { do: 'save-database'; path: string }
  /** Waits until nothing but this operation lives; from then on nothing else may begin until it has ended. */
  | { do: 'be-alone' }
  /** Ends this process in order, with a status that asks the service manager to start it again. */
  | { do: 'start-anew' };
