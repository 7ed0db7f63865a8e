/** Taking another version in use: what refuses it, its operations, and the end of its trial. */
import type { JsonObject } from '$lib/shared/json';
import { applyUpdateRequest, type ApplyUpdateRequest } from '$lib/shared/wire/update-requests';
import type { Operation, PlanPreview } from '$lib/shared/wire/operations';
import type { Actor } from '$lib/shared/wire/session';
import type { Auth } from '../auth/auth';
import type { Config } from '../config';
import { AppError } from '../errors';
import type { Logger } from '../log';
import type { OperationDefinition, Operations, Prepared } from '../operations/types';
import type { Pools } from '../pools/pool';
import { APPLY, planApply, requireShown, UPDATE_LOCK } from './apply';
import { findPlace, updateFiles } from './place';
import { planRollBack, ROLL_BACK } from './roll-back';
import { needsOf, requireRoom } from './room';
import type { Updates } from './updates';

const DEADLINE_MS = 12 * 3_600_000;
const RECORD: OperationDefinition['record'] = { begin() {}, succeed() {}, takenBack() {}, needsYou() {} };

export interface Releases {
  /** @throws as `apply`, but for reauth_required */
  preview(request: ApplyUpdateRequest): Promise<PlanPreview>;
  /**
   * @throws AppError reauth_required | update_not_installed | update_none | update_unsuitable | update_changed | update_busy |
   *   update_no_room | locked;
   *   as Updates.check
   */
  apply(request: ApplyUpdateRequest, actor: Actor): Promise<Operation>;
  /** @throws AppError update_not_installed | update_no_way_back | update_busy */
  previewRollBack(): Promise<PlanPreview>;
  /** @throws as `previewRollBack`; confirm_required | confirm_stale | reauth_required | locked */
  rollBack(confirmCode: string | null, actor: Actor): Promise<Operation>;
  /** What was tried, the newest first. */
  history(): Operation[];
  /** This version answers requests: it is not on trial any more. */
  ready(): void;
}

export interface ReleaseParts {
  config: Pick<Config, 'updateChannel' | 'updatesDir' | 'databasePath'>;
  log: Logger;
  version: string;
  updates: Pick<Updates, 'check'>;
  operations: Operations;
  pools: Pick<Pools, 'list'>;
  /** The folder that this process runs from. */
  running?: string;
  /** `requireFresh` throws when the person has not given the password lately. */
  auth: Pick<Auth, 'requireFresh'>;
}

/**
 * A start of Cairn ends no work of the kernel, but what it does to a pool is better known by whoever began it.
 * @param mayWait for operations; never for what waits for a person itself, nor for the days that the kernel may need
 * @returns what it would wait for
 * @throws AppError update_busy
 */
export function refuseBusy(
  { operations, pools }: Pick<ReleaseParts, 'operations' | 'pools'>,
  mayWait = false,
): string[] {
  const live = operations
    .page({ limit: 20, live: true })
    .items.filter(({ subject }) => subject.id !== UPDATE_LOCK);
  const undecided = live.filter(({ state }) => state === 'needs-attention');
  const running = live
    .filter(({ state }) => state !== 'needs-attention')
    .map(({ title, percent }) => `"${title}" (${percent} %)`);
  const busy = [
    ...undecided.map(({ title }) => `"${title}" (waits for a decision)`),
    ...(mayWait ? [] : running),
    ...pools
      .list()
      .flatMap(({ label, work }) => work.map(({ title }) => `the pool "${label}" (${title.toLowerCase()})`)),
  ];
  if (busy.length > 0) throw new AppError('update_busy', `At work now: ${busy.join(', ')}.`);
  return running;
}

export function createReleases(parts: ReleaseParts): Releases {
  const { config, log, version, updates, operations, auth, running = process.cwd() } = parts;
  const files = updateFiles(config.updatesDir);

  async function prepare(raw: JsonObject): Promise<Prepared> {
    const place = findPlace(running, version);
    const request = applyUpdateRequest.parse(raw);
    const waitsFor = refuseBusy(parts, request.whenIdle);
    // Asked and checked anew: what is installed is what is signed now.
    const { state, why, offered, channel } = await updates.check();
    if (state === 'unsuitable') throw new AppError('update_unsuitable', why ?? undefined);
    if (state !== 'available' || !offered?.file || channel === null)
      throw new AppError('update_none', `Version ${version} runs; the channel offers nothing newer.`);
    requireShown(request, offered);
    await requireRoom(await needsOf(offered.file.sizeBytes, { home: place.home, ...config }));
    return planApply({ version, channel, files, place, offered, file: offered.file, waitsFor });
  }
  operations.define({
    ...{ kind: APPLY, onInterrupt: 'continue', deadlineMs: DEADLINE_MS, record: RECORD },
    prepare,
  });

  operations.define({
    ...{ kind: ROLL_BACK, onInterrupt: 'continue', deadlineMs: DEADLINE_MS, record: RECORD },
    async prepare() {
      refuseBusy(parts);
      return planRollBack({ version, files, place: findPlace(running, version) });
    },
  });

  return {
    previewRollBack: () => operations.preview(ROLL_BACK, {}),
    async rollBack(confirmCode, actor) {
      auth.requireFresh(actor);
      return operations.start({ kind: ROLL_BACK, request: {}, confirmCode, actor });
    },
    preview: (request) => operations.preview(APPLY, request),
    // Whose code runs as root is not for somebody who found a page open.
    async apply(request, actor) {
      auth.requireFresh(actor);
      return operations.start({ kind: APPLY, request, actor });
    },
    history: () => operations.page({ limit: 20, subjectId: UPDATE_LOCK }).items,
    ready() {
      const trial = files.trial();
      if (trial?.to !== version) return;
      files.endTrial();
      log.info({ from: trial.from, to: trial.to }, 'the version on trial is ready');
    },
  };
}
