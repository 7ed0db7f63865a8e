/**
 * A machine that stands still before its case has begun says nothing about what the case is to prove: it is switched on once
 * more. Its console is kept, and a line says so. Nothing else in the lab is ever repeated.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { checkout } from './cache.ts';
import { Power } from './power.ts';
import type { Start } from './qemu.ts';

const artifacts = join(checkout, 'test/artifacts/lab');

async function report(power: Power, error: unknown): Promise<void> {
  await mkdir(artifacts, { recursive: true });
  const file = join(artifacts, `start-that-failed-${process.pid}-${Date.now()}.log`);
  const why = error instanceof Error ? error.message : String(error);
  await writeFile(
    file,
    `${why}\n== processors\n${await power.processors()}\n== console\n${power.console()}\n`,
  );
  process.stderr.write(`lab: a machine did not start and is switched on again; see ${file}\n`);
}

/**
 * @param prepare makes what the machine starts from; asked again for the second try
 * @param started is told the machine before it is up, so that it can be cut off meanwhile
 */
export async function switchOn(
  prepare: () => Promise<Start>,
  started: (power: Power) => void,
): Promise<Power> {
  for (let attempt = 1; ; attempt += 1) {
    const power = new Power(await prepare());
    started(power);
    try {
      await power.up();
      return power;
    } catch (error) {
      // Ended from outside: by the wall limit, or with the case.
      if (attempt === 2 || power.wasCut) throw error;
      await report(power, error);
      await power.cut();
    }
  }
}
