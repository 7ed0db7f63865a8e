/**
 * A libvirtd of the test's own, in a mount and network namespace of its own: the machine's is never seen or touched. The
 * appliance runs in the same mount namespace, so that it meets this libvirtd at the usual place; what it mounts below its
 * data directory is seen from outside too, since that one folder is shared between the namespaces.
 */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import {
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { removeFolder } from '../../src/cli/leftovers';

const NAMESPACE = String.raw`
set -eu
state=$1 shared=$2
awk '{print $5}' /proc/self/mountinfo | while read -r path; do
  case $path in "$shared"|"$shared"/*) ;; *) mount --make-private "$path" || true ;; esac
done
# What other tests have mounted at this moment would stay mounted in here after they have unmounted it.
awk '{print $5}' /proc/self/mountinfo | grep '/cairn-' | sort -r | while read -r path; do
  case $path in "$shared"|"$shared"/*) ;; *) umount --lazy "$path" || true ;; esac
done
cp -a /etc/libvirt/. "$state/etc/"
rm -rf "$state"/etc/qemu/*.xml "$state"/etc/qemu/autostart
cp -a /var/lib/libvirt/. "$state/varlib/"
mkdir -p /run/libvirt /var/cache/libvirt /var/log/libvirt /var/log/swtpm
mount --bind "$state/etc" /etc/libvirt
mount --bind "$state/run" /run/libvirt
mount --bind "$state/varlib" /var/lib/libvirt
mount --bind "$state/log" /var/log/libvirt
mount --bind "$state/cache" /var/cache/libvirt
mount --bind "$state/swtpm" /var/log/swtpm
mkdir -p /run/network
mount --bind "$state/ifstate" /run/network
printf 'auto lo\niface lo inet loopback\n' > "$state/network/interfaces"
for name in if-pre-up.d if-up.d if-down.d if-post-down.d interfaces.d; do mkdir "$state/network/$name"; done
mount --bind "$state/network" /etc/network
ip link set lo up
echo ready
exec sleep infinity
`;

const call = (program: string, argv: string[]) =>
  spawnSync(program, argv, { encoding: 'utf8', timeout: 60_000 });

async function until(what: string, condition: () => boolean, timeoutMs = 20_000): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`did not happen within ${timeoutMs} ms: ${what}`);
    await sleep(20);
  }
}

export class PrivateLibvirt {
  private readonly state = mkdtempSync(join(tmpdir(), 'cairn-libvirt-'));
  private readonly shared: string;
  private holder: ChildProcess | null = null;
  private daemons: ChildProcess[] = [];

  constructor(shared: string) {
    this.shared = shared;
    for (const name of ['etc', 'run', 'varlib', 'log/qemu', 'cache', 'swtpm', 'ifstate', 'network'])
      mkdirSync(join(this.state, name), { recursive: true });
  }

  /** Words to be put before a program, so that it meets this libvirtd. */
  enter(folder = '/'): string[] {
    return ['/usr/bin/nsenter', '--mount', `--target=${this.holder?.pid ?? 0}`, `--wd=${folder}`, '--'];
  }

  /** The configuration of its network, ifupdown's: nothing but the loopback link. */
  get interfaces(): string {
    return join(this.state, 'network/interfaces');
  }
  /** Brings a link of its network up as the start of a host does. */
  ifup(link: string): void {
    const [nsenter = '', ...words] = this.enter();
    const argv = [...words.slice(0, -1), `--net=${this.networkNamespace}`, '--', '/usr/sbin/ifup', link];
    const { status, stderr } = call(nsenter, argv);
    if (status !== 0) throw new Error(`ifup ${link}: ${stderr}`);
  }

  /** Path of its network namespace. */
  get networkNamespace(): string {
    return `/proc/${this.holder?.pid ?? 0}/ns/net`;
  }
  /** ip(8), in its network. @throws Error with what it says */
  ip(...words: string[]): string {
    const { status, stdout, stderr } = call('/usr/bin/nsenter', [
      ...[`--net=${this.networkNamespace}`, '--', '/usr/bin/ip', ...words],
    ]);
    if (status !== 0) throw new Error(`ip ${words.join(' ')}: ${stderr}`);
    return stdout;
  }

