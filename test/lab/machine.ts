/**
 * A guest with drives: a real kernel with systemd, whose drives can be pulled, slowed, broken and cut off.
 * Made by a Lab, which also ends it.
 */
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import * as drives from './drives.ts';
import type { Drive, DriveSpec, Fault, Limits } from './drives.ts';
import type { Finished } from './guest-channel.ts';
import { overlay, type Golden, type Saved } from './image.ts';
import { applyFaults, applyLimits, plug, unplug } from './plug.ts';
import type { Power } from './power.ts';
import { runProgram } from './program.ts';
import type { Start } from './qemu.ts';
import { switchOn } from './switch-on.ts';

export interface MachineOptions {
  drives?: DriveSpec[];
  /** A real boot (about 15 s) instead of the saved one (about 1 s). */
  cold?: boolean;
  /** After this the machine is killed, and what waits for it fails. Ten minutes unless told. */
  wallLimitMs?: number;
}
export interface BootOptions {
  cold?: boolean;
  /**
   * `kept` goes on with the root drive of the last life, so that installed units, fstab and the like are still there; only a
   * cold boot can. `fresh` unless told.
   */
  root?: 'fresh' | 'kept';
  /** Serials in the order in which the drives get their ports, and so most likely their names. */
  order?: string[];
}
interface RunOptions {
  timeoutMs?: number;
}

const RUN_MS = 120_000;
const SPARSE_COPY = ['--sparse=always', '--reflink=auto'];
const COPY_MS = 120_000;
const WALL_LIMIT_MS = 600_000;

export class Machine {
  /** Scratch space on this side; gone with the machine. */
  readonly folder: string;
  readonly #golden: Golden;
  readonly #drives: Drive[] = [];
  readonly #wallTimer: NodeJS.Timeout;
  #power: Power | null = null;
  #driveCount = 0;
  #consoles = '';

