/** Takes out of a text what may be secret: what is known to be, however it is written, and what looks like it. */
import { sha256 } from '../auth/secrets';

const TAKEN = '(taken out)';
/** Shorter ones would take ordinary words out of everything. */
const SHORTEST = 6;

/** What a step writes into a file, as its command shows it (host/actions.ts): cloud-init's user data holds what people put there. */
const WRITTEN = /\bprintf %s (?:'(?:[^']|'\\'')*'|[^\s']+)(?= > )/g;
/** The first-run code, as it stands in the log. */
const FIRST_RUN = /(first-run code:?\s+)[A-Z0-9]{4}(?:-[A-Z0-9]{4})+/gi;
const LONG_WORD = /\b\w[\w-]{14,98}\w\b/g;
const BLOCKS = /-----BEGIN [^-]+-----[\s\S]*?(?:-----END [^-]+-----|$)/g;
/** Keys of ours, hashes of passwords (crypt(5), argon2), JSON web tokens. */
const WORDS =
  /cairn_[\w-]{16,}|\$(?:argon2\w*|[1256aby]{1,2}|sha1|7|gy)\$[^\s"'\\,:]+|\beyJ[\w-]{10,}(?:\.[\w-]+)*/g;
const BEARER = /\b(bearer|basic)\s+[\w.~+/=-]{6,}/gi;
/** `user:password@` of an address, and all behind the question mark, where tokens are. */
const IN_ADDRESS = /([a-z][a-z0-9+.-]*:\/\/)[^/\s"'@]+@/gi;
const QUERY = /([a-z][a-z0-9+.-]*:\/\/[^\s"'?]*)\?[^\s"']*/gi;
/** `password: x`, `passwd='x'`, `"token": "x"`, `wpa-psk x`, `--secret x`: up to the end of the word or of the quotes. */
const NAMED =
  /((?:[\w-]*(?:passw(?:or)?d|passphrase|secret|token|api[-_]?key|private[-_]?key|psk|wireless-key|wep-key\d?|community)[\w-]*)(?:\\?["'])?\s*(?:[:=]|\s)\s*)(?:\\?"(?:[^"\\]|\\[^"])*\\?"|'[^']*'|[^\s,;}\]"']+)/gi;

/** Fewer characters of base64 are met by accident. */
const SHORTEST_ENCODED = 8;
/** As base64 has it in the middle of something longer: what does not depend on the bytes around it, for each way it can lie. */
function inBase64(bytes: Buffer): string[] {
  return [0, 1, 2].flatMap((before) => {
    const text = Buffer.concat([Buffer.alloc(before), bytes]).toString('base64');
    const from = Math.ceil((before * 8) / 6);
    const core = text.slice(from, Math.floor(((before + bytes.length) * 8) / 6));
    return core.length < SHORTEST_ENCODED ? [] : [core, core.replaceAll('+', '-').replaceAll('/', '_')];
  });
}
/** Every way in which a program may have written it down. */
function spellings(word: string): string[] {
  const bytes = Buffer.from(word);
  const hex = bytes.toString('hex');
  const url = encodeURIComponent(word.toWellFormed());
  return [
    ...[word, JSON.stringify(word).slice(1, -1), word.replaceAll("'", `'\\''`)],
    ...[url, url.replaceAll('%20', '+'), url.replaceAll(/%[0-9A-F]{2}/g, (code) => code.toLowerCase())],
    ...[hex, hex.toUpperCase(), hex.replaceAll(/(..)(?!$)/g, '$1:'), hex.replaceAll(/(..)(?!$)/g, '$1 ')],
    word.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;'),
    ...inBase64(bytes),
  ];
}
const escaped = (word: string): string => word.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
/** Matches each of them, the longest first: one may be part of another. null: there is none. */
function patternOf(known: readonly string[]): RegExp | null {
  const words = [...new Set(known)].filter((word) => word.length >= SHORTEST).flatMap(spellings);
  const all = [...new Set(words)].sort((a, b) => b.length - a.length).map(escaped);
  return all.length === 0 ? null : new RegExp(all.join('|'), 'g');
}

/**
 * @param known secrets that this host keeps, as they are
 * @returns what does so to a text
 */
export function scrubber(known: readonly string[]): (text: string) => string {
  const pattern = patternOf(known);
  const hashes = new Set(known);
  /** Of a session, a key and a recovery code only the hash is kept: what hashes to it is one. */
  const isHashed = (word: string): boolean =>
    hashes.has(sha256(word)) || hashes.has(sha256(word.toLowerCase().replaceAll('-', '')));
  return (text) =>
    (pattern ? text.replace(pattern, TAKEN) : text)
      .replace(WRITTEN, `printf %s '${TAKEN}'`)
      .replace(FIRST_RUN, `$1${TAKEN}`)
      .replace(LONG_WORD, (word) => (isHashed(word) ? TAKEN : word))
      .replace(BLOCKS, TAKEN)
      .replace(WORDS, TAKEN)
      .replace(BEARER, `$1 ${TAKEN}`)
      .replace(IN_ADDRESS, `$1${TAKEN}@`)
      .replace(QUERY, `$1?${TAKEN}`)
      .replace(NAMED, `$1${TAKEN}`);
}

const SECRET_FIELD = /passw|passphrase|secret|token|api_?key|private_?key|psk$/i;
/** A document as text: every text in it scrubbed, and those that are named like a secret taken out. It stays JSON. */
export const scrubbedJson = (value: unknown, scrub: (text: string) => string): string =>
  JSON.stringify(
    value,
    (field, inner: unknown) =>
      typeof inner !== 'string'
        ? inner
        : SECRET_FIELD.test(field) && !field.endsWith('Dir')
          ? TAKEN
          : scrub(inner),
    2,
  );
