/** The lab inside a test file: ends every guest after each case, and keeps what a failed one has to say. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeAll } from 'vitest';
import { checkout } from './cache.ts';
import type { Cairn, CairnOptions } from './cairn.ts';
import { ensureImage } from './image.ts';
import { Lab } from './lab.ts';
import type { Machine, MachineOptions } from './machine.ts';
import { ensureZfs } from './zfs.ts';

const artifacts = join(checkout, 'test/artifacts/lab');
const ENSURE_MS = 1_200_000;

async function evidence(machine: Machine): Promise<string> {
  const said = machine.isOn
    ? await machine.run('lsblk; cat /proc/mdstat; journalctl -n 300 -o short-monotonic').then(
        ({ out }) => out,
        (error: unknown) => String(error),
      )
    : 'The machine was off.';
  return `== console\n${machine.console()}\n== guest\n${said}\n`;
}

export interface LabOfCase {
  /** A guest with these drives. */
  machine(options?: MachineOptions): Promise<Machine>;
  /** The same, and Cairn runs in it: it is `cairn.machine`. */
  cairn(options?: MachineOptions & CairnOptions): Promise<Cairn>;
}

/**
 * @param zfs the guest has ZFS: compiled for its kernel first, which takes ten minutes, when nobody has done it yet
 * @param cairn the saved guest with Cairn is made before the first case, not in the time of that case
 */
export function useLab({ zfs = false, cairn = false } = {}): LabOfCase {
  let lab: Lab | undefined;
  beforeAll(async () => {
    if (zfs) await ensureZfs((await ensureImage()).root);
    lab = await Lab.ensure({ cairn });
  }, ENSURE_MS);
  afterEach(async ({ task }) => {
    try {
      if (task.result?.state !== 'fail') return;
      await mkdir(artifacts, { recursive: true });
      const name = task.name.replaceAll(/\W+/g, '-').slice(0, 80);
      for (const [index, machine] of (lab?.machines ?? []).entries())
        await writeFile(join(artifacts, `${name}-${index}.log`), await evidence(machine));
    } finally {
      await lab?.close();
    }
  });
  const inTest = (): Lab => {
    if (!lab) throw new Error('The lab is there inside of tests only.');
    return lab;
  };
  return {
    machine: (options) => inTest().machine(options),
    cairn: (options) => inTest().cairn(options),
  };
}
