/** What a restore would do on this host, thing by thing. Pure. */
import type { ConfigurationContent, RestoreItem } from '$lib/shared/wire/configuration';
import type { FoundPool } from '$lib/shared/wire/found';
import type { Pool } from '$lib/shared/wire/pools';

export interface Here {
  pools: Pick<Pool, 'guid' | 'label'>[];
  found: Pick<FoundPool, 'id' | 'guid' | 'obstacle' | 'ignored' | 'verbs'>[];
  vms: { id: string; name: string }[];
  /** Names of accounts, and of bridges. */
  users: string[];
  bridges: string[];
  plugins: string[];
  updateChannel: string | null;
}

type Item = Omit<RestoreItem, 'operationId'>;

function poolItem(here: Here, { guid, label, plugin }: ConfigurationContent['pools'][number]): Item {
  const item = { kind: 'pool' as const, id: guid, label };
  const known = here.pools.find((one) => one.guid === guid);
  if (known) return { ...item, state: 'kept', text: `It is here already, as "${known.label}".` };
  const found = here.found.find((one) => one.guid === guid);
  if (!found)
    return {
      ...item,
      state: 'missing',
      text:
        plugin === 'network-share'
          ? 'It is on another machine: make it again, with what that machine asks for.'
          : 'Its drives are not here. Plug them in, then restore once more.',
    };
  if (!found.verbs.adopt.allowed)
    return {
      ...item,
      state: 'failed',
      text: found.obstacle ?? found.verbs.adopt.why ?? 'It cannot be adopted.',
    };
  return { ...item, state: 'waiting', text: 'It is on the drives, and is adopted with all that is on it.' };
}

function machineItem(here: Here, pools: Item[], machine: ConfigurationContent['vms'][number]): Item {
  const { id, name, poolGuid, isAdopted } = machine;
  const item = { kind: 'vm' as const, id, label: name };
  const known = here.vms.find((one) => one.id === id);
  if (known) return { ...item, state: 'kept', text: 'It is here already.' };
  if (here.vms.some((one) => one.name === name))
    return {
      ...item,
      state: 'failed',
      text: `Another machine here is called "${name}". Remove that one first.`,
    };
  if (isAdopted)
    return {
      ...item,
      state: 'missing',
      text: 'Cairn did not make it: define it in its engine again, then adopt it.',
    };
  const pool = pools.find((one) => one.id === poolGuid);
  if (pool?.state === 'waiting')
    return { ...item, state: 'waiting', text: `It comes back with its pool "${pool.label}", off.` };
  if (pool?.state === 'kept' || here.pools.some(({ guid }) => guid === poolGuid))
    return { ...item, state: 'waiting', text: 'It is defined again from its disks, off.' };
  return { ...item, state: 'missing', text: `Its pool${pool ? ` "${pool.label}"` : ''} is not here.` };
}

const counted = (count: number, word: string, many = `${word}s`): string[] =>
  count === 0 ? [] : [`${count} ${count === 1 ? word : many}`];

/** Templates first: the disks of others lie above theirs. */
export function restoreItems(content: ConfigurationContent, here: Here): RestoreItem[] {
  const pools = content.pools.map((pool) => poolItem(here, pool));
  const records = [
    ...counted(content.drives.length, 'drive with a label or protection', 'drives with labels or protection'),
    ...counted(content.images.length, 'image'),
    ...counted(content.catalogEntries.length, 'entry of the catalog', 'entries of the catalog'),
    ...counted(content.schedules.length, 'schedule'),
    ...counted(content.snapshots.length, 'note of a snapshot', 'notes of snapshots'),
    ...counted(Object.keys(content.settings).length, 'setting'),
  ];
  const settings: Item = {
    ...{ kind: 'settings', id: 'settings', label: 'Settings' },
    ...(records.length > 0
      ? { state: 'waiting', text: `Where there is none yet: ${records.join(', ')}.` }
      : { state: 'kept', text: 'None were kept.' }),
  };
  const machines = content.vms
    .toSorted((a, b) => Number(b.isTemplate) - Number(a.isTemplate))
    .map((machine) => machineItem(here, pools, machine));
  return [...pools, settings, ...machines].map((item) => ({ ...item, operationId: null }));
}

/** What no copy holds, because it is secret or the network of a host that may be another: a sentence each. */
export function byHand(content: ConfigurationContent, here: Here): string[] {
  return [
    ...content.plugins
      .filter(({ id }) => !here.plugins.includes(id))
      .map(
        ({ id, version, source, sha256 }) =>
          `The plugin "${id}" ${version}${source === '' ? '' : ` (${source})`}: install it again before its pools are restored. Its SHA-256 was ${sha256}.`,
      ),
    ...content.users
      .filter(({ name }) => !here.users.includes(name))
      .map(
        ({ name, role, secondFactor }) =>
          `The account "${name}" (${role}): make it again, with a new password${secondFactor ? ' and a new second factor' : ''}.`,
      ),
    ...content.apiKeys.map((name) => `The API key "${name}": make a new one.`),
    ...content.channels.map(
      ({ name, kind, target, secretsSet }) =>
        `The notifications "${name}" (${kind}${target ? `, ${target}` : ''}): set them up again${secretsSet.length > 0 ? `, with ${secretsSet.join(' and ')}` : ''}.`,
    ),
    ...content.removedVms.map(
      ({ name, pool, folder }) =>
        `The removed machine "${name}": its files are in ${folder}, as that of the pool "${pool}" was called, and are not deleted by themselves any more.`,
    ),
    ...(content.certificate === null
      ? []
      : [`The certificate for "${content.certificate}": put it in its place again, with its key.`]),
    ...(content.updateChannel === null || here.updateChannel !== null
      ? []
      : [`Updates came from ${content.updateChannel}: name it again in /etc/cairn/cairn.env.`]),
    ...content.bridges
      .filter((name) => !here.bridges.includes(name))
      .map((name) => `The bridge ${name}: make it again before a machine that is plugged into it starts.`),
    ...content.vms
      .filter(({ tpm }) => tpm)
      .map(
        ({ name }) =>
          `What the TPM of "${name}" kept was on the system disk: an encrypted disk of it asks for its recovery key.`,
      ),
  ];
}
