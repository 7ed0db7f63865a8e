/** The lab: guests from the saved state, and their end. */
import { readdir, rm } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { cacheFolder } from './cache.ts';
import { Cairn, type CairnOptions } from './cairn.ts';
import type { Credentials } from './cairn-client.ts';
import type { DriveSpec } from './drives.ts';
import { ensureCairnGolden } from './cairn-golden.ts';
import { ensureGolden, type Golden } from './image.ts';
import { Machine, type MachineOptions } from './machine.ts';

const runsFolder = join(cacheFolder, 'runs');

/** Folders of machines whose driver was killed. */
async function removeOrphans(): Promise<void> {
  if (!existsSync(runsFolder)) return;
  for (const name of await readdir(runsFolder))
    if (!existsSync(`/proc/${name.split('-')[0]}`))
      await rm(join(runsFolder, name), { recursive: true, force: true });
}

export class Lab {
  readonly machines: Machine[] = [];
  readonly #golden: Golden;
  static #count = 0;

  private constructor(golden: Golden) {
    this.#golden = golden;
  }

  /** Builds what is missing: about a minute and a half the first time, nothing later. */
  static async ensure({ cairn = false, zfs = false } = {}): Promise<Lab> {
    const golden = await ensureGolden({ zfs });
    await removeOrphans();
    if (cairn) await ensureCairnGolden(golden);
    return new Lab(golden);
  }

  /** A guest that answers, with these drives in it. */
  async machine(options: MachineOptions = {}): Promise<Machine> {
    const machine = this.#next(options);
    await machine.start(options);
    return machine;
  }

  /** A guest in which Cairn is set up and runs; with settings of its own it is restarted first. */
  async cairn({ env, restarts, ...options }: MachineOptions & CairnOptions = {}): Promise<Cairn> {
    const { credentials, ...saved } = await ensureCairnGolden(this.#golden);
    const machine = this.#next(options);
    await machine.start(options, saved);
    const cairn = new Cairn(machine, credentials);
    if (env || restarts !== undefined)
      await cairn.start({ ...(env && { env }), ...(restarts !== undefined && { restarts }) });
    else await cairn.ready();
    return cairn;
  }

  /** A machine with drives on which Cairn has worked, its data among them: as after a power cut. */
  async cairnOn(drives: DriveSpec[], credentials: Credentials): Promise<Cairn> {
    const cairn = new Cairn(await this.machine({ drives }), credentials);
    await cairn.start();
    return cairn;
  }

  #next(options: MachineOptions): Machine {
    const folder = join(runsFolder, `${process.pid}-${Lab.#count++}`);
    const machine = new Machine(this.#golden, folder, options);
    // Known before it runs: a case that gives up during the boot leaves nothing behind either.
    this.machines.push(machine);
    return machine;
  }

  /** Ends every machine that this lab has made. */
  async close(): Promise<void> {
    await Promise.all(this.machines.splice(0).map((machine) => machine.close()));
  }
}
