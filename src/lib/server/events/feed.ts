/**
 * The live feed: the documents that pages show, and every change to them in order.
 *
 * A document is put as often as its owner likes; only a document that differs from what was last sent becomes a change.
 * Changes of one turn of the event loop travel in one message. The last messages stay in a ring, so that a client that
 * was away gets exactly what it missed; one that was away for longer, or before a restart (another epoch), gets a snapshot.
 */
import { randomUUID } from 'node:crypto';
import { canonicalJson } from '$lib/shared/json';
import {
  TOPICS,
  type Change,
  type FeedMessage,
  type Snapshot,
  type Topic,
  type TopicDocuments,
} from '$lib/shared/wire/feed';

type Listener = (message: FeedMessage, json: string) => void;
type Stored = { text: string; value: TopicDocuments[Topic] };

export interface Feed {
  readonly epoch: string;
  put<T extends Topic>(topic: T, id: string, value: TopicDocuments[T]): void;
  remove(topic: Topic, id: string): void;
  /** Replaces all documents of a topic: what is not in `documents` is removed. */
  replace<T extends Topic>(topic: T, documents: { id: string; value: TopicDocuments[T] }[]): void;
  get<T extends Topic>(topic: T, id: string): TopicDocuments[T] | undefined;
  ids(topic: Topic): string[];
  snapshot(): FeedMessage & { type: 'snapshot' };
  /** What a client with this cursor missed; a snapshot when it is unknown or too old. Nothing missed: empty. */
  since(cursor: string | null): FeedMessage[];
  subscribe(listener: Listener): () => void;
  /** Sends what is pending now instead of at the end of this turn. */
  flush(): void;
  subscriberCount(): number;
}

export function createFeed(
  options: { ringSize?: number; onSubscribers?: (count: number) => void } = {},
): Feed {
  const ringSize = options.ringSize ?? 2_000;
  const epoch = randomUUID();
  const documents = new Map<Topic, Map<string, Stored>>(TOPICS.map((topic) => [topic, new Map()]));
  const listeners = new Set<Listener>();
  const ring: FeedMessage[] = [];
  let pending = new Map<string, Change>();
  let scheduled = false;
  let seq = 0;

  const of = (topic: Topic): Map<string, Stored> => {
    const map = documents.get(topic);
    if (!map) throw new TypeError(`unknown topic ${topic}`);
    return map;
  };

  function schedule(change: Change): void {
    pending.set(`${change.topic} ${change.id}`, change);
    if (scheduled) return;
    scheduled = true;
    queueMicrotask(flush);
  }

  function flush(): void {
    scheduled = false;
    if (pending.size === 0) return;
    seq += 1;
    const message: FeedMessage = { type: 'changes', epoch, seq, changes: [...pending.values()] };
    pending = new Map();
    ring.push(message);
    if (ring.length > ringSize) ring.shift();
    const json = JSON.stringify(message);
    for (const listener of listeners) listener(message, json);
  }

  const feed: Feed = {
    epoch,
    put(topic, id, value) {
      const text = canonicalJson(value);
      if (of(topic).get(id)?.text === text) return;
      of(topic).set(id, { text, value });
      schedule({ topic, op: 'put', id, value } as Change);
    },
    remove(topic, id) {
      if (of(topic).delete(id)) schedule({ topic, op: 'remove', id });
    },
    replace(topic, entries) {
      const keep = new Set(entries.map((entry) => entry.id));
      for (const id of of(topic).keys()) if (!keep.has(id)) feed.remove(topic, id);
      for (const entry of entries) feed.put(topic, entry.id, entry.value);
    },
    get(topic, id) {
      return of(topic).get(id)?.value as TopicDocuments[typeof topic] | undefined;
    },
    ids: (topic) => [...of(topic).keys()],
    snapshot() {
      flush();
      const snapshot = Object.fromEntries(
        TOPICS.map((topic) => [topic, [...of(topic).values()].map((stored) => stored.value)]),
      ) as unknown as Snapshot;
      return { type: 'snapshot', epoch, seq, snapshot };
    },
    since(cursor) {
      flush();
      const [cursorEpoch, cursorSeq] = cursor?.split(':') ?? [];
      const from = Number(cursorSeq);
      const oldest = ring[0]?.seq ?? seq + 1;
      if (cursorEpoch !== epoch || !Number.isInteger(from) || from > seq || from + 1 < oldest)
        return [feed.snapshot()];
      return ring.filter((message) => message.seq > from);
    },
    subscribe(listener) {
      listeners.add(listener);
      options.onSubscribers?.(listeners.size);
      return () => {
        if (listeners.delete(listener)) options.onSubscribers?.(listeners.size);
      };
    },
    flush,
    subscriberCount: () => listeners.size,
  };
  return feed;
}
