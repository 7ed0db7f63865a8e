import type { ErrorCode, Issue } from '../error-codes';
import type { OperationState, StepState, Verdict } from '../states';

export interface WireError {
  code: ErrorCode;
  message: string;
  remedy: string | null;
}
/** What an operation is about. */
export type SubjectType = 'pool' | 'drive' | 'image' | 'vm' | 'host';

export interface OperationStep {
  index: number;
  name: string;
  title: string;
  state: StepState;
  /** The act as one line a person can read: argv joined, drives with their present path. */
  command: string;
  undo: string;
  beganAt: number | null;
  endedAt: number | null;
  error: string | null;
}
export interface Operation {
  id: string;
  /** Rising number, order of asking. */
  seq: number;
  kind: string;
  title: string;
  subject: { type: SubjectType; id: string; label: string };
  state: OperationState;
  verdict: Verdict | null;
  /** What recovery saw and decided, a sentence each, oldest first. */
  evidence: string[];
  percent: number;
  /** How far the step is that takes long (a rebuild), as it was seen last; null: nothing does. */
  progress: { step: number; text: string; percent: number | null } | null;
  steps: OperationStep[];
  createdAt: number;
  endedAt: number | null;
  deadlineAt: number | null;
  /** User name, `api:<key name>` or `cairn`. */
  requestedBy: string;
  error: WireError | null;
  cancelRequested: boolean;
  canCancel: boolean;
  canRetry: boolean;
  /** The operation this one tries again. */
  retryOf: string | null;
}
export interface OutputLine {
  id: number;
  stepIndex: number;
  commandId: number;
  stream: 'command' | 'stdout' | 'stderr' | 'exit' | 'note';
  text: string;
  at: number;
}
/** One drive that a plan destroys the content of. */
export interface Erasure {
  driveId: string;
  serial: string | null;
  path: string | null;
  sizeBytes: number;
  /** What is lost, a line each: `ext4 "photos" on partition 1`. */
  content: string[];
}
export interface PlanPreview {
  kind: string;
  title: string;
  steps: { name: string; title: string; command: string; undo: string; destroys: string[] }[];
  erases: Erasure[];
  /** What else is lost for good, a line each. */
  loses: string[];
  /** Present when the plan destroys something: send it back to start exactly this plan. */
  confirmCode: string | null;
  /** What the user types in the UI before the confirm code is sent. */
  confirmText: string | null;
  notes: string[];
}
export interface OperationPage {
  items: Operation[];
  /** Pass as `before` for the next page; null at the end. */
  nextBefore: number | null;
}
export type PreviewResult = { ok: true; preview: PlanPreview } | { ok: false; issues: Issue[] };
