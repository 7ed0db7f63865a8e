/** Takes out of a text what may be secret: what is known to be, word for word, and what looks like it. */

const TAKEN = '(taken out)';
/** Shorter ones would take ordinary words out of everything. */
const SHORTEST = 6;

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

/**
 * @param known secrets that this host keeps, as they are
 * @returns what does so to a text
 */
export function scrubber(known: readonly string[]): (text: string) => string {
  const words = [...new Set(known)]
    .filter((word) => word.length >= SHORTEST)
    .flatMap((word) => [word, JSON.stringify(word).slice(1, -1)])
    // The longest first: one may be part of another.
    .sort((a, b) => b.length - a.length);
  return (text) =>
    words
      .reduce((rest, word) => rest.replaceAll(word, TAKEN), text)
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
