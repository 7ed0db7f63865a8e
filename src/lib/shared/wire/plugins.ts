import type { Json } from '../json';

export type FormField =
  | {
      type: 'select';
      name: string;
      label: string;
      help: string;
      default: string;
      choices: { value: string; label: string; help?: string }[];
      layouts?: string[];
    }
  | { type: 'boolean'; name: string; label: string; help: string; default: boolean; layouts?: string[] }
  | {
      type: 'text';
      name: string;
      label: string;
      help: string;
      default: string;
      maxLength: number;
      layouts?: string[];
    }
  | {
      type: 'integer';
      name: string;
      label: string;
      help: string;
      default: number;
      min: number;
      max: number;
      layouts?: string[];
    }
  /** Its value is never answered by anything. */
  | { type: 'secret'; name: string; label: string; help: string; maxLength: number; layouts?: string[] };

export interface LayoutView {
  id: string;
  title: string;
  description: string;
  minDrives: number;
  /** null: no limit. 0: it needs none, its content is on another machine. */
  maxDrives: number | null;
}
/** off: a person disabled it. failed: starts of Cairn ended while it was loaded. changed: not what was trusted any more. */
export type InstalledState = 'on' | 'off' | 'failed' | 'changed' | 'safe-mode' | 'not-trusted';
export interface InstalledView {
  state: InstalledState;
  /** A folder, the name of an archive, or an address; empty when it was never trusted. */
  source: string;
  /** Of all its files, hex. */
  sha256: string;
  trustedAt: number | null;
  trustedBy: string | null;
  /** Starts in a row that ended before they were healthy. */
  failedStarts: number;
}
/** What was read of a plugin before anybody trusts it; nothing of it was run. */
export interface StagedPlugin {
  id: string;
  name: string;
  version: string;
  description: string;
  source: string;
  sha256: string;
  programs: { path: string; there: boolean }[];
  files: number;
  sizeBytes: number;
  /** The version that is installed now. */
  replaces: string | null;
}
export interface PluginView {
  id: string;
  kind: 'storage' | 'vm';
  name: string;
  description: string;
  version: string;
  /** Not proven in every layout and failure yet. */
  young?: boolean;
  origin: 'built-in' | 'third-party';
  /** How one from somebody else came here; null for a built-in one. */
  installed: InstalledView | null;
  /** Programs it may run. */
  programs: string[];
  available: boolean;
  /** Why it is not available, and what to do. */
  reason: string | null;
  remedy: string | null;
  layouts: LayoutView[];
  form: FormField[];
}
/** Live answer to a half-filled form: P1. */
export interface CapacityEstimate {
  rawBytes: number;
  usableBytes: number;
  /** How many drives may fail, any of them, without loss. */
  tolerance: number;
  toleranceText: string;
}
/** What becomes of the space of some drives in a layout, bytes. */
export interface CapacityPlan {
  /** False: the layout takes another number of drives; everything counts as wasted then. */
  fits: boolean;
  rawBytes: number;
  usableBytes: number;
  /** Copies and parity, in a layout that survives the loss of a drive. */
  copiesBytes: number;
  /** What the filesystem itself takes, in one that does not. */
  overheadBytes: number;
  /** The layout would hold as much without it. */
  wastedBytes: number;
  tolerance: number;
  toleranceText: string;
  /** In the order that was asked for; `copiesBytes` with what the filesystem takes. */
  drives: { sizeBytes: number; usableBytes: number; copiesBytes: number; wastedBytes: number }[];
}
export type OptionValues = Record<string, Json>;
