/** The documents of the live feed and how a message changes them. Pure apart from the maps it is given. */
import { TOPICS, type FeedMessage, type TopicDocuments, type Topic } from '$lib/shared/wire/feed';

export type DocumentMaps = { [T in Topic]: Map<string, TopicDocuments[T]> };
export type Cursor = `${string}:${number}`;

const keyOf = (topic: Topic, value: TopicDocuments[Topic]): string =>
  topic === 'pools' ? (value as TopicDocuments['pools']).guid : (value as { id: string }).id;

function replaceTopic<T extends Topic>(
  topic: T,
  map: Map<string, TopicDocuments[T]>,
  values: TopicDocuments[T][],
): void {
  const keys = new Set(values.map((value) => keyOf(topic, value)));
  for (const key of [...map.keys()]) if (!keys.has(key)) map.delete(key);
  for (const value of values) map.set(keyOf(topic, value), value);
}

export const cursorOf = (message: FeedMessage): Cursor => `${message.epoch}:${message.seq}`;

/**
 * Applies one message. A message of this epoch that is not newer than the cursor was seen already and changes nothing.
 * @returns the new cursor
 */
export function applyMessage(maps: DocumentMaps, message: FeedMessage, cursor: Cursor | null): Cursor {
  if (message.type === 'snapshot') {
    for (const topic of TOPICS)
      replaceTopic(topic, maps[topic] as Map<string, never>, message.snapshot[topic] as never[]);
    return cursorOf(message);
  }
  const [epoch, seq] = cursor?.split(':') ?? [];
  if (cursor && epoch === message.epoch && message.seq <= Number(seq)) return cursor;
  for (const change of message.changes) {
    const map = maps[change.topic] as Map<string, TopicDocuments[Topic]>;
    if (change.op === 'put') map.set(change.id, change.value);
    else map.delete(change.id);
  }
  return cursorOf(message);
}
