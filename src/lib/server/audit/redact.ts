/**
 * What of a call's input may be kept. Named are the words that are harmless; any other text is only counted, so that a
 * field which somebody adds tomorrow cannot bring a secret into the log. Numbers and truth values tell no secrets.
 */
import type { Json } from '$lib/shared/json';

const HARMLESS =
  /^(id|ids|version|username|guid|name|label|labels|tags|plugin|layout|kind|kinds|role|state|tier|slot|decision|scopes?|mode|bridge|range|type|format|firmware|os|arch|target|severity|tier|method|query|value|newDriveId|oldDriveId)$|(Id|Ids|Guid|Guids|Kind|Name|Label|State|Path)$/;
const SECRET = /pass|secret|token|credential|private|auth|cookie|hash|code$|userdata|keys?$|authorized|hook/i;
/** Looks like one of our keys, a private key, a bearer token, or an address with a password in it. */
const SECRET_TEXT = /cairn_[\w-]{16,}|-----BEGIN|^\s*(bearer|basic)\s|:\/\/[^/\s]*@|^eyJ[\w-]{10,}/i;
const MAX_TEXT = 120;
const MAX_ITEMS = 32;
const MAX_DEPTH = 6;
const MAX_BYTES = 2_048;

const counted = (text: string): string => `(${text.length} characters)`;
const hostOf = (text: string): string | null =>
  URL.canParse(text) && !SECRET_TEXT.test(text) ? `${new URL(text).origin}/…` : null;

function textOf(key: string, value: string): string {
  if (SECRET.test(key)) return '(not kept)';
  if (/url|address$/i.test(key)) return hostOf(value) ?? counted(value);
  if (!HARMLESS.test(key) || SECRET_TEXT.test(value)) return counted(value);
  return value.length > MAX_TEXT ? `${value.slice(0, MAX_TEXT)}…` : value;
}

function kept(key: string, value: unknown, depth: number): Json {
  if (typeof value === 'string') return textOf(key, value);
  if (value === null || typeof value === 'number' || typeof value === 'boolean')
    return SECRET.test(key) && value !== null ? '(not kept)' : value;
  if (typeof value !== 'object') return null;
  if (SECRET.test(key)) return '(not kept)';
  if (depth >= MAX_DEPTH) return '(deeper)';
  if (Array.isArray(value)) return value.slice(0, MAX_ITEMS).map((item) => kept(key, item, depth + 1));
  return Object.fromEntries(
    Object.entries(value)
      .slice(0, MAX_ITEMS)
      .map(([name, inner]) => [name.slice(0, 60), kept(name, inner, depth + 1)]),
  );
}

/** @returns the input without what may be secret, at most 2 KiB of it */
export function redacted(input: unknown): Json {
  if (input === undefined) return null;
  const json = kept('', input, 0);
  const length = Buffer.byteLength(JSON.stringify(json));
  return length <= MAX_BYTES ? json : { tooLong: `${length} bytes` };
}
