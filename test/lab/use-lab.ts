/** The lab inside a test file: ends every guest after each case, and keeps what a failed one has to say. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeAll } from 'vitest';
import { checkout } from './cache.ts';
import type { Cairn, CairnOptions } from './cairn.ts';
import type { Credentials } from './cairn-client.ts';
import type { DriveSpec } from './drives.ts';
import { Lab } from './lab.ts';
import type { Machine, MachineOptions } from './machine.ts';

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
  /** A machine with drives on which Cairn has worked before: as after a power cut. */
  cairnOn(drives: DriveSpec[], credentials: Credentials): Promise<Cairn>;
  /** Ends the guests made so far, for a case that needs many. */
  close(): Promise<void>;
}

/**
 * What is missing is built before the first case, not in its time.
 * @param cairn cases use the guest with Cairn in it
 * @param zfs the guest has ZFS: compiled for its kernel first, which takes ten minutes, when nobody has done it yet
 */
export function useLab({ cairn = false, zfs = false } = {}): LabOfCase {
  let lab: Lab | undefined;
  beforeAll(async () => {
    // The runner of all tiers has tried it already, in the background: it says why.
    if (zfs && process.env.LAB_ZFS === 'failed')
      throw new Error(
        'OpenZFS could not be compiled for the guest; what was said about it comes before this tier.',
      );
    lab = await Lab.ensure({ cairn, zfs });
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
    cairnOn: (drives, credentials) => inTest().cairnOn(drives, credentials),
    close: () => inTest().close(),
  };
}
