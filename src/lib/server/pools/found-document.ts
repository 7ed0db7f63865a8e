/** A pool that is on drives and not in the records, as clients see it. Pure. */
import type { FoundPool, StoragePlugin } from '$lib/plugin-api/storage';
import { defaultMountPath, LABEL_MAX_LENGTH, labelIssues } from '$lib/shared/names';
import type { Drive } from '$lib/shared/wire/drives';
import type { FolderListing, FoundPool as FoundDocument } from '$lib/shared/wire/found';
import type { Operation } from '$lib/shared/wire/operations';
import type { VerbState } from '$lib/shared/wire/pools';
import { toleranceText } from '../plugins/capacity';
import { identityOf } from './inside';

export interface Candidate {
  id: string;
  plugin: string;
  pluginName: string;
  found: FoundPool;
}
export interface FoundFacts {
  candidate: Candidate;
  plugin: StoragePlugin | null;
  drives: Map<string, Drive>;
  inside: FolderListing | null;
  operation: Operation | null;
  ignored: boolean;
  /** What the records and the other drives say against it; null: nothing. */
  conflict: string | null;
  isLabelTaken: (label: string) => boolean;
  mountRoot: string;
}

const allowed: VerbState = { allowed: true, why: null };
const refused = (why: string): VerbState => ({ allowed: false, why });

/** A label that may be used, as near as possible to what the pool calls itself. */
export function labelFor(wanted: string, guid: string, isTaken: (label: string) => boolean): string {
  const valid = [
    ...wanted
      .normalize('NFC')
      .replace(/[^\p{L}\p{M}\p{N} ._-]+/gu, ' ')
      .replace(/^[^\p{L}\p{N}]+/u, ''),
  ]
    .slice(0, LABEL_MAX_LENGTH)
    .join('')
    .trim();
  const base = labelIssues(valid).length === 0 ? valid : `pool-${guid.slice(0, 8)}`;
  for (let number = 1; ; number += 1) {
    const suffix = number === 1 ? '' : `-${number}`;
    const label = `${[...base].slice(0, LABEL_MAX_LENGTH - suffix.length).join('')}${suffix}`;
    if (!isTaken(label)) return label;
  }
}

const nameOf = (drive: Drive | undefined, id: string): string => drive?.serial ?? drive?.kernelName ?? id;

/** A drive that cannot be known again must not be looked for in a record later. */
function driveObstacle({ candidate: { found }, drives }: FoundFacts): string | null {
  for (const { driveId } of found.members) {
    const drive = drives.get(driveId);
    const name = nameOf(drive, driveId);
    if (drive?.identity === 'ambiguous')
      return `Drive ${name} cannot be told from another drive that is plugged in.`;
    if (drive?.identity === 'weak' && found.members.length + found.missing.length > 1)
      return `Drive ${name} has no serial number of its own, so it could not be known again.`;
  }
  return null;
}

function adoptObstacle(facts: FoundFacts): string | null {
  const { candidate, plugin, drives, conflict } = facts;
  const { found } = candidate;
  const readOnly = found.members.find(({ driveId }) => drives.get(driveId)?.readOnly);
  return (
    conflict ??
    driveObstacle(facts) ??
    found.obstacle ??
    (readOnly
      ? `Drive ${nameOf(drives.get(readOnly.driveId), readOnly.driveId)} is read-only; a pool is written to.`
      : null) ??
    (found.layout === null ? `It is no layout of the plugin ${candidate.pluginName}.` : null) ??
    (plugin?.mount ? null : `The plugin ${candidate.pluginName} cannot mount pools.`)
  );
}

function peekObstacle(facts: FoundFacts): string | null {
  const { candidate, plugin, conflict } = facts;
  const { members, missing, sealed = null } = candidate.found;
  if (members.length + missing.length === 0 && sealed !== null) return sealed;
  if (candidate.found.mountedAt !== null) return null;
  if (!plugin?.peek) return `The plugin ${candidate.pluginName} cannot look inside.`;
  const unknown = candidate.found.layout === null ? candidate.found.obstacle : null;
  return conflict ?? driveObstacle(facts) ?? candidate.found.sealed ?? unknown;
}

function verbsOf(facts: FoundFacts): FoundDocument['verbs'] {
  const { operation } = facts;
  const busy =
    operation === null
      ? null
      : `"${operation.title}" is at work (${operation.percent} %). Wait until it has ended.`;
  const unless = (obstacle: string | null): VerbState => {
    const why = busy ?? obstacle;
    return why === null ? allowed : refused(why);
  };
  return { adopt: unless(adoptObstacle(facts)), peek: unless(peekObstacle(facts)), ignore: allowed };
}

export function foundDocument(facts: FoundFacts): FoundDocument {
  const { candidate, plugin, drives, inside, operation, mountRoot } = facts;
  const { found } = candidate;
  const identity = identityOf(inside, found.guid);
  const layout = plugin?.layouts.find((one) => one.id === found.layout) ?? null;
  const label = labelFor(identity?.label ?? found.label, found.guid, facts.isLabelTaken);
  const { identity: _, identityFolder: __, copies: ___, ...shown } = inside ?? {};
  return {
    id: candidate.id,
    plugin: candidate.plugin,
    pluginName: candidate.pluginName,
    guid: found.guid,
    label: identity?.label ?? found.label,
    suggested: { label, mountPath: found.mountedAt ?? defaultMountPath(mountRoot, label, found.guid) },
    layout: found.layout,
    layoutTitle: layout?.title ?? null,
    toleranceText: layout
      ? toleranceText(layout.tolerance(found.members.length + found.missing.length))
      : null,
    options: found.options,
    description: found.description,
    members: found.members.map(({ driveId, slot, status }) => {
      const drive = drives.get(driveId);
      const kept = identity?.drives.find((one) => one.serial !== null && one.serial === drive?.serial);
      return {
        ...{ driveId, slot, status },
        serial: drive?.serial ?? null,
        label: kept?.label ?? drive?.bayLabel ?? drive?.serial ?? `Drive ${slot + 1}`,
        sizeBytes: drive?.sizeBytes ?? 0,
      };
    }),
    missing: found.missing,
    sizeBytes: inside?.sizeBytes ?? found.sizeBytes,
    byCairn: found.byCairn || identity !== null,
    mountedAt: found.mountedAt,
    obstacle: adoptObstacle(facts),
    ignored: facts.ignored,
    operationId: operation?.id ?? null,
    inside: inside === null ? null : (shown as FoundDocument['inside']),
    verbs: verbsOf(facts),
  };
}

export interface SearchProblem {
  id: string;
  name: string;
  message: string;
}
/** A search that failed is shown in the list of what it would have found: never as "nothing there". */
export function problemDocument({ id, name, message }: SearchProblem): FoundDocument {
  const no = refused('Pools of this plugin could not be looked for.');
  return {
    ...{ id: `problem:${id}`, plugin: id, pluginName: name, guid: '', label: '' },
    suggested: { label: '', mountPath: '' },
    ...{ layout: null, layoutTitle: null, toleranceText: null, options: {} },
    description: `Pools of the plugin ${name} could not be looked for`,
    ...{ members: [], missing: [], sizeBytes: null, byCairn: false, mountedAt: null },
    obstacle: message,
    ...{ ignored: false, operationId: null, inside: null },
    verbs: { adopt: no, peek: no, ignore: no },
  };
}
