/**
 * Bridges of the host, as operations. The host's own configuration is what is changed, ifupdown's, so that a bridge is there at the
 * next start without Cairn. A change that moves the addresses of the host is tried with a copy of that file: until somebody
 * says that the host can still be reached the file itself is as before, so that a power cut alone takes the change back.
 */
import { existsSync, rmSync } from 'node:fs';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { not, type Action, type Look, type Step } from '$lib/plugin-api/plan';
import type { JsonObject } from '$lib/shared/json';
import { bridgeNameRequest, bridgeRequest, CHECK_IN } from '$lib/shared/wire/network-changes';
import type { HostLink } from '$lib/shared/wire/networks';
import type { Operation } from '$lib/shared/wire/operations';
import { requestIssues } from '$lib/shared/wire/requests';
import type { Clock } from '../clock';
import type { Config } from '../config';
import { AppError, issuesError } from '../errors';
import { inNetwork } from '../host/links';
import { PROGRAMS } from '../host/programs';
import type { Operations, Prepared, RecordOwner } from '../operations/types';
import { bridgeIssues } from './bridge-rules';
import { changeSteps, filesOf, type Files } from './bridge-steps';
import {
  INTERFACES,
  speaksOf,
  vlanName,
  withBridge,
  withoutBridge,
  type BridgePort,
} from './interfaces-file';
import type { Networks } from './network';

export const MAKE_BRIDGE = 'network.make-bridge';
export const REMOVE_BRIDGE = 'network.remove-bridge';
/** One change at a time. */
export const NETWORK_LOCK = 'network';
const MINUTE_MS = 60_000;

export interface BridgeDeps {
  networks: Pick<Networks, 'read'>;
  config: Pick<Config, 'networkNamespace' | 'dataDir'>;
  clock: Clock;
  operations: Operations;
  /** Names of the machines with a card on the bridge. */
  machinesOn(bridge: string): string[];
}
async function interfacesNow(): Promise<{ from: string; mode: number }> {
  const text = existsSync(PROGRAMS.ifup)
    ? await readFile(INTERFACES, 'utf8').catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return null;
        throw error;
      })
    : null;
  // What only root may read stays so.
  if (text !== null) return { from: text, mode: (await stat(INTERFACES)).mode & 0o777 };
  throw new AppError('network_not_ours', `This host is not configured by ifupdown (${INTERFACES}).`, {
    remedy:
      'Make the bridge with what configures it (systemd-networkd, NetworkManager); it shows here at once.',
  });
}

const plan = (bridge: string, title: string, steps: Step[], notes: string[]): Prepared => ({
  input: { bridge },
  title,
  subject: { type: 'host', id: 'network', label: bridge },
  steps,
  locks: [NETWORK_LOCK],
  drives: [],
  erases: [],
  confirmText: null,
  notes,
});
const checkInNote = (seconds: number): string =>
  `The host's own addresses move. Say within ${seconds} s that you still reach it, on the page of networks: otherwise everything is taken back by itself, also after a power cut.`;

/** Static ones have to be there again; what a router gives may be another one. */
function staticAddresses(text: string, link: HostLink): string[] {
  return /^\s*iface\s+\S+\s+inet\s+static/m.test(text)
    ? link.addresses.filter((address) => text.includes(address.split('/')[0] ?? ''))
    : [];
}

