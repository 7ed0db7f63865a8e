/** The lab: guests from the saved state, and their end. */
import { readdir, rm } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { cacheFolder } from './cache.ts';
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
  static async ensure(): Promise<Lab> {
    const golden = await ensureGolden();
    await removeOrphans();
    return new Lab(golden);
  }

  /** A guest that answers, with these drives in it. */
  async machine(options: MachineOptions = {}): Promise<Machine> {
    const folder = join(runsFolder, `${process.pid}-${Lab.#count++}`);
    const machine = new Machine(this.#golden, folder, options);
    // Known before it runs: a case that gives up during the boot leaves nothing behind either.
    this.machines.push(machine);
    await machine.start(options);
    return machine;
  }

  /** Ends every machine that this lab has made. */
  async close(): Promise<void> {
    await Promise.all(this.machines.splice(0).map((machine) => machine.close()));
  }
}
