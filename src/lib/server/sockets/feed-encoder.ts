/**
 * JSON for the socket. A change of the feed goes to every open page as the same object; its text is made once and set
 * into each client's envelope, which makes a thousand clients cost a thousand writes and not a thousand serialisations.
 */
import type { FeedMessage } from '$lib/shared/wire/feed';

interface TrackedReply {
  id: unknown;
  jsonrpc?: unknown;
  result: { type: 'data'; id: string; data: { id: string; data: FeedMessage } };
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null;

function isFeedReply(reply: unknown): reply is TrackedReply {
  if (!isObject(reply) || !isObject(reply['result'])) return false;
  const envelope = reply['result']['data'];
  if (typeof reply['result']['id'] !== 'string' || !isObject(envelope)) return false;
  const message = envelope['data'];
  return isObject(message) && message['type'] === 'changes' && typeof message['epoch'] === 'string';
}

export function feedEncoder() {
  const texts = new WeakMap<FeedMessage, string>();
  const textOf = (message: FeedMessage): string => {
    const known = texts.get(message);
    if (known !== undefined) return known;
    const text = JSON.stringify(message);
    texts.set(message, text);
    return text;
  };
  return {
    encode(reply: unknown): string {
      if (!isFeedReply(reply)) return JSON.stringify(reply);
      const cursor = JSON.stringify(reply.result.id);
      const version = reply.jsonrpc === undefined ? '' : `"jsonrpc":${JSON.stringify(reply.jsonrpc)},`;
      const data = `{"id":${cursor},"data":${textOf(reply.result.data.data)}}`;
      return `{"id":${JSON.stringify(reply.id)},${version}"result":{"type":"data","id":${cursor},"data":${data}}}`;
    },
    decode(data: string | ArrayBuffer | Uint8Array): unknown {
      if (typeof data !== 'string') throw new TypeError('Messages are JSON in text frames.');
      return JSON.parse(data) as unknown;
    },
  };
}