async function prepareMake(deps: BridgeDeps, request: JsonObject): Promise<Prepared> {
  const parsed = bridgeRequest.safeParse(request);
  if (!parsed.success) throw issuesError(requestIssues(parsed.error));
  const { name, port, vlan, checkInSeconds } = parsed.data;
  const links = await deps.networks.read();
  const issues = bridgeIssues(parsed.data, links);
  if (issues.length > 0) throw issuesError(issues);
  const link = links.find(({ id }) => id === port);
  const at: BridgePort | null = link ? { id: link.id, mac: link.mac, vlan } : null;
  const { from, mode } = await interfacesNow();
  const takesOver = link !== undefined && vlan === null && link.addresses.length > 0;
  if (takesOver && !speaksOf(from, link.id))
    throw new AppError(
      'network_not_ours',
      `${link.id} has its addresses from elsewhere than ${INTERFACES}.`,
      {
        remedy: 'Make the bridge with what configures it; it shows here at once.',
      },
    );
  const to = withBridge(from, name, at);
  const { networkNamespace: namespace } = deps.config;
  const ip = (...argv: string[]): Action => ({ do: 'exec', ...inNetwork(namespace, PROGRAMS.ip, argv) });
  const tagged = at ? vlanName(at) : null;
  const up: Look = {
    look: 'bridge-up',
    args: {
      ...{ namespace, bridge: name, port: tagged ?? port },
      addresses: takesOver ? staticAddresses(to, link) : [],
      needsAddress: takesOver,
    },
  };
  return plan(
    name,
    `Make the bridge ${name}`,
    changeSteps(deps, filesOf(deps), {
      ...{ from, to, mode },
      down: takesOver
        ? {
            link: link.id,
            look: not({ look: 'link-addressed', args: { namespace, link: link.id } }),
          }
        : null,
      up: {
        link: name,
        look: up,
        rest: [
          ...(tagged === null ? [] : [ip('link', 'delete', 'dev', tagged, 'type', 'vlan')]),
          ip('link', 'delete', 'dev', name, 'type', 'bridge'),
        ],
      },
      checkInSeconds: takesOver ? checkInSeconds : null,
    }),
    takesOver
      ? [checkInNote(checkInSeconds)]
      : [
          port === null
            ? 'Its machines reach each other, and nobody else.'
            : 'The addresses of the host stay as they are.',
        ],
  );
}

async function prepareRemove(deps: BridgeDeps, request: JsonObject): Promise<Prepared> {
  const parsed = bridgeNameRequest.safeParse(request);
  if (!parsed.success) throw issuesError(requestIssues(parsed.error));
  const { name, checkInSeconds } = parsed.data;
  const links = await deps.networks.read();
  const link = links.find(({ id }) => id === name);
  if (!link || link.kind !== 'bridge')
    throw new AppError('link_not_found', `The host has no bridge ${name}.`);
  const users = deps.machinesOn(name);
  if (users.length > 0) throw new AppError('bridge_in_use', `${name} is the network of ${users.join(', ')}.`);
  const { from, mode } = await interfacesNow();
  const { text: to, port } = withoutBridge(from, name);
  const { networkNamespace: namespace } = deps.config;
  const hasAddress = link.addresses.length > 0;
  const there: Look = {
    look: 'bridge-up',
    args: { namespace, bridge: name, port: null, addresses: [], needsAddress: false },
  };
  return plan(
    name,
    `Remove the bridge ${name}`,
    changeSteps(deps, filesOf(deps), {
      ...{ from, to, mode },
      down: { link: name, look: not(there) },
      up:
        port !== null && hasAddress
          ? { link: port, look: { look: 'link-addressed', args: { namespace, link: port } } }
          : null,
      checkInSeconds: hasAddress ? checkInSeconds : null,
    }),
    hasAddress ? [checkInNote(checkInSeconds)] : ['The addresses of the host stay as they are.'],
  );
}

/** The configuration of the host is the record; of our own only what an earlier change may have left is cleared. */
const clearing = ({ trial, kept }: Files): RecordOwner => {
  const forget = (): void => rmSync(kept, { force: true });
  return {
    begin() {
      forget();
      rmSync(trial, { force: true });
    },
    succeed: forget,
    takenBack: forget,
    needsYou() {},
  };
};

export function defineNetworkOperations(deps: BridgeDeps): void {
  const { operations, networks } = deps;
  const kinds = [
    [MAKE_BRIDGE, prepareMake],
    [REMOVE_BRIDGE, prepareRemove],
  ] as const;
  for (const [kind, prepare] of kinds)
    operations.define({
      ...{ kind, onInterrupt: 'take-back', deadlineMs: 10 * MINUTE_MS },
      prepare: (request) => prepare(deps, request),
      record: clearing(filesOf(deps)),
      beforeEnd: async () => void (await networks.read()),
    });
}

/** Somebody reaches the host after a change of its network. @returns the operation, when it has ended @throws AppError check_in_over */
export async function keepNetwork(deps: Pick<BridgeDeps, 'operations' | 'config'>): Promise<Operation> {
  const holder = deps.operations.holder(NETWORK_LOCK);
  const step = holder?.steps.find(({ name }) => name === CHECK_IN);
  if (!holder || holder.state !== 'running' || (step?.state !== 'begun' && step?.state !== 'acting'))
    throw new AppError('check_in_over', 'No change of the network waits to be kept.');
  await writeFile(filesOf(deps).kept, '', { mode: 0o600 });
  return deps.operations.wait(holder.id);
}
