/** `btrfs replace status -1`, `btrfs balance status` and `btrfs filesystem df --raw`: text to data. */
export type Replacement =
  | { state: 'none' | 'finished' | 'cancelled' }
  /** suspended: not at work until the filesystem is mounted with all that it needs. */
  | { state: 'running' | 'suspended'; percent: number };

/** @throws Error when the text is none of what btrfs-progs prints (cmds/replace.c) */
export function parseReplace(text: string): Replacement {
  const line = text.trim();
  const running = /^(\d+(?:\.\d+)?)% done, \d+ write errs, \d+ uncorr\. read errs$/.exec(line);
  if (running) return { state: 'running', percent: Number(running[1]) };
  const suspended = /^Started on .*, suspended on .* at (\d+(?:\.\d+)?)%, /.exec(line);
  if (suspended) return { state: 'suspended', percent: Number(suspended[1]) };
  if (/^Started on .*, finished on .*, \d+ write errs, /.test(line)) return { state: 'finished' };
  if (/^Started on .*, canceled on .*%, \d+ write errs, /.test(line)) return { state: 'cancelled' };
  if (line === 'Never started') return { state: 'none' };
  throw new Error(`the answer ${JSON.stringify(line.slice(0, 200))}`);
}

export interface Balance {
  state: 'none' | 'running' | 'paused';
  percent: number | null;
}

/** @throws Error when the text is none of what btrfs-progs prints (cmds/balance.c) */
export function parseBalance(text: string): Balance {
  if (/^No balance found on '/.test(text)) return { state: 'none', percent: null };
  const head = /^Balance on '.*' is (running|paused)(?:, (?:cancel|pause) requested)?$/m.exec(text);
  if (!head) throw new Error(`the answer ${JSON.stringify(text.slice(0, 200))}`);
  const left = /\bchunks balanced \(\d+ considered\),\s+(\d+)% left/.exec(text);
  return {
    state: head[1] === 'paused' ? 'paused' : 'running',
    percent: left ? 100 - Math.min(100, Number(left[1])) : null,
  };
}

export interface UsedProfile {
  kind: 'data' | 'metadata' | 'system';
  /** Lower case, as mkfs and balance take it: raid1, dup, single. */
  profile: string;
  usedBytes: number;
}

/** @throws Error when a line is not understood, or none tells of data or metadata */
export function parseProfiles(text: string): UsedProfile[] {
  const found = text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const match =
        /^(Data|Metadata|System|GlobalReserve|Data\+Metadata), (\w+): total=\d+, used=(\d+)$/.exec(
          line.trim(),
        );
      if (!match) throw new Error(`the line ${JSON.stringify(line)}`);
      return { kind: match[1] ?? '', profile: (match[2] ?? '').toLowerCase(), usedBytes: Number(match[3]) };
    });
  const kinds = { Data: 'data', Metadata: 'metadata', System: 'system' } as const;
  const used = found.flatMap(({ kind, ...rest }) =>
    kind === 'Data' || kind === 'Metadata' || kind === 'System' ? [{ kind: kinds[kind], ...rest }] : [],
  );
  if (used.length === 0) throw new Error('no data and no metadata in the answer');
  return used;
}
