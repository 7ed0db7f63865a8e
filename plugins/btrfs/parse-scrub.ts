/** `btrfs scrub status --raw`: text to data. Written by cmds/scrub.c of btrfs-progs, in the C locale. */
export interface ScrubStatus {
  state: 'never' | 'running' | 'finished' | 'aborted' | 'interrupted';
  /** Milliseconds since the epoch; the tool prints the local time of the machine. */
  startedAt: number | null;
  durationSeconds: number | null;
  secondsLeft: number | null;
  percent: number | null;
  bytesPerSecond: number | null;
  errors: number;
  uncorrectable: number;
}

const STATES = ['running', 'finished', 'aborted', 'interrupted'] as const;

/** `1:02:03`; newer versions put days before it. */
function seconds(text: string | undefined): number | null {
  if (text === undefined) return null;
  if (!/^\d+(:\d{2}){2,3}$/.test(text)) throw new Error(`the time ${JSON.stringify(text)}`);
  const [days, hours, minutes, rest] = text
    .split(':')
    .map(Number)
    .reverse()
    .concat(0, 0, 0, 0)
    .slice(0, 4)
    .reverse();
  return (days ?? 0) * 86_400 + (hours ?? 0) * 3_600 + (minutes ?? 0) * 60 + (rest ?? 0);
}

/** `no errors found`, or `read=2 csum=14`. */
function errorCount(text: string | undefined): number {
  if (text === undefined || text === 'no errors found') return 0;
  const counts = [...text.matchAll(/\b(\w+)=(\d+)/g)].map((match) => Number(match[2]));
  if (counts.length === 0) throw new Error(`the error summary ${JSON.stringify(text)}`);
  return counts.reduce((total, count) => total + count, 0);
}

/** @throws Error when the text is not the status of one scrub */
export function parseScrub(text: string): ScrubStatus {
  const fields = new Map(
    text.split('\n').flatMap((line): [string, string][] => {
      const match = /^\s*([A-Za-z][A-Za-z ]*):\s+(.*?)\s*$/.exec(line);
      return match ? [[match[1] ?? '', match[2] ?? '']] : [];
    }),
  );
  if (!fields.has('UUID')) throw new Error('no UUID in the answer');
  const never = /^\s*no stats available\s*$/m.test(text);
  const said = fields.get('Status');
  const known = STATES.find((state) => state === said);
  if (said !== undefined && !known) throw new Error(`the status ${JSON.stringify(said)}`);
  if (!never && !known) throw new Error('no status in the answer');
  const bytes = fields.get('Bytes scrubbed');
  const started = Date.parse(fields.get('Scrub started') ?? fields.get('Scrub resumed') ?? '');
  const rate = /^(\d+)\/s/.exec(fields.get('Rate') ?? '');
  const percent = /\((\d+(?:\.\d+)?)%\)/.exec(bytes ?? '');
  return {
    // In its first moments a scrub has no statistics yet, but tells how much it has done.
    state: known ?? (bytes === undefined ? 'never' : 'running'),
    startedAt: Number.isNaN(started) ? null : started,
    durationSeconds: seconds(fields.get('Duration')),
    secondsLeft: seconds(fields.get('Time left')),
    percent: percent ? Math.min(100, Number(percent[1])) : null,
    bytesPerSecond: rate ? Number(rate[1]) : null,
    errors: errorCount(fields.get('Error summary')),
    uncorrectable: Number(fields.get('Uncorrectable') ?? 0),
  };
}
