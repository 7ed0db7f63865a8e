/** A change of a pool as it is put together in a dialog: who leaves, who joins, and the plan that follows. */
import { SvelteSet } from 'svelte/reactivity';
import type { Live } from '$lib/client/live.svelte';
import { presentError, type PresentedError } from '$lib/client/present-error';
import { trpc } from '$lib/client/trpc';
import type { Drive } from '$lib/shared/wire/drives';
import type { Operation, PlanPreview } from '$lib/shared/wire/operations';
import type { CapacityEstimate } from '$lib/shared/wire/plugins';
import type { Pool, PoolMember } from '$lib/shared/wire/pools';
import type { PoolChangeRequest } from '$lib/shared/wire/requests';
import { formatBytes } from '$lib/ui/format';
import { byPlace } from '../drives/words';
import { issuesAsError } from './new-pool.svelte';

export type DialogVerb = Extract<
  PoolChangeRequest['verb'],
  'expand' | 'replace' | 'remove-drive' | 'add-drive' | 're-add' | 'release'
>;
type Role = 'spare' | 'cache' | 'log';

export const ASKS_MEMBER: readonly DialogVerb[] = ['replace', 'remove-drive', 're-add'];
export const ASKS_DRIVES: readonly DialogVerb[] = ['expand', 'replace', 'add-drive'];

export class PoolChange {
  readonly verb: DialogVerb;
  readonly #live: Live;
  readonly #guid: string;
  readonly driveIds = new SvelteSet<string>();
  slot = $state('');
  role = $state('');
  estimate = $state.raw<{ now: CapacityEstimate; then: CapacityEstimate; with: string } | null>(null);
  plan = $state.raw<PlanPreview | null>(null);
  error = $state.raw<PresentedError | null>(null);
  typed = $state('');
  busy = $state(false);

  constructor(live: Live, guid: string, verb: DialogVerb) {
    this.#live = live;
    this.#guid = guid;
    this.verb = verb;
    const suspect = this.pool?.members.find((member) => member.status !== 'active');
    this.slot = suspect ? String(suspect.slot) : '';
    this.role = this.pool?.roles[0] ?? '';
  }

  pool = $derived.by((): Pool | undefined => this.#live.pools.get(this.#guid));
  member = $derived.by((): PoolMember | undefined =>
    this.pool?.members.find((member) => String(member.slot) === this.slot),
  );
  free = $derived.by((): Drive[] =>
    [...this.#live.drives.values()].filter((drive) => drive.present && drive.group === 'free').sort(byPlace),
  );
  chosen = $derived.by((): Drive[] => this.free.filter((drive) => this.driveIds.has(drive.id)));

  /** Why a free drive cannot be taken here; null: it can. */
  whyNot(drive: Drive): string | null {
    const [issue] = drive.issues;
    if (issue) return issue.message;
    const least = this.verb === 'replace' ? (this.member?.replacementBytes ?? 0) : 0;
    return drive.sizeBytes < least ? `Too small: ${formatBytes(least)} are needed.` : null;
  }
  toggle(drive: Drive): void {
    const had = this.driveIds.has(drive.id);
    if (this.verb !== 'expand') this.driveIds.clear();
    if (had) this.driveIds.delete(drive.id);
    else this.driveIds.add(drive.id);
  }

  whyNoPlan = $derived.by((): string | null => {
    if (ASKS_MEMBER.includes(this.verb) && !this.member) return 'Choose which drive of the pool it is about.';
    if (ASKS_DRIVES.includes(this.verb) && this.chosen.length === 0) return 'Choose a free drive.';
    return null;
  });
  whyNoStart = $derived.by((): string | null => {
    if (!this.plan) return 'The plan is being made.';
    return this.plan.confirmText && this.typed.trim() !== this.plan.confirmText
      ? `Type ${this.plan.confirmText} in the field first.`
      : null;
  });

  #request(): PoolChangeRequest {
    const poolGroupGuid = this.#guid;
    const member = { slot: Number(this.slot) };
    const drives = this.chosen.map(({ id }) => ({ id }));
    const drive = drives[0] ?? {};
    switch (this.verb) {
      case 'expand':
        return { verb: 'expand', poolGroupGuid, drives };
      case 'replace':
        return { verb: 'replace', poolGroupGuid, member, drive };
      case 'remove-drive':
      case 're-add':
        return { verb: this.verb, poolGroupGuid, member };
      case 'add-drive':
        return { verb: 'add-drive', poolGroupGuid, drive, role: this.role as Role };
      case 'release':
        return { verb: 'release', poolGroupGuid };
    }
  }

  /** What the pool would hold with the chosen drives; with none chosen, with the first that is free. */
  async ask(): Promise<void> {
    const { pool } = this;
    const more = this.chosen.length > 0 ? this.chosen : this.free.slice(0, 1);
    if (this.verb !== 'expand' || !pool || more.length === 0) return void (this.estimate = null);
    const members = pool.members.filter((member) => member.role === 'data').map((member) => member.driveId);
    const of = (driveIds: string[]): Promise<CapacityEstimate> =>
      trpc().pools.estimate.query({
        ...{ plugin: pool.plugin, layout: pool.layout, options: pool.options, driveIds },
      });
    const [now, then] = await Promise.all([of(members), of([...members, ...more.map(({ id }) => id)])]);
    this.estimate = {
      now,
      then,
      with: this.chosen.length > 1 ? `${more.length} more drives` : 'one more drive',
    };
  }

  async makePlan(): Promise<void> {
    this.busy = true;
    this.error = null;
    this.typed = '';
    try {
      const answer = await trpc().pools.previewChange.mutate({ request: this.#request() });
      if (answer.ok) this.plan = answer.preview;
      else this.error = presentError({ data: { appError: issuesAsError(answer.issues) } });
    } catch (thrown) {
      this.error = presentError(thrown);
    } finally {
      this.busy = false;
    }
  }

  async start(): Promise<Operation | null> {
    this.busy = true;
    this.error = null;
    try {
      const confirmCode = this.plan?.confirmCode ?? null;
      return await trpc().pools.change.mutate({ request: this.#request(), confirmCode });
    } catch (thrown) {
      const error = presentError(thrown);
      if (error.code === 'confirm_stale' || error.code === 'drive_changed') await this.makePlan();
      this.error = error;
      return null;
    } finally {
      this.busy = false;
    }
  }
}
