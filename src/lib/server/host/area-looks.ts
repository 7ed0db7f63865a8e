/** The looks of wiping with a way back. They change nothing. */
import { z } from 'zod';
import type { LookResult } from '$lib/plugin-api/plan';
import type { JsonObject } from '$lib/shared/json';
import { areasAreSaved, compareAreas } from './areas';
import { BLANK } from './content-hash';
import { askWipefs } from './signatures';
import type { Host } from './types';

type LookHost = Pick<Host, 'commands' | 'blockDevices'>;

const savedArguments = z.object({
  drive: z.string(),
  path: z.string(),
  areas: z.array(z.object({ offsetBytes: z.number(), lengthBytes: z.number() })),
});
const erasedArguments = z.object({ drive: z.string(), path: z.string(), contentHash: z.string() });
const writtenArguments = z.object({ drive: z.string(), path: z.string() });

const seen = (status: LookResult['status'], evidence: string): LookResult => ({ status, evidence });

export async function areasSaved(_host: LookHost, args: JsonObject): Promise<LookResult> {
  const { drive, path, areas } = savedArguments.parse(args);
  const saved = await areasAreSaved(path, drive, areas);
  if (saved === null) return seen('absent', `There is no file ${path}.`);
  return saved
    ? seen('done', `What the wipe changes is saved in ${path}.`)
    : seen('foreign', `${path} holds something else.`);
}

export async function areasErased(host: LookHost, args: JsonObject): Promise<LookResult> {
  const { drive, path, contentHash } = erasedArguments.parse(args);
  const now = await host.blockDevices.inspect(drive);
  const left = [now, ...now.partitions].flatMap((place) => place.signatures);
  if (
    now.contentHash === BLANK ||
    (left.length === 0 && (await askWipefs(host.commands, now.path)).length === 0)
  )
    return seen('done', `No signature is on ${drive} or its partitions.`);
  if (now.contentHash === contentHash) return seen('absent', `On ${drive} is still what the plan erases.`);
  return (await compareAreas(now.path, path)) === 'other'
    ? seen('foreign', `On ${drive} is something else than the plan was made for.`)
    : seen('partial', `A part of what was on ${drive} is erased.`);
}

export async function areasWritten(host: LookHost, args: JsonObject): Promise<LookResult> {
  const { drive, path } = writtenArguments.parse(args);
  switch (await compareAreas(host.blockDevices.resolve({ drive }), path)) {
    case 'same':
      return seen('done', `What was saved in ${path} is on ${drive}.`);
    case 'erased':
      return seen('absent', `On ${drive} is what the wipe left.`);
    case 'other':
      return seen('foreign', `Something else was written to ${drive} since it was wiped.`);
  }
}
