/** Whether a change fits a pool now, and why not: the same answer disables a button and refuses a request. Pure. */
import type { PoolDrive, PoolReading, PoolSpec, StoragePlugin } from '$lib/plugin-api/storage';
import type { ChangeVerb, KernelWork } from '$lib/shared/wire/pool-changes';

export interface ChangeFacts {
  plugin: StoragePlugin;
  spec: PoolSpec;
  reading: PoolReading | null;
  /** The one that is meant, once it is known. */
  member?: PoolDrive;
}

/** The method that a verb needs, and what a plugin without it cannot do. */
const NEEDS = {
  expand: ['expand', 'take more drives'],
  replace: ['replace', 'replace a drive'],
  'remove-drive': ['removeDrive', 'let go of a drive'],
  'add-drive': ['addDrive', 'take spare, cache or log drives'],
  're-add': ['reAdd', 'take back a member that was away'],
  'start-scrub': ['startScrub', 'be scrubbed'],
  'stop-scrub': ['stopScrub', 'be scrubbed'],
  'start-balance': ['startBalance', 'be balanced'],
  'stop-balance': ['stopBalance', 'be balanced'],
  'clear-errors': ['clearErrors', 'forget errors: they keep no counters'],
} as const satisfies Record<ChangeVerb, readonly [keyof StoragePlugin, string]>;

const layoutOf = ({ plugin, spec }: ChangeFacts) =>
  plugin.layouts.find((candidate) => candidate.id === spec.layout);
const dataDrives = (spec: PoolSpec): number =>
  spec.drives.filter((drive) => (drive.role ?? 'data') === 'data').length;

function expandRule(facts: ChangeFacts): string | null {
  const layout = layoutOf(facts);
  if (!layout || layout.maxDrives === null || dataDrives(facts.spec) < layout.maxDrives) return null;
  return `${layout.title} takes at most ${layout.maxDrives} ${layout.maxDrives === 1 ? 'drive' : 'drives'}.`;
}

/** A spare, cache or log drive can always go. */
function removeRule(facts: ChangeFacts): string | null {
  const layout = layoutOf(facts);
  const data = dataDrives(facts.spec);
  if (!layout || data < facts.spec.drives.length || data > layout.minDrives) return null;
  return `${layout.title} needs at least ${layout.minDrives} ${layout.minDrives === 1 ? 'drive' : 'drives'}: replace one instead.`;
}

function reAddRule({ spec, reading }: ChangeFacts): string | null {
  const away = reading?.members.filter((member) => member.status !== 'active') ?? spec.drives;
  return away.length > 0 ? null : 'Every member is at its place.';
}

const startRule = (kind: KernelWork['kind'], { reading }: ChangeFacts): string | null =>
  reading?.work?.some((work) => work.kind === kind) ? `A ${kind} is at work already.` : null;
const stopRule = (kind: KernelWork['kind'], { reading }: ChangeFacts): string | null =>
  reading && !reading.work?.some((work) => work.kind === kind) ? `No ${kind} is at work.` : null;

const countedRule = ({ reading }: ChangeFacts): string | null =>
  reading?.members.some((member) => member.status === 'faulty')
    ? null
    : 'None of its drives has counted errors.';

function coreRule(verb: ChangeVerb, facts: ChangeFacts): string | null {
  switch (verb) {
    case 'expand':
      return expandRule(facts);
    case 'remove-drive':
      return removeRule(facts);
    case 're-add':
      return reAddRule(facts);
    case 'start-scrub':
      return startRule('scrub', facts);
    case 'start-balance':
      return startRule('balance', facts);
    case 'stop-scrub':
      return stopRule('scrub', facts);
    case 'stop-balance':
      return stopRule('balance', facts);
    case 'clear-errors':
      return countedRule(facts);
    default:
      return null;
  }
}

/** @returns why the plugin cannot do it with any pool; null: it can */
export function lackOf(verb: ChangeVerb, plugin: StoragePlugin): string | null {
  const [method, what] = NEEDS[verb];
  const hasRoles = verb !== 'add-drive' || (plugin.roles ?? []).some((role) => role !== 'data');
  return plugin[method] && hasRoles ? null : `${plugin.name} pools cannot ${what}.`;
}

/** @returns why the change does not fit the pool now; null: it does. A plugin that fails is a refusal with its reason. */
export function refusalOf(verb: ChangeVerb, facts: ChangeFacts): string | null {
  const why = lackOf(verb, facts.plugin) ?? coreRule(verb, facts);
  if (why) return why;
  try {
    return facts.plugin.refusal?.(verb, facts.spec, facts.reading, facts.member) ?? null;
  } catch (error) {
    return `Its plugin failed: ${error instanceof Error ? error.message : String(error)}`;
  }
}

/** Smallest drive that can take the place of a member, bytes. */
export const replacementBytes = (plugin: StoragePlugin, spec: PoolSpec, old: PoolDrive): number =>
  plugin.replacementBytes?.(spec, old) ?? old.sizeBytes;
