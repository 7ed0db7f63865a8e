/** What a test may leave behind on the machine: nothing. Compared before and after every tier. */
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';

export interface Traces {
  /** `/dev/loop0 /path/of/file` */
  loops: string[];
  /** `/mnt/x /dev/loop0 ext4` */
  mounts: string[];
  /** Processes below this one (`own 123 sleep 60`), and our kind of orphans (`orphan 123 perl -e ...`). */
  processes: string[];
  /** Open files of this process, without sockets, pipes and the like. */
  files: string[];
}

const read = (path: string): string => {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return ''; // gone since it was listed
  }
};

const loops = (): string[] =>
  readdirSync('/sys/block')
    .filter((name) => existsSync(`/sys/block/${name}/loop`))
    .map((name) => `/dev/${name} ${read(`/sys/block/${name}/loop/backing_file`)}`)
    .sort();

const mounts = (): string[] =>
  read('/proc/self/mountinfo')
    .split('\n')
    .map((line) => {
      const [before = '', after = ''] = line.split(' - ');
      const [filesystem, source] = after.split(' ');
      return `${before.split(' ')[4]} ${source} ${filesystem}`;
    })
    .sort();

const parentOf = (pid: string): string => /\) \S (\d+)/.exec(read(`/proc/${pid}/stat`))?.[1] ?? '';
const isZombie = (pid: string): boolean => /\) Z /.test(read(`/proc/${pid}/stat`));

const isOrphan = (line: string): boolean => /^\S*perl -e .*(\$record|mountinfo)/s.test(line);

/** Our own descendants, and our kind of orphans: perl with the supervisor's or the mount watch's script. */
function processes(): string[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  const descends = (pid: string): boolean => {
    for (let parent = parentOf(pid); parent !== '' && parent !== '0'; parent = parentOf(parent))
      if (parent === String(process.pid)) return true;
    return false;
  };
  return pids
    .filter((pid) => !isZombie(pid))
    .map((pid) => ({ pid, line: read(`/proc/${pid}/cmdline`).replaceAll('\0', ' ') }))
    .map((entry) => ({
      ...entry,
      kind: descends(entry.pid) ? 'own' : isOrphan(entry.line) ? 'orphan' : null,
    }))
    .filter(({ kind }) => kind !== null)
    .map(({ pid, line, kind }) => `${kind} ${pid} ${line}`)
    .sort();
}

function files(): string[] {
  const open: string[] = [];
  for (const descriptor of readdirSync('/proc/self/fd')) {
    try {
      const path = readlinkSync(`/proc/self/fd/${descriptor}`);
      // The reading of /proc itself, Node's own machinery, and modules that were loaded meanwhile do not count.
      if (path.startsWith('/') && !/^\/(proc|dev\/null|dev\/urandom)|node_modules/.test(path))
        open.push(path);
    } catch {
      continue; // the descriptor of this very listing
    }
  }
  return open.sort();
}

export const traces = (): Traces => ({
  loops: loops(),
  mounts: mounts(),
  processes: processes(),
  files: files(),
});

const added = (before: string[], after: string[]): string[] =>
  after.filter((entry) => !before.includes(entry));

/** A file's own check looks only at its own things, so that two runs on one machine do not disturb each other. */
const concerns = (kind: keyof Traces, entry: string, within: string | undefined): boolean =>
  within === undefined || kind === 'files' || entry.startsWith('own ') || entry.includes(within);

/**
 * Waits up to two seconds for what is on its way out (a killed child, a loop device with a last reader).
 * @param within only what has this path in it, beside our own processes and files; without it the whole machine
 * @throws Error that lists every loop device, mount, process and file that was not there before
 */
export async function expectNoLeaks(before: Traces, within?: string): Promise<void> {
  const until = Date.now() + 2_000;
  for (;;) {
    const now = traces();
    const left = (['loops', 'mounts', 'processes', 'files'] as const).flatMap((kind) =>
      added(before[kind], now[kind])
        .filter((entry) => concerns(kind, entry, within))
        .map((entry) => `${kind}: ${entry.slice(0, 300)}`),
    );
    if (left.length === 0) return;
    if (Date.now() > until) throw new Error(`left behind:\n  ${left.join('\n  ')}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}
