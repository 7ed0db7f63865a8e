/** The schedules of a pool while they are edited: nothing is sent before they are saved. */
import { presentError, type PresentedError } from '$lib/client/present-error';
import { trpc } from '$lib/client/trpc';
import type { SchedulePreview, SnapshotSchedule, SnapshotScheduleRequest } from '$lib/shared/wire/snapshots';
import { SNAPSHOT_TIERS, type SnapshotTier } from '$lib/shared/snapshot-tiers';

const KEEP: Record<SnapshotTier, number> = { hourly: 24, daily: 7, weekly: 4, monthly: 12 };
const two = (value: number): string => String(value).padStart(2, '0');
const PAUSE_MS = 150;

export class TierEdit {
  readonly tier: SnapshotTier;
  readonly #before: SnapshotSchedule | undefined;
  on = $state(false);
  keep = $state('');
  /** `HH:MM`, as the time field gives it. */
  time = $state('');
  minute = $state('0');
  weekday = $state('0');
  day = $state('1');
  preview = $state.raw<SchedulePreview | null>(null);

  constructor(tier: SnapshotTier, before: SnapshotSchedule | undefined) {
    this.tier = tier;
    this.#before = before;
    const { minute, hour, weekday, day } = before?.timing ?? { minute: 0, hour: 3, weekday: 0, day: 1 };
    this.on = before?.enabled ?? false;
    this.keep = String(before?.keep ?? KEEP[tier]);
    this.time = `${two(hour)}:${two(minute)}`;
    this.minute = String(minute);
    this.weekday = String(weekday);
    this.day = String(day);
  }

  wanted = $derived.by((): SnapshotScheduleRequest | null => {
    const [hour = NaN, minute = NaN] = this.time.split(':').map(Number);
    const minutes = this.tier === 'hourly' ? Number(this.minute) : minute;
    const keep = Number(this.keep);
    const fits = (value: number, min: number, max: number): boolean =>
      Number.isInteger(value) && value >= min && value <= max;
    if (!fits(keep, 1, 1_000) || !fits(hour, 0, 23) || !fits(minutes, 0, 59)) return null;
    const timing = { minute: minutes, hour, weekday: Number(this.weekday), day: Number(this.day) };
    return { tier: this.tier, timing, keep, enabled: this.on };
  });
  why = $derived.by((): string | null =>
    this.on && !this.wanted ? 'Give a time, and a number from 1 to 1000 to keep.' : null,
  );
  get changed(): boolean {
    if (!this.#before) return this.on;
    const { tier, timing, keep, enabled } = this.#before;
    return JSON.stringify(this.wanted) !== JSON.stringify({ tier, timing: { ...timing }, keep, enabled });
  }

  /** When it would run and what stays, as the appliance says. @returns what ends the question */
  ask(): () => void {
    const { on, wanted } = this;
    if (!on || !wanted) {
      this.preview = null;
      return () => undefined;
    }
    const { enabled: _, ...request } = wanted;
    let stale = false;
    const timer = setTimeout(() => {
      trpc()
        .snapshots.previewSchedule.query(request)
        .then((preview) => {
          if (!stale) this.preview = preview;
        })
        .catch(() => (this.preview = null));
    }, PAUSE_MS);
    return () => {
      stale = true;
      clearTimeout(timer);
    };
  }
}

export class ScheduleEdit {
  readonly #guid: string;
  readonly tiers: TierEdit[];
  busy = $state(false);
  error = $state.raw<PresentedError | null>(null);

  constructor(guid: string, before: SnapshotSchedule[]) {
    this.#guid = guid;
    this.tiers = SNAPSHOT_TIERS.map(
      (tier) =>
        new TierEdit(
          tier,
          before.find((one) => one.tier === tier),
        ),
    );
  }
  why = $derived.by((): string | null => this.tiers.find((tier) => tier.why !== null)?.why ?? null);

  /** @returns true when everything is saved */
  async save(): Promise<boolean> {
    this.busy = true;
    this.error = null;
    try {
      for (const tier of this.tiers) {
        if (!tier.changed || !tier.wanted) continue;
        await trpc().snapshots.schedule.mutate({ guid: this.#guid, schedule: tier.wanted });
      }
      return true;
    } catch (thrown) {
      this.error = presentError(thrown);
      return false;
    } finally {
      this.busy = false;
    }
  }
}
