import type { Step } from '$lib/plugin-api/plan';
import type { JsonObject } from '$lib/shared/json';
import type { Actor } from '$lib/shared/wire/session';
import type {
  Erasure,
  Operation,
  OperationPage,
  OutputLine,
  PlanPreview,
  SubjectType,
} from '$lib/shared/wire/operations';
import type { AppError } from '../errors';
import type { Transaction } from '../db/client';

/** What a drive must still be, right before something on it is destroyed. */
export interface DriveExpectation {
  id: string;
  serial: string | null;
  sizeBytes: number;
  byId: string | null;
  contentHash: string;
}

/** A request that has been validated against the machine, and the plan that follows from it. All of it is data. */
export interface Prepared {
  /** Everything the plan was made from; the record functions get it. */
  input: JsonObject;
  title: string;
  subject: { type: SubjectType; id: string; label: string };
  steps: Step[];
  /** `drive:<id>`, `pool:<guid>`, `image:<id>`, `path:<mount path>`, `snapshots:<guid>`, `sandbox`; `uses:pool:<guid>` is held by several at once. */
  locks: string[];
  drives: DriveExpectation[];
  erases: Erasure[];
  /** What else is lost for good, a line each; it needs the confirm code as `erases` does. */
  loses?: string[];
  /** What the confirm code stands for instead of the steps, where those hold the moment at which they were planned. */
  confirmSteps?: Step[];
  /** What the user types before the confirm code is sent; needed when `erases` or `loses` is not empty. */
  confirmText: string | null;
  notes: string[];
}

/** Who owns the resource's record: these run inside the transactions of the operation, nothing else writes the row. */
export interface RecordOwner {
  /** With the operation's first commit. @throws AppError to refuse (duplicate label, wrong state): nothing is written then. */
  begin(tx: Transaction, operationId: string, prepared: Prepared): void;
  /** With the commit that ends the operation well. */
  succeed(tx: Transaction, operationId: string, prepared: Prepared): void;
  /** With the commit that ends the way back. */
  takenBack(tx: Transaction, operationId: string, prepared: Prepared, error: AppError): void;
  /** Recovery or undo met something that only the user can decide. */
  needsYou(tx: Transaction, operationId: string, prepared: Prepared, reason: string): void;
}

export interface OperationDefinition {
  /** `pool.create` */
  kind: string;
  /** What recovery does by default. What creates is taken back, what removes is finished, what downloads is continued. */
  onInterrupt: 'take-back' | 'finish' | 'continue';
  deadlineMs: number;
  /** Reads and validates; never changes anything. @throws AppError with all issues at once. */
  prepare(request: JsonObject): Promise<Prepared>;
  record: RecordOwner;
  /**
   * Reads again what is shown of the thing, after the last step and before anybody hears that the operation has ended: who
   * asks then is never told of a state of before. It cannot fail the operation; what it throws is logged.
   */
  beforeEnd?(prepared: Prepared, outcome: 'succeeded' | 'taken-back'): Promise<void>;
}

export interface StartOptions {
  kind: string;
  /** Kept for retry. Never a secret. */
  request: JsonObject;
  actor: Actor;
  confirmCode?: string | null;
  retryOf?: string | null;
}

export interface OutputCommand {
  id: number;
  stepIndex: number;
  step: string;
  phase: 'run' | 'undo';
  argv: string[];
  startedAt: number;
  endedAt: number | null;
  exitCode: number | null;
  signal: string | null;
  lines: { stream: 'stdout' | 'stderr'; text: string; at: number }[];
}

export interface Operations {
  define(definition: OperationDefinition): void;
  isDefined(kind: string): boolean;
  preview(kind: string, request: JsonObject): Promise<PlanPreview>;
  /** Answers as soon as record and plan are on disk. @throws AppError confirm_required | confirm_stale | locked | ... */
  start(options: StartOptions): Promise<Operation>;
  get(id: string): Operation;
  page(options: {
    before?: number | null;
    limit: number;
    subjectId?: string | null;
    live?: boolean;
  }): OperationPage;
  /** The newest operation of a kind on a subject. */
  latest(kind: string, subjectId: string): Operation | null;
  /** What Cairn began by itself in the last week, failed, and has not been done since; the last of a kind on a subject. */
  unwatchedFailures(): Operation[];
  /** Live operation whose locks include this one. */
  holder(lock: string): Operation | null;
  /** Only its id: cheap enough to ask for every drive at every change. */
  holderId(lock: string): string | null;
  cancel(id: string, actor: Actor): Operation;
  retry(id: string, actor: Actor): Promise<Operation>;
  /** For needs-attention: look again and go on, or leave things as they are and free the locks. */
  resolve(id: string, decision: 'try-again' | 'leave-as-is', actor: Actor): Promise<Operation>;
  outputs(id: string, options: { after?: number; limit?: number }): OutputLine[];
  commands(id: string): OutputCommand[];
  /** The plan as a shell script for people; drives by their by-id path. */
  script(id: string): string;
  previewScript(preview: PlanPreview): string;
  /**
   * Boot: verdicts for all that has not ended, or only for the kinds that `only` accepts (sandbox drives must be back
   * before operations on them are judged). Resolves when every verdict is given; continued work goes on.
   */
  recover(only?: (kind: string) => boolean): Promise<void>;
  /** Cron: lost workers, deadlines, old rows. */
  sweep(): Promise<void>;
  /** Resolves when the operation has ended (or needs attention). */
  wait(id: string): Promise<Operation>;
  /** Finishes or checkpoints within the time, then takes nothing new. */
  stop(drainMs: number): Promise<void>;
}
