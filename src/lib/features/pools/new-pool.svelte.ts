/** The form of a new pool: what is chosen, what follows from it, and the plan. */
import { SvelteSet } from 'svelte/reactivity';
import type { Live } from '$lib/client/live.svelte';
import { presentError, type PresentedError } from '$lib/client/present-error';
import { trpc } from '$lib/client/trpc';
import { defaultMountPath, labelIssues, mountPathIssues } from '$lib/shared/names';
import type { Drive } from '$lib/shared/wire/drives';
import type { PlanPreview } from '$lib/shared/wire/operations';
import type { CapacityEstimate, LayoutView, OptionValues, PluginView } from '$lib/shared/wire/plugins';
import type { PoolCreateRequestInput } from '$lib/shared/wire/requests';
import { plural } from '$lib/ui/format';
import { newGuid } from './guid';

export interface LayoutCard {
  value: string;
  title: string;
  text: string;
  why: string | null;
  plugin: PluginView;
  layout: LayoutView;
}

/** Pools on drives of this machine, or on a folder of another one. */
export type PoolPlace = 'drives' | 'share';
const placeOf = (layout: LayoutView): PoolPlace => (layout.maxDrives === 0 ? 'share' : 'drives');

function whyNotLayout(plugin: PluginView, layout: LayoutView, count: number): string | null {
  if (count < layout.minDrives) {
    const missing = layout.minDrives - count;
    return count === 0
      ? `Takes ${layout.minDrives === layout.maxDrives ? '' : 'at least '}${plural(layout.minDrives, 'drive')}. Choose drives first.`
      : `Choose ${plural(missing, 'more drive', 'more drives')}.`;
  }
  if (layout.maxDrives !== null && count > layout.maxDrives)
    return `Takes ${plural(layout.maxDrives, 'drive')} at most. You have chosen ${count}.`;
  return null;
}

export class NewPool {
  readonly guid = newGuid();
  readonly driveIds = new SvelteSet<string>();
  place = $state<PoolPlace>('drives');
  readonly #live: Live;
  /** What the user picked by hand; else the layout that survives most is proposed. */
  #picked = $state<string | null>(null);
  options = $state<OptionValues>({});
  label = $state('');
  #mountPath = $state<string | null>(null);
  estimate = $state.raw<CapacityEstimate | null>(null);
  plan = $state.raw<PlanPreview | null>(null);
  error = $state.raw<PresentedError | null>(null);
  typed = $state('');
  busy = $state(false);
  /** Fields complain only after they were left or sent once. */
  touched = new SvelteSet<string>();

  constructor(live: Live) {
    this.#live = live;
  }

