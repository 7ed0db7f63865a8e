/** One life of a virtual machine, from power on to power off. What it is made of belongs to the caller. */
import type { ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { GuestChannel } from './guest-channel.ts';
import { CONTROL_PORT, PRODUCT_PORT, startQemu, type Start } from './qemu.ts';
import { Qmp } from './qmp.ts';

const READY = 'LAB-READY';
/** What a boot that will never be ready says. */
const LOST = /Kernel panic.*|Entering emergency mode.*|You are in emergency mode.*/;
const COLD_BOOT_MS = 240_000;
const WAKE_MS = 60_000;

/** Processes that must not outlive this one. The kernel sees to it as well; this is for an orderly exit. */
const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

export class Power {
  readonly #start: Start;
  readonly #child: ChildProcess;
  readonly #ended: Promise<void>;
  #qmp: Qmp | null = null;
  #guest: GuestChannel | null = null;
  #productPort = 0;
  #cut = false;

  /** Switches on; up() waits for the guest. */
  constructor(start: Start) {
    this.#start = start;
    rmSync(join(start.folder, 'qmp'), { force: true });
    writeFileSync(join(start.folder, 'console.log'), '');
    const child = startQemu(start);
    this.#child = child;
    running.add(child);
    this.#ended = new Promise<void>((resolve) => {
      const end = () => {
        running.delete(child);
        resolve();
      };
      child.once('exit', end);
      child.once('error', end);
    });
  }

  /** Waits until the guest answers. Whoever made this ends it, also when this fails. */
  async up(): Promise<void> {
    try {
      this.#qmp = await Qmp.connect(join(this.#start.folder, 'qmp'), () => this.isOn);
      const [control, product] = await forwardedPorts(this.#qmp);
      this.#guest = new GuestChannel(control);
      this.#productPort = product;
      if (this.#start.stateFile) await this.#resume();
      else await this.ready(1, COLD_BOOT_MS);
    } catch (error) {
      const said = readFileSync(join(this.#start.folder, 'qemu.log'), 'utf8').trim();
      const why = error instanceof Error ? error.message : String(error);
      throw new Error(`The guest did not start: ${why} ${said}`, { cause: error });
    }
  }

  get qmp(): Qmp {
    if (!this.#qmp) throw new Error('QEMU does not answer yet.');
    return this.#qmp;
  }
  get guest(): GuestChannel {
    if (!this.#guest) throw new Error('The guest is not up yet.');
    return this.#guest;
  }
  /** Where Cairn's port of the guest can be reached on 127.0.0.1. */
  get productPort(): number {
    return this.#productPort;
  }

  /** By cut(), also while it was coming up. */
  get wasCut(): boolean {
    return this.#cut;
  }

  get isOn(): boolean {
    return running.has(this.#child);
  }

  /** Where its processors are, for a machine that stands still. */
  async processors(): Promise<string> {
    const ask = this.qmp.execute<string>('human-monitor-command', { 'command-line': 'info registers -a' });
    const late = sleep(5_000).then(() => 'QEMU does not answer.');
    return Promise.race([ask, late]).catch((error: unknown) => String(error));
  }

  console(): string {
    return readFileSync(join(this.#start.folder, 'console.log'), 'utf8');
  }

  /** Waits until the guest has come up so many times. */
  async ready(times: number, timeoutMs: number): Promise<void> {
    const until = Date.now() + timeoutMs;
    while (this.console().split(READY).length <= times) {
      if (!this.isOn) throw new Error('QEMU ended.');
      const lost = LOST.exec(
        this.console()
          .split(READY)
          .slice(times - 1)
          .join(''),
      );
      if (lost) throw new Error(lost[0]);
      if (Date.now() > until)
        throw new Error(`Not up within ${timeoutMs} ms:\n${this.console().slice(-2_000)}`);
      await sleep(50);
    }
    await this.#answers(until);
  }

  readonly timesReady = (): number => this.console().split(READY).length - 1;

  /** Writes the state of the running guest to a file and switches off. */
  async save(stateFile: string): Promise<void> {
    await this.qmp.execute('stop');
    await this.qmp.execute('migrate-set-parameters', { 'max-bandwidth': 2 ** 40 });
    await this.qmp.execute('migrate', { uri: `exec:exec cat > '${stateFile}'` });
    for (;;) {
      const { status, ...rest } = await this.qmp.execute<{ status?: string }>('query-migrate');
      if (status === 'completed') break;
      if (status === 'failed') throw new Error(`QEMU could not save the guest: ${JSON.stringify(rest)}`);
      await sleep(20);
    }
    await this.off();
  }

  /** Ends QEMU in its own way: everything the guest has written is in the files. */
  async off(): Promise<void> {
    await this.qmp.execute('quit').catch((error: unknown) => {
      if (this.isOn) throw error;
    });
    await this.#ended;
    this.#qmp?.close();
  }

  /** kill -9: what the guest had not written to a drive is gone. */
  async cut(): Promise<void> {
    this.#cut = true;
    this.#child.kill('SIGKILL');
    await this.#ended;
    this.#qmp?.close();
  }

  /** The marker comes a moment before the port is open, and QEMU refuses the connection in between. */
  async #answers(until: number): Promise<void> {
    for (;;) {
      try {
        await this.guest.run('true', 3_000);
        return;
      } catch (error) {
        if (!this.isOn || Date.now() > until) throw error;
        await sleep(100);
      }
    }
  }

  async #resume(): Promise<void> {
    while ((await this.qmp.execute<{ status: string }>('query-status')).status === 'inmigrate')
      await sleep(10);
    await this.qmp.execute('cont');
    const now = String(Math.round(Date.now() / 10) / 100);
    const woken = await this.guest.run(['lab-wake', now, randomBytes(64).toString('hex')], WAKE_MS);
    if (woken.code !== 0) throw new Error(`The restored guest did not wake: ${woken.out}`);
  }
}

/** QEMU took free ports by itself: `TCP[HOST_FORWARD]  12  127.0.0.1 40321  10.0.2.15 7000`. */
async function forwardedPorts(qmp: Qmp): Promise<[control: number, product: number]> {
  const text = await qmp.execute<string>('human-monitor-command', { 'command-line': 'info usernet' });
  const forwarded = (guestPort: number): number => {
    const match = new RegExp(
      `HOST_FORWARD\\]\\s+\\d+\\s+127\\.0\\.0\\.1\\s+(\\d+)\\s+10\\.0\\.2\\.15\\s+${guestPort}\\b`,
    ).exec(text);
    if (!match) throw new Error(`QEMU forwards no port to ${guestPort}:\n${text}`);
    return Number(match[1]);
  };
  return [forwarded(CONTROL_PORT), forwarded(PRODUCT_PORT)];
}
