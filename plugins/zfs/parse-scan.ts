/** The `scan:` field of zpool status: scrub or resilver, going on or over. Sizes are rounded by zpool itself. */

export interface Scan {
  kind: 'scrub' | 'resilver';
  state: 'running' | 'paused' | 'finished' | 'cancelled';
  /** When it ended; while it runs, when it began. Milliseconds since the epoch, in the machine's time zone. */
  at: number | null;
  percent: number | null;
  bytesPerSecond: number | null;
  secondsLeft: number | null;
  /** Repaired by a scrub, written by a resilver. */
  bytes: number;
  /** What could not be mended. */
  errors: number;
}

const UNITS = 'BKMGTPEZ';
/** `12.5M` as zpool writes it: powers of 1024. */
export function bytesOf(text: string): number {
  const match = /^(\d+(?:\.\d+)?)([BKMGTPEZ]?)$/.exec(text);
  if (!match?.[1]) throw new Error(`the size ${JSON.stringify(text)}`);
  return Math.round(Number(match[1]) * 1024 ** Math.max(0, UNITS.indexOf(match[2] || 'B')));
}

/** `Sat Nov 21 13:58:02 2026`. */
function timeOf(text: string | undefined): number | null {
  const time = Date.parse(text ?? '');
  return Number.isNaN(time) ? null : time;
}

/** `00:00:06`, `3 days 04:05:06`. */
function secondsOf(text: string): number | null {
  const match = /^(?:(\d+) days? )?(\d+):(\d+):(\d+)$/.exec(text);
  if (!match) return null;
  const [days = 0, hours = 0, minutes = 0, seconds = 0] = match.slice(1).map((part) => Number(part ?? 0));
  return ((days * 24 + hours) * 60 + minutes) * 60 + seconds;
}

const NOTHING = { percent: null, bytesPerSecond: null, secondsLeft: null, bytes: 0, errors: 0 };

function going(kind: Scan['kind'], state: 'running' | 'paused', since: string, rest: string): Scan {
  const percent = /(\d+(?:\.\d+)?)% done/.exec(rest)?.[1];
  const speed = /issued at (\S+)\/s/.exec(rest)?.[1];
  const left = /, ((?:\d+ days? )?\d+:\d+:\d+) to go/.exec(rest)?.[1];
  const bytes = /(\S+) (?:repaired|resilvered)/.exec(rest)?.[1];
  return {
    kind,
    state,
    at: timeOf(since),
    percent: percent === undefined ? null : Math.min(100, Number(percent)),
    bytesPerSecond: speed === undefined ? null : bytesOf(speed),
    secondsLeft: left === undefined ? null : secondsOf(left),
    bytes: bytes === undefined ? 0 : bytesOf(bytes),
    errors: 0,
  };
}

/** @param lines of the field; several scans (a resilver of single mirrors): the last one counts. null: never scanned */
export function parseScan(lines: string[]): Scan | null {
  const begin = lines.findLastIndex((line) =>
    /^(?!scrub started)(scrub|resilver|resilvered|none)\b/.test(line),
  );
  const [first = '', ...others] = lines.slice(Math.max(0, begin));
  const rest = others.join(' ');
  if (first === '' || first === 'none requested') return null;
  const kind = first.startsWith('scrub') ? 'scrub' : 'resilver';
  const goes = /^(?:scrub|resilver)(?: \(\S+\))? in progress since (.+)$/.exec(first);
  if (goes?.[1]) return going(kind, 'running', goes[1], rest);
  const paused = /^scrub paused since (.+)$/.exec(first);
  if (paused?.[1]) return going(kind, 'paused', paused[1], rest);
  const cancelled = /^(?:scrub|resilver)(?: \(\S+\))? cancell?ed on (.+)$/.exec(first);
  if (cancelled) return { kind, state: 'cancelled', at: timeOf(cancelled[1]), ...NOTHING };
  const ended =
    /^(?:scrub repaired|resilvered)(?: \(\S+\))? (\S+) in (?:\d+ days? )?[\d:]+ with (\d+) errors? on (.+)$/.exec(
      first,
    );
  if (!ended?.[1]) throw new Error(`the scan ${JSON.stringify(first)}`);
  return {
    ...NOTHING,
    kind,
    state: 'finished',
    at: timeOf(ended[3]),
    bytes: bytesOf(ended[1]),
    errors: Number(ended[2]),
  };
}
