/** What is done to machines that were removed, and who writes their records. */
import { z } from 'zod';
import type { OperationDefinition, RecordOwner } from '../operations/types';
import type { Transaction } from '../db/client';
import { AppError } from '../errors';
import { promisedDiskBytes, refuseTooLargeDisk } from './accounts';
import type { VmDeps } from './deps';
import { BRING_BACK, EMPTY } from './kinds';
import { prepareBringBack, prepareEmpty, removedOf } from './prepare-removed';
import { tell } from './records';
import { deleteRemoved, findRemoved, putRemoved } from './removed-store';
import { changeSettings, settingsOf, type VmSettings } from './settings-store';
import { changeVm, deleteVm, findVm, findVmByName, putVm } from './store';
import { verbInput } from './verb';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

const shelvedInput = z.object({
  shelved: z
    .object({
      ...{ poolGuid: z.string(), poolLabel: z.string(), folder: z.string() },
      ...{ facts: z.record(z.string(), z.json()).nullable(), takenBytes: z.number(), days: z.number() },
    })
    .optional(),
});

/** With the commit that ends its removal: it is kept, when its files are. */
export function keepRemoved(deps: VmDeps, tx: Transaction, id: string, input: unknown): void {
  const { shelved } = shelvedInput.parse(input);
  const record = findVm(tx, id);
  if (!shelved || !record) return;
  const { days, ...rest } = shelved;
  const removedAt = deps.clock.now();
  putRemoved(tx, {
    ...{ id, ...rest, removedAt, keptUntil: removedAt + days * DAY_MS },
    record: { ...record, state: 'ready' },
    settings: { ...settingsOf(tx, id) },
  });
}

const roomInput = verbInput.extend({ roomBytes: z.number() });

/** Its row is among the machines while it comes back, so that its name and its disk are promised. */
const bringBackRecord = (deps: VmDeps): RecordOwner => {
  const without = (tx: Transaction, id: string): void => {
    if (findRemoved(tx, id)) deleteVm(tx, id);
    tell(deps, id);
  };
  return {
    begin(tx, _operationId, { input }) {
      const { vmId, roomBytes } = roomInput.parse(input);
      const { record, settings } = removedOf(tx, vmId);
      const { name, spec } = record;
      if (findVm(tx, vmId) || findVmByName(tx, name))
        throw new AppError('vm_name_taken', `There is a machine called "${name}" already.`);
      const diskBytes = promisedDiskBytes(spec);
      const promised = { ...record, diskBytes, state: 'creating' as const };
      refuseTooLargeDisk(tx, promised, diskBytes, roomBytes);
      putVm(tx, promised);
      // It does not start by itself because it is back.
      changeSettings(tx, vmId, { ...(settings as unknown as VmSettings), turnBootId: deps.host.bootId() });
      tell(deps, vmId);
    },
    succeed(tx, _operationId, { subject: { id } }) {
      changeVm(tx, id, { state: 'ready' });
      deleteRemoved(tx, id);
      tell(deps, id);
    },
    takenBack: (tx, _operationId, { subject: { id } }) => without(tx, id),
    needsYou: (tx, _operationId, { subject: { id } }) => without(tx, id),
  };
};

const emptyRecord = (deps: VmDeps): RecordOwner => {
  const changed = (id: string): void => tell(deps, id);
  return {
    begin(tx, _operationId, { subject: { id } }) {
      removedOf(tx, id);
      changed(id);
    },
    succeed(tx, _operationId, { subject: { id } }) {
      deleteRemoved(tx, id);
      changed(id);
    },
    takenBack: (_tx, _operationId, { subject: { id } }) => changed(id),
    needsYou: (_tx, _operationId, { subject: { id } }) => changed(id),
  };
};

export const removedOperations = (deps: VmDeps): OperationDefinition[] => [
  {
    kind: BRING_BACK,
    onInterrupt: 'take-back',
    deadlineMs: 10 * MINUTE_MS,
    prepare: (request) => prepareBringBack(deps, request),
    record: bringBackRecord(deps),
  },
  {
    kind: EMPTY,
    onInterrupt: 'finish',
    deadlineMs: 10 * MINUTE_MS,
    prepare: (request) => prepareEmpty(deps, request),
    record: emptyRecord(deps),
  },
];
