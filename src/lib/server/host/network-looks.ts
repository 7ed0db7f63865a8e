/** Looks at the network links of the host. They change nothing and never guess. */
import { existsSync } from 'node:fs';
import { z } from 'zod';
import type { LookResult, LookStatus } from '$lib/plugin-api/plan';
import type { JsonObject } from '$lib/shared/json';
import { readLinks } from './links';
import type { CommandRunner } from './types';

type Ask = { commands: Pick<CommandRunner, 'read'> };
const seen = (status: LookStatus, evidence: string): LookResult => ({ status, evidence });

const bridgeArguments = z.object({
  namespace: z.string().nullable(),
  bridge: z.string(),
  port: z.string().nullable(),
  /** It has to have these, of the configuration; of others it has to have one at least when `needsAddress`. */
  addresses: z.array(z.string()),
  needsAddress: z.boolean(),
});
/** done: the bridge is up, with its port and the addresses of the host. absent: there is no link of its name. */
export async function bridgeUp({ commands }: Ask, args: JsonObject): Promise<LookResult> {
  const { namespace, bridge, port, addresses, needsAddress } = bridgeArguments.parse(args);
  const links = await readLinks(commands, namespace);
  const link = links.find(({ id }) => id === bridge);
  if (!link) return seen('absent', `There is no bridge ${bridge}.`);
  if (link.kind !== 'bridge') return seen('foreign', `${bridge} is there, and is no bridge.`);
  if (!link.isUp) return seen('partial', `The bridge ${bridge} is there and switched off.`);
  if (port !== null && links.find(({ id }) => id === port)?.bridge !== bridge)
    return seen('partial', `${port} is no port of the bridge ${bridge}.`);
  const missing = addresses.filter((address) => !link.addresses.includes(address));
  if (missing.length > 0) return seen('partial', `The bridge ${bridge} does not have ${missing.join(', ')}.`);
  if (needsAddress && link.addresses.length === 0)
    return seen('partial', `The bridge ${bridge} has no address.`);
  const has = link.addresses.length > 0 ? ` with ${link.addresses.join(', ')}` : '';
  return seen('done', `The bridge ${bridge} is up${has}.`);
}

const addressArguments = z.object({ namespace: z.string().nullable(), link: z.string() });
/** done: the link has an address of the host. absent: it has none, or is not there. */
export async function linkAddressed({ commands }: Ask, args: JsonObject): Promise<LookResult> {
  const { namespace, link: id } = addressArguments.parse(args);
  const link = (await readLinks(commands, namespace)).find((one) => one.id === id);
  if (!link) return seen('absent', `There is no link ${id}.`);
  return link.addresses.length > 0
    ? seen('done', `${id} has ${link.addresses.join(', ')}.`)
    : seen('absent', `${id} has no address.`);
}

const checkInArguments = z.object({ path: z.string(), fromMs: z.number(), untilMs: z.number() });
/** running until somebody has said that the host can be reached, which a file tells; absent when nobody did in time. */
export function checkIn(args: JsonObject, nowMs: number): LookResult {
  const { path, fromMs, untilMs } = checkInArguments.parse(args);
  if (existsSync(path)) return seen('done', 'Somebody has said that the host can still be reached.');
  const left = untilMs - nowMs;
  if (left <= 0) return seen('absent', 'Nobody has said that the host can still be reached.');
  return {
    ...seen('running', `Keep it within ${Math.ceil(left / 1_000)} s, or it is taken back`),
    percent: Math.min(99, Math.floor(((nowMs - fromMs) * 100) / (untilMs - fromMs))),
  };
}
