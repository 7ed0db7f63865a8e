/**
 * The saved guest with Cairn running in it, set up, without drives of its own. Under emulation Cairn takes seven seconds to
 * start; a copy of this one is ready in two. Only the first start is from it: after a power cut Cairn starts anew.
 */
import { readFile, truncate, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { ensureAppImage } from './app-image.ts';
import { cachedFolder, inputsBelow, type Input } from './cache.ts';
import type { Credentials } from './cairn-client.ts';
import { APP_SERIAL, DATA_BYTES, DATA_SERIAL, startCairn, type Cairn } from './cairn.ts';
import type { Golden, Saved } from './image.ts';
import { Machine } from './machine.ts';

export interface CairnGolden extends Saved {
  credentials: Credentials;
}

const STATE = 'state';
const CREDENTIALS = 'credentials.json';
const DATA = 'data.raw';
const LOOKS = 5;
const WALL_LIMIT_MS = 1_200_000;

/** Succeeds when Cairn and what it has started use less than a fifth of a processor. */
const IDLE = `
used() { awk '$1 == "usage_usec" { print $2 }' /sys/fs/cgroup/system.slice/cairn.service/cpu.stat; }
before=$(used); sleep 1; [ $(($(used) - before)) -lt 200000 ]`;

/** On a busy machine the look at a plugin's tools may have come too late, and every copy would lack that plugin. */
async function pluginsLooked(cairn: Cairn): Promise<void> {
  let missing = ['?'];
  for (let tries = 0; missing.length > 0 && tries < LOOKS; tries += 1) {
    const plugins = await cairn.trpc.plugins.refresh.mutate();
    missing = plugins.filter(({ available }) => !available).map(({ id, reason }) => `${id}: ${reason}`);
  }
  if (missing.length > 0)
    process.stderr.write(`lab: in the guest with Cairn is not available ${missing.join('; ')}\n`);
}

/** Its tools have been looked at, and nothing is being read: every copy would have to do it again. */
async function make(folder: string, golden: Golden, app: string): Promise<void> {
  const machine = new Machine(golden, folder, { wallLimitMs: WALL_LIMIT_MS });
  try {
    const data = join(folder, DATA);
    await writeFile(data, '');
    await truncate(data, DATA_BYTES);
    await machine.start({
      drives: [
        { serial: APP_SERIAL, file: app, readOnly: true },
        { serial: DATA_SERIAL, file: data },
      ],
    });
    const cairn = await startCairn(machine);
    const { credentials } = cairn;
    // The second start finds the compiled code of the first.
    await cairn.start();
    await cairn.drive(DATA_SERIAL);
    await pluginsLooked(cairn);
    await machine.until(IDLE, { timeoutMs: 300_000 });
    await machine.check('sync');
    await writeFile(join(folder, CREDENTIALS), JSON.stringify(credentials));
    await machine.save(join(folder, STATE));
  } finally {
    await machine.powerCut();
  }
}

/** @throws Error when the checkout has not been built */
export async function ensureCairnGolden(golden: Golden): Promise<CairnGolden> {
  const app = await ensureAppImage();
  const inputs: Input[] = [
    { name: 'golden', content: basename(dirname(golden.state)) },
    { name: 'app', content: basename(dirname(app)) },
  ];
  for (const name of ['cairn.ts', 'cairn-client.ts', 'cairn-golden.ts'])
    inputs.push(...(await inputsBelow(`test/lab/${name}`)));
  const folder = await cachedFolder('cairn', inputs, (unfinished) => make(unfinished, golden, app));
  return {
    root: join(folder, 'root.qcow2'),
    state: join(folder, STATE),
    drives: [
      { serial: APP_SERIAL, file: app, readOnly: true },
      { serial: DATA_SERIAL, file: join(folder, DATA) },
    ],
    credentials: JSON.parse(await readFile(join(folder, CREDENTIALS), 'utf8')) as Credentials,
  };
}
