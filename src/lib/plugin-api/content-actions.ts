/** Actions that bring, write or compare the content of files. All of the core only; they take long, and end when they are cancelled. */

/** `hex` in lower case. */
export interface Checksum {
  algorithm: 'sha256' | 'sha512';
  hex: string;
}

/** A file from another machine. `<path>.part` and `<path>.part.json` are its own while it comes. Of the core only. */
export interface DownloadAction {
  do: 'download';
  /** http or https, without a name or a password. */
  url: string;
  path: string;
  mode: number;
  /** As the server announced it; null: it did not. */
  sizeBytes: number | null;
  checksum: Checksum | null;
  maxBytes: number;
  /** Also from this host and from private networks. */
  allowPrivate: boolean;
  /** How long it is tried without a single byte. */
  patienceMs: number;
}

/** A file that a person sends in pieces; files beside it as with a download. Of the core only. */
export interface ReceiveAction {
  do: 'receive';
  /** Of this very upload: what another one has left is not gone on with. */
  id: string;
  path: string;
  mode: number;
  sizeBytes: number;
  /** null: the sender tells its SHA-256 in the end. */
  checksum: Checksum | null;
  /** How long it waits for the next byte. */
  patienceMs: number;
}

/** A named piece of a file. `hex` in lower case. */
export interface DigestPiece {
  name: string;
  offsetBytes: number;
  sizeBytes: number;
  algorithm: 'sha1' | 'sha256' | 'sha512';
  hex: string;
}

export type ContentAction =
  | DownloadAction
  | ReceiveAction
  /** Writes the SHA-256 of these files in the folder into `path`, a line each, as the manifest of an OVF has them. Of the core only. */
  | { do: 'write-manifest'; folder: string; files: string[]; path: string }
  /**
   * Compares pieces of a file with their checksums, and writes into `into` that they are so. Of the core only: for a file
   * whose maker says in it what should be in it (an OVA).
   */
  | { do: 'check-digests'; path: string; pieces: DigestPiece[]; into: string };