  async start(): Promise<void> {
    for (const argv of [
      ['--bind', this.shared, this.shared],
      ['--make-private', this.shared],
      ['--make-shared', this.shared],
    ]) {
      const { status, stderr } = call('/usr/bin/mount', argv);
      if (status !== 0) throw new Error(`mount: ${stderr}`);
    }
    this.holder = spawn(
      '/usr/bin/unshare',
      [
        '--mount',
        '--net',
        '--propagation',
        'unchanged',
        '/bin/bash',
        '-c',
        NAMESPACE,
        'bash',
        this.state,
        this.shared,
      ],
      { stdio: ['ignore', 'pipe', 'pipe'] },
    );
    let said = '';
    for (const stream of [this.holder.stdout, this.holder.stderr])
      stream?.on('data', (chunk: Buffer) => (said += chunk.toString()));
    await until('the namespace is ready', () => said.includes('ready\n') || this.holder?.exitCode !== null);
    if (this.holder.exitCode !== null) throw new Error(`the namespace was not made: ${said}`);
    this.daemon('/usr/sbin/virtlogd', '/run/libvirt/virtlogd.pid');
    await this.startLibvirtd();
  }

  private daemon(program: string, pidFile: string): void {
    const [nsenter = '', ...words] = this.enter();
    this.daemons.push(
      spawn(nsenter, [...words.slice(0, -1), '--net', '--', program, '--pid-file', pidFile], {
        stdio: 'ignore',
        // swtpm_setup, which becomes another user, could not write where that leads.
        env: { ...process.env, TMPDIR: undefined },
      }),
    );
  }
  async startLibvirtd(): Promise<void> {
    this.daemon('/usr/sbin/libvirtd', '/run/libvirt/libvirtd.pid');
    await until('libvirtd answers', () => this.virsh('uri').status === 0);
  }
  async killLibvirtd(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const daemon = this.daemons.pop();
    daemon?.kill(signal);
    await until('libvirtd has ended', () => daemon?.exitCode !== null || daemon.signalCode !== null);
  }

  virsh(...words: string[]) {
    const [nsenter = '', ...before] = this.enter();
    return call(nsenter, [...before, '/usr/bin/virsh', '-q', '-c', 'qemu:///system', ...words]);
  }
  /** As somebody with a shell does. @returns the exit status */
  define(xml: string): number | null {
    const file = join(this.state, 'define.xml');
    writeFileSync(file, xml);
    return this.virsh('define', file).status;
  }
  /** `running`, `shut off`, ...; null: it does not know the machine. */
  domstate(name: string): string | null {
    const { status, stdout } = this.virsh('domstate', name);
    return status === 0 ? stdout.trim() : null;
  }
  /** Where the TPM of a machine keeps what is in it, seen from outside. */
  tpmFolder(id = ''): string {
    return join(this.state, 'varlib/swtpm', id);
  }
  /** The process of a guest. */
  pidOf(name: string): number {
    return Number(readFileSync(join(this.state, 'run/qemu', `${name}.pid`), 'utf8'));
  }

  /** Resolves when the micro guest answers on its serial line: before that it would not notice its power button. */
  async guestListens(name: string): Promise<void> {
    const path = this.virsh('ttyconsole', name).stdout.trim();
    const line = openSync(path, constants.O_RDWR | constants.O_NOCTTY | constants.O_NONBLOCK);
    const said = Buffer.alloc(4096);
    try {
      await until(`the guest ${name} listens`, () => {
        writeSync(line, 'x');
        try {
          return /MICRO-READY|x/.test(said.toString('latin1', 0, readSync(line, said)));
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return false;
          throw error;
        }
      });
    } finally {
      closeSync(line);
    }
  }

  /** Ends everything that it started, also what it does not know of any more. */
  async close(): Promise<void> {
    const run = join(this.state, 'run');
    const pidFiles = ['qemu', 'qemu/swtpm', 'network'].flatMap((name) =>
      existsSync(join(run, name)) ? readdirSync(join(run, name)).map((file) => join(run, name, file)) : [],
    );
    const pids = pidFiles
      .filter((path) => path.endsWith('.pid'))
      .map((path) => Number(readFileSync(path, 'utf8')));
    for (const daemon of this.daemons) daemon.kill('SIGKILL');
    for (const pid of pids)
      try {
        process.kill(pid, 'SIGKILL');
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
      }
    const all = [...this.daemons, ...(this.holder ? [this.holder] : [])];
    this.holder?.kill('SIGKILL');
    await until('its processes have ended', () =>
      all.every((one) => one.exitCode !== null || one.signalCode !== null),
    );
    call('/usr/bin/umount', ['--lazy', '--', this.shared]);
    removeFolder(this.state);
  }
}