  /** Chosen drives that are still there, in the order of choosing. */
  drives = $derived.by((): Drive[] =>
    (this.place === 'share' ? [] : [...this.driveIds]).flatMap((id) => {
      const drive = this.#live.drives.get(id);
      return drive && drive.issues.length === 0 ? [drive] : [];
    }),
  );
  cards = $derived.by((): LayoutCard[] =>
    [...this.#live.plugins.values()]
      .filter((plugin) => plugin.kind === 'storage' && plugin.available)
      // What is proven comes first.
      .sort((a, b) => Number(a.young ?? false) - Number(b.young ?? false))
      .flatMap((plugin) =>
        plugin.layouts
          .filter((layout) => placeOf(layout) === this.place)
          .map((layout) => ({
            value: `${plugin.id}/${layout.id}`,
            title: plugin.layouts.length > 1 ? `${plugin.name} ${layout.title}` : plugin.name,
            text: `${plugin.layouts.length > 1 ? layout.description : plugin.description}${plugin.young ? ' Young: try it before you trust it.' : ''}`,
            why: whyNotLayout(plugin, layout, this.drives.length),
            plugin,
            layout,
          })),
      ),
  );
  /** Plugins that this machine cannot use now. */
  lacking = $derived.by((): PluginView[] =>
    [...this.#live.plugins.values()].filter(
      (plugin) =>
        plugin.kind === 'storage' &&
        !plugin.available &&
        (plugin.layouts.length === 0 || plugin.layouts.some((layout) => placeOf(layout) === this.place)),
    ),
  );
  card = $derived.by((): LayoutCard | null => {
    const picked = this.cards.find((card) => card.value === this.#picked);
    if (picked && !picked.why) return picked;
    // Which one it is, the server decides; nothing of it can be lost by a wrong guess.
    if (this.place === 'share') return this.cards.find((card) => !card.why) ?? null;
    const possible = this.cards.filter((card) => !card.why && !card.plugin.young);
    return possible.sort((a, b) => b.layout.minDrives - a.layout.minDrives)[0] ?? null;
  });
  pick(value: string): void {
    this.#picked = value;
    // The server stays the same when only the way to it is another one.
    this.options = this.place === 'share' ? { ...this.options } : {};
  }

  get mountRoot(): string {
    return this.#live.system?.mountRoot ?? '/mnt';
  }
  get mountPath(): string {
    return (
      this.#mountPath ?? (this.label.trim() ? defaultMountPath(this.mountRoot, this.label, this.guid) : '')
    );
  }
  set mountPath(path: string) {
    this.#mountPath = path === '' ? null : path;
  }

  labelError = $derived.by((): string | null => {
    const other = [...this.#live.pools.values()].find(
      (pool) => pool.label.toLowerCase() === this.label.toLowerCase(),
    );
    if (other) return `Another pool is called ${other.label}. Choose another label.`;
    const issue = labelIssues(this.label)[0];
    return issue ? [issue.message, issue.remedy].filter(Boolean).join(' ') : null;
  });
  mountPathError = $derived.by((): string | null => {
    const issue = this.mountPath ? mountPathIssues(this.mountPath, this.mountRoot)[0] : undefined;
    return issue ? [issue.message, issue.remedy].filter(Boolean).join(' ') : null;
  });

  request = $derived.by((): PoolCreateRequestInput | null =>
    this.card
      ? {
          poolGroupGuid: this.guid,
          label: this.label,
          plugin: this.card.plugin.id,
          layout: this.card.layout.id,
          drives: this.drives.map((drive) => ({
            id: drive.id,
            ...(drive.bayLabel ? { label: drive.bayLabel } : {}),
          })),
          options: this.#ownOptions(this.card),
          ...(this.mountPath ? { mountPath: this.mountPath } : {}),
        }
      : null,
  );
  #ownOptions(card: LayoutCard): OptionValues {
    const names = card.plugin.form
      .filter((field) => !field.layouts || field.layouts.includes(card.layout.id))
      .map((field) => field.name);
    return Object.fromEntries(Object.entries(this.options).filter(([name]) => names.includes(name)));
  }

  /** For the planner of capacity. */
  planned = $derived.by(() =>
    this.card
      ? {
          ...{ plugin: this.card.plugin.id, layout: this.card.layout.id },
          options: this.#ownOptions(this.card),
          sizes: this.drives.map(({ sizeBytes }) => sizeBytes),
        }
      : null,
  );

  /** Why the plan cannot be shown yet. */
  whyNoPlan = $derived.by((): string | null => {
    if (this.place === 'share' && !this.card) return 'This machine cannot use shares yet.';
    if (this.place === 'drives' && this.driveIds.size === 0) return 'Choose at least one drive.';
    if (!this.card) return 'No layout fits these drives. Choose more or fewer.';
    if (!this.label.trim()) return 'Give the pool a label.';
    return this.labelError ?? this.mountPathError;
  });

  toggle(drive: Drive): void {
    if (!this.driveIds.delete(drive.id)) this.driveIds.add(drive.id);
  }

  /** Asks what this would hold; the newest question wins. @returns what makes the answer late */
  ask(): () => void {
    let late = false;
    if (!this.card || this.drives.length === 0) {
      this.estimate = null;
      return () => undefined;
    }
    trpc()
      .pools.estimate.query({
        plugin: this.card.plugin.id,
        layout: this.card.layout.id,
        options: this.#ownOptions(this.card),
        driveIds: this.drives.map((drive) => drive.id),
      })
      .then((estimate) => {
        if (!late) this.estimate = estimate;
      })
      .catch(() => {
        if (!late) this.estimate = null;
      });
    return () => {
      late = true;
    };
  }

  /** @returns true when there is a plan to show */
  async makePlan(): Promise<boolean> {
    if (!this.request) return false;
    this.busy = true;
    this.error = null;
    this.typed = '';
    try {
      const result = await trpc().pools.preview.mutate({ request: this.request });
      if (result.ok) this.plan = result.preview;
      else this.error = presentError({ data: { appError: issuesAsError(result.issues) } });
      return result.ok;
    } catch (thrown) {
      this.error = presentError(thrown);
      return false;
    } finally {
      this.busy = false;
    }
  }

  /** @returns id of the operation, or null after a failure */
  async create(): Promise<string | null> {
    if (!this.request) return null;
    this.busy = true;
    this.error = null;
    try {
      const confirmCode = this.plan?.confirmCode ?? null;
      const { operation } = await trpc().pools.create.mutate({ request: this.request, confirmCode });
      return operation.id;
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

export const issuesAsError = (issues: PresentedError['issues']) => ({
  code: issues[0]?.code ?? 'invalid_input',
  message: issues[0]?.message ?? 'The request cannot be planned.',
  remedy: issues[0]?.remedy ?? null,
  issues,
});
