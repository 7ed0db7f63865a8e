/**
 * What every page shows: the documents of the server's feed, first from the snapshot the page was rendered with, then
 * kept true by one subscription. Nothing here asks twice; after a cut the server sends what was missed.
 */
import { createContext } from 'svelte';
import { SvelteMap } from 'svelte/reactivity';
import type { Alert } from '$lib/shared/wire/alerts';
import type { BootReport } from '$lib/shared/wire/boots';
import type { FeedMessage, SystemView } from '$lib/shared/wire/feed';
import type { Operation } from '$lib/shared/wire/operations';
import type { VmHost } from '$lib/shared/wire/vm-host';
import { isLive } from '$lib/shared/states';
import { applyMessage, type Cursor, type DocumentMaps } from './feed-documents';
import { presentError } from './present-error';

/** The subscription, as far as the store needs it: the real one is tRPC's `feed.live`. */
export interface FeedSource {
  subscribe(
    cursor: Cursor | null,
    on: {
      message: (message: FeedMessage) => void;
      started: () => void;
      connecting: () => void;
      error: (error: unknown) => void;
    },
  ): () => void;
}
export type Connection =
  | { state: 'live' }
  | { state: 'connecting' }
  /** Was live, is not now: the time of the last contact. */
  | { state: 'stale'; since: number };

/** A short cut, a second say, is nobody's concern: only then does the page call itself stale. */
const GRACE_MS = 700;
const PATIENCE_MS = 4_000;

export class Live {
  readonly drives: DocumentMaps['drives'] = new SvelteMap();
  readonly pools: DocumentMaps['pools'] = new SvelteMap();
  readonly found: DocumentMaps['found'] = new SvelteMap();
  readonly images: DocumentMaps['images'] = new SvelteMap();
  readonly vms: DocumentMaps['vms'] = new SvelteMap();
  readonly removedVms: DocumentMaps['removedVms'] = new SvelteMap();
  readonly #vmHost: DocumentMaps['vmHost'] = new SvelteMap();
  readonly links: DocumentMaps['links'] = new SvelteMap();
  readonly operations: DocumentMaps['operations'] = new SvelteMap();
  readonly plugins: DocumentMaps['plugins'] = new SvelteMap();
  readonly replacements: DocumentMaps['replacements'] = new SvelteMap();
  readonly alerts: DocumentMaps['alerts'] = new SvelteMap();
  readonly snapshots: DocumentMaps['snapshots'] = new SvelteMap();
  readonly #system: DocumentMaps['system'] = new SvelteMap();
  readonly #boots: DocumentMaps['boots'] = new SvelteMap();
  #connection = $state<Connection>({ state: 'connecting' });
  readonly #isStale = $derived(this.#connection.state === 'stale');
  #now = $state(Date.now());
  #cursor: Cursor | null = null;
  #raiseListeners: ((alerts: Alert[]) => void)[] = [];
  #endListeners: ((operation: Operation) => void)[] = [];

  constructor(first: FeedMessage | null) {
    if (first) this.#apply(first);
  }

  get system(): SystemView | null {
    return this.#system.get('system') ?? null;
  }
  /** The report of the last start; null while Cairn starts. */
  get boot(): BootReport | null {
    return [...this.#boots.values()].at(-1) ?? null;
  }
  /** null: no engine for machines has answered yet. */
  get vmHost(): VmHost | null {
    return this.#vmHost.get('host') ?? null;
  }
  get connection(): Connection {
    return this.#connection;
  }
  /** What is shown may be old. For what is there many times on a page: it does not change when a page first comes to be live. */
  get isStale(): boolean {
    return this.#isStale;
  }
  /** A clock for "3 min ago" and "stale since": ticks while the page is open. */
  get now(): number {
    return this.#now;
  }
  get runningOperations(): Operation[] {
    return [...this.operations.values()].filter((one) => isLive(one.state)).sort((a, b) => b.seq - a.seq);
  }
  get newestOperations(): Operation[] {
    return [...this.operations.values()].sort((a, b) => b.seq - a.seq);
  }

  /** Calls back for each operation that ends, or comes to need somebody, while this page is open. */
  onEnd(listener: (operation: Operation) => void): () => void {
    this.#endListeners.push(listener);
    return () => {
      this.#endListeners = this.#endListeners.filter((one) => one !== listener);
    };
  }

  /** Calls back with the alerts that are raised together while this page is open. */
  onRaise(listener: (alerts: Alert[]) => void): () => void {
    this.#raiseListeners.push(listener);
    return () => {
      this.#raiseListeners = this.#raiseListeners.filter((one) => one !== listener);
    };
  }

  /** @returns what ends the subscription */
  start(source: FeedSource, onSessionEnd: () => void): () => void {
    const opened = Date.now();
    let grace: ReturnType<typeof setTimeout> | undefined;
    const tick = setInterval(() => (this.#now = Date.now()), 1000);
    const lost = (): void => {
      if (this.#connection.state !== 'live' || grace) return;
      const since = Date.now();
      grace = setTimeout(() => (this.#connection = { state: 'stale', since }), GRACE_MS);
    };
    const alive = (): void => {
      clearTimeout(grace);
      grace = undefined;
      if (this.#connection.state !== 'live') this.#connection = { state: 'live' };
    };
    // The first paint is fresh: only when no line comes up does it count as old.
    const patience = setTimeout(() => {
      if (this.#connection.state === 'connecting') this.#connection = { state: 'stale', since: opened };
    }, PATIENCE_MS);
    const stop = source.subscribe(this.#cursor, {
      message: (message) => {
        this.#apply(message);
        alive();
      },
      started: alive,
      connecting: lost,
      error: (error) => {
        if (presentError(error).code === 'unauthenticated') onSessionEnd();
        else lost();
      },
    });
    return () => {
      clearInterval(tick);
      clearTimeout(grace);
      clearTimeout(patience);
      stop();
    };
  }

  #apply(message: FeedMessage): void {
    const before = Object.fromEntries([...this.operations].map(([id, operation]) => [id, operation.state]));
    const known = [...this.alerts.keys()];
    const maps = {
      drives: this.drives,
      pools: this.pools,
      found: this.found,
      images: this.images,
      vms: this.vms,
      removedVms: this.removedVms,
      vmHost: this.#vmHost,
      links: this.links,
      operations: this.operations,
      plugins: this.plugins,
      alerts: this.alerts,
      replacements: this.replacements,
      snapshots: this.snapshots,
      system: this.#system,
      boots: this.#boots,
    };
    this.#cursor = applyMessage(maps, message, this.#cursor);
    const raised = [...this.alerts.values()].filter((alert) => !known.includes(alert.id));
    if (raised.length > 0 && message.type === 'changes')
      for (const listener of this.#raiseListeners) listener(raised);
    if (this.#endListeners.length === 0) return;
    for (const operation of this.operations.values()) {
      const was = before[operation.id];
      const settled = !isLive(operation.state) || operation.state === 'needs-attention';
      const isNew = was === undefined && message.type === 'changes';
      if (settled && (isNew || (was && isLive(was) && was !== operation.state)))
        for (const listener of this.#endListeners) listener(operation);
    }
  }
}

export const [getLive, setLive] = createContext<Live>();