  /** Makes nothing yet: start() does. */
  constructor(golden: Golden, folder: string, { wallLimitMs = WALL_LIMIT_MS }: MachineOptions) {
    this.#golden = golden;
    this.folder = folder;
    this.#wallTimer = setTimeout(() => {
      process.stderr.write(`lab: a machine was ended after ${wallLimitMs} ms\n`);
      void this.powerCut();
    }, wallLimitMs);
    this.#wallTimer.unref();
  }

  /** @param from another saved guest than the one with nothing in it */
  async start(
    { drives: specs = [], cold = false }: MachineOptions,
    from: Saved = this.#golden,
  ): Promise<void> {
    await mkdir(this.folder, { recursive: true });
    for (const spec of from.drives) await this.#makeDrive(await this.#ownCopy(spec));
    for (const spec of specs) await this.#makeDrive(spec);
    await this.#switchOn({ cold }, from);
  }

  /* Power */

  /** Switches on with every drive that has not been pulled, and waits until the guest has described them. */
  boot(options: BootOptions = {}): Promise<void> {
    return this.#switchOn(options, this.#golden);
  }

  async #switchOn({ cold = false, root = 'fresh', order = [] }: BootOptions, from: Saved): Promise<void> {
    if (this.#power?.isOn) throw new Error('The machine is on already.');
    if (root === 'kept' && !cold)
      throw new Error('Only a cold boot goes on with the root drive of the last life.');
    const present = this.#inOrder(order);
    for (const drive of present) drive.attached = false;
    for (const drive of present) {
      drive.port = drives.choosePort(drive, this.#drives);
      drive.attached = true;
    }
    const sata = present.filter((drive) => drive.spec.bus === 'sata');
    const saved = present.slice(0, from.drives.length);
    const atOnce = cold ? present : [...saved, ...sata];
    const rootOverlay = join(this.folder, 'root.qcow2');
    const prepare = async (): Promise<Start> => {
      if (root === 'fresh') await overlay(rootOverlay, cold ? this.#golden.image.root : from.root);
      return {
        folder: this.folder,
        kernel: this.#golden.image.kernel,
        initrd: this.#golden.image.initrd,
        rootOverlay,
        drives: atOnce,
        ...(!cold && { stateFile: from.state }),
      };
    };
    await switchOn(prepare, (power) => (this.#power = power));
    for (const drive of present) if (!atOnce.includes(drive)) await plug(this.#on().qmp, drive);
    if (!cold && sata.length > 0) await this.check('modprobe ata_piix');
    await this.#described(present);
  }

  /** The plug is pulled: kill -9 of QEMU. What the guest had written to a drive is there, the rest is gone. */
  async powerCut(): Promise<void> {
    this.#consoles += this.#power?.console() ?? '';
    await this.#power?.cut();
    this.#power = null;
  }

  /** `systemctl reboot` inside: services stop, and the same machine comes up again in the real way. */
  async reboot({ timeoutMs = 180_000 } = {}): Promise<void> {
    const power = this.#on();
    const times = power.timesReady();
    // A moment later: the answer to this very request must get out first.
    await this.check('(sleep 0.2; systemctl reboot) </dev/null >/dev/null 2>&1 &');
    await power.ready(times + 1, timeoutMs);
    await this.#described(this.#drives.filter((drive) => drive.attached));
  }

  /** Saves the running guest beside its root drive, and switches off. */
  async save(stateFile: string): Promise<void> {
    await this.#on().save(stateFile);
  }

  /** Ends the machine and forgets its drives. */
  async close(): Promise<void> {
    clearTimeout(this.#wallTimer);
    await this.powerCut();
    await rm(this.folder, { recursive: true, force: true });
  }

  get isOn(): boolean {
    return this.#power?.isOn ?? false;
  }
  /** The port of 127.0.0.1 that leads to Cairn's port in the guest; another one after every boot. */
  get productPort(): number {
    return this.#on().productPort;
  }
  /** What the kernel and systemd wrote on the console, in this life and earlier ones. */
  console(): string {
    return this.#consoles + (this.#power?.console() ?? '');
  }

  /* Inside the guest */

  /** Runs a bash script, or a program with its arguments, as root. */
  run(script: string | string[], { timeoutMs = RUN_MS }: RunOptions = {}): Promise<Finished> {
    return this.#on().guest.run(script, timeoutMs);
  }

  /**
   * The same, where anything but success is a mistake of the case.
   * @returns what it said, without white space at the ends
   */
  async check(script: string | string[], options: RunOptions = {}): Promise<string> {
    const { code, out } = await this.run(script, options);
    if (code !== 0) throw new Error(`Exit ${code} in the guest of: ${String(script)}\n${out}`);
    return out.trim();
  }

  /** Repeats a script until it succeeds. */
  async until(script: string, { timeoutMs = 30_000, everyMs = 200 } = {}): Promise<string> {
    const seconds = everyMs / 1_000;
    const loop = `try() {\n${script}\n}\nwhile ! try; do sleep ${seconds}; done`;
    return this.check(loop, { timeoutMs });
  }

  async push(path: string, content: Buffer | string, mode = '0644'): Promise<void> {
    await this.#on().guest.push(path, Buffer.from(content), mode, COPY_MS);
  }
  pull(path: string): Promise<Buffer> {
    return this.#on().guest.pull(path, COPY_MS);
  }

  /** `/dev/sdb` of today. Waits until the guest knows the drive. */
  async path(serial: string): Promise<string> {
    const [path = ''] = await this.paths(serial);
    return path;
  }
  /** In the order asked for. */
  async paths(...serials: string[]): Promise<string[]> {
    return (await this.check(['lab-drive', ...serials])).split('\n');
  }

  /* Drives */

  /** Puts in a new drive, and waits until the guest has described it. */
  async addDrive(spec: DriveSpec): Promise<void> {
    const drive = await this.#makeDrive(spec);
    if (drive.spec.bus === 'sata') throw new Error('sata drives are there from the start.');
    await this.replug(spec.serial);
  }

  /** Takes a drive out, while the guest runs or while it is off; its content stays. */
  async pullDrive(serial: string): Promise<void> {
    const drive = this.#drive(serial);
    if (drive.spec.bus === 'sata') throw new Error('sata drives cannot be pulled; use fail, or another bus.');
    if (this.isOn) await unplug(this.#on().qmp, drive);
    drive.attached = false;
  }

  /**
   * Puts a pulled drive back.
   * @param port another one than before gives it another address, and usually another name
   */
  async replug(serial: string, { port }: { port?: number } = {}): Promise<void> {
    const drive = this.#drive(serial);
    drive.port = drives.choosePort(drive, this.#drives, port);
    drive.attached = true;
    await plug(this.#on().qmp, drive);
    await this.#described([drive]);
  }

  /** Limits a drive from now on; null lets it go. */
  async throttle(serial: string, limits: Limits | null): Promise<void> {
    const drive = this.#drive(serial);
    drive.limits = limits ?? {};
    if (this.isOn && drive.attached) await applyLimits(this.#on().qmp, drive);
  }

  /**
   * Reads end with an I/O error: all of them, those that touch one 512-byte sector, or none any more. Retries by the kernel
   * make them slow: read little (64 KiB), or break one sector.
   */
  async failReads(serial: string, fault: Fault): Promise<void> {
    await this.#fail(serial, { reads: fault });
  }
  /** The same for writes. */
  async failWrites(serial: string, fault: Fault): Promise<void> {
    await this.#fail(serial, { writes: fault });
  }

  /**
   * What a power cut at this moment would leave: copies of every drive that is in, for another machine, in an existing
   * folder. The guest stands still meanwhile and goes on.
   */
  async driveCopies(folder: string): Promise<DriveSpec[]> {
    const { qmp } = this.#on();
    await qmp.execute('stop');
    try {
      const copies = this.#drives.filter((drive) => drive.attached);
      for (const { spec } of copies)
        if (!spec.readOnly)
          await runProgram('/usr/bin/cp', [...SPARSE_COPY, spec.file, join(folder, spec.serial)]);
      return copies.map(({ spec }) => (spec.readOnly ? spec : { ...spec, file: join(folder, spec.serial) }));
    } finally {
      await qmp.execute('cont');
    }
  }

  /** The drive's content as a file on this side. Write to it only while the machine is off. */
  driveFile(serial: string): string {
    return this.#drive(serial).spec.file;
  }
  hasDrive(serial: string): boolean {
    return this.#drives.some((drive) => drive.spec.serial === serial);
  }

  #on(): Power {
    if (!this.#power?.isOn) throw new Error('The machine is off.');
    return this.#power;
  }

  #drive(serial: string): Drive {
    const found = this.#drives.find((drive) => drive.spec.serial === serial);
    if (!found) throw new Error(`This machine never had a drive ${serial}.`);
    return found;
  }

  async #makeDrive(spec: DriveSpec): Promise<Drive> {
    if (this.hasDrive(spec.serial)) throw new Error(`There is a drive ${spec.serial} already.`);
    const drive = await drives.makeDrive(spec, this.#driveCount++, this.folder);
    // Not put in yet, but wanted: boot() takes those that are.
    drive.attached = !this.#power;
    this.#drives.push(drive);
    return drive;
  }

  async #ownCopy(spec: DriveSpec): Promise<DriveSpec> {
    if (spec.readOnly || !spec.file) return spec;
    const file = join(this.folder, `copy-of-${spec.serial}.raw`);
    await runProgram('/usr/bin/cp', [...SPARSE_COPY, spec.file, file]);
    return { ...spec, file };
  }

  #inOrder(order: string[]): Drive[] {
    const rank = (drive: Drive) => (order.indexOf(drive.spec.serial) + order.length + 1) % (order.length + 1);
    return this.#drives.filter((drive) => drive.attached).sort((a, b) => rank(a) - rank(b));
  }

  async #described(present: Drive[]): Promise<void> {
    if (present.length === 0) return;
    await this.paths(...present.map((drive) => drive.spec.tells));
  }

  async #fail(serial: string, faults: { reads: Fault } | { writes: Fault }): Promise<void> {
    const drive = this.#drive(serial);
    Object.assign(drive, faults);
    if (this.isOn && drive.attached) await applyFaults(this.#on().qmp, drive);
  }
}
