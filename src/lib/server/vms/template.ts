/** A machine as a template: it is never started, and others lie above its disk, so nothing may change that. */
import type { VmPlugin } from '$lib/plugin-api/vm';
import type { JsonObject } from '$lib/shared/json';
import { vmTemplateRequest } from '$lib/shared/wire/vms';
import type { Db, Transaction } from '../db/client';
import { AppError } from '../errors';
import { usesLock } from '../operations/locks';
import type { Prepared, RecordOwner } from '../operations/types';
import type { VmDeps } from './deps';
import { refuseUnlessAtRest } from './prepare-clone';
import { poolOf } from './prepare-create';
import { tell, verbRecord } from './records';
import { listRemoved } from './removed-store';
import { settingsOf } from './settings-store';
import { changeVm, findVm, listVmsAbove, type VmRecord } from './store';
import { parse, prepared, recordOf, wrongState } from './verb';

/** By machine: names of those whose disks lie above its own. `records`: those that are asked about. */
export function allLinks(db: Db | Transaction, records: VmRecord[]): Map<string, string[]> {
  const links = new Map<string, string[]>();
  const above = [
    ...records.filter(({ state }) => state !== 'failed'),
    // They can be brought back, and need it then.
    ...listRemoved(db).map(({ record }) => record),
  ];
  for (const { name, spec } of above)
    if (spec.basedOn !== undefined) links.set(spec.basedOn, [...(links.get(spec.basedOn) ?? []), name]);
  return links;
}
/** Names of the machines whose disks lie above its own. */
export const linkedTo = (db: Db | Transaction, id: string): string[] =>
  allLinks(db, listVmsAbove(db, id)).get(id) ?? [];

/** The template that its disk lies above, as far as it is known. */
export function baseOf(
  db: Db | Transaction,
  { spec }: Pick<VmRecord, 'spec'>,
): { id: string; name: string } | null {
  const base = spec.basedOn === undefined ? null : findVm(db, spec.basedOn);
  return base && { id: base.id, name: base.name };
}

/** For what would change its disk, or what it is. @throws AppError vm_is_template */
export function refuseTemplate({ name, spec }: Pick<VmRecord, 'name' | 'spec'>): void {
  if (spec.isTemplate) throw new AppError('vm_is_template', `"${name}" is a template.`);
}
/** @throws AppError vm_has_linked */
export function refuseLinked(db: Db | Transaction, { id, name }: Pick<VmRecord, 'id' | 'name'>): void {
  const linked = linkedTo(db, id);
  if (linked.length > 0)
    throw new AppError(
      'vm_has_linked',
      `The disks of these lie above that of "${name}": ${linked.join(', ')}.`,
    );
}

function capable(plugin: VmPlugin): NonNullable<VmPlugin['template']> {
  if (plugin.template) return plugin.template;
  throw new AppError('not_supported', `The plugin ${plugin.name} has no templates.`);
}

export async function prepareTemplate(deps: VmDeps, request: JsonObject): Promise<Prepared> {
  const { vmId, value } = parse(vmTemplateRequest, request);
  const record = recordOf(deps.db, vmId);
  const { name, spec } = record;
  const plugin = deps.plugins.vm(record.plugin);
  const steps = capable(plugin);
  if ((spec.isTemplate ?? false) === value)
    throw wrongState(`"${name}" is ${value ? 'a template already' : 'no template'}.`);
  if (!value) refuseLinked(deps.db, record);
  if (value && settingsOf(deps.db, vmId).autostart)
    throw wrongState(`"${name}" starts with the host.`, 'Change that first: a template is never started.');
  await refuseUnlessAtRest(deps, record, 'a template');
  const pool = poolOf(deps, record);
  return prepared(plugin, record, {
    title: value ? `Make ${name} a template` : `Make ${name} a machine again`,
    steps: value ? steps.make(spec) : steps.unmake(spec),
    locks: [usesLock(`pool:${pool.guid}`)],
    notes: value
      ? [
          'It is not started any more, and nothing can be written to its disk.',
          'Clones of it can be linked: they hold what differs from it, and need it to stay.',
        ]
      : ['It can be started again, and its clones are full copies from now on.'],
    more: { value },
  });
}

export const templateRecord = (deps: VmDeps): RecordOwner => ({
  ...verbRecord(deps, (tx, record) => refuseLinked(tx, record)),
  succeed(tx, _operationId, { input, subject: { id } }) {
    const record = findVm(tx, id);
    if (record) {
      const { isTemplate: _, ...spec } = record.spec;
      changeVm(tx, id, { spec: input['value'] === true ? { ...spec, isTemplate: true } : spec });
    }
    tell(deps, id);
  },
});
