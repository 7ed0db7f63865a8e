/** What a machine that is there is made of, as operations: each changes its definition, its files, and its record. */
import type { OperationDefinition } from '../operations/types';
import { prepareAddDisk } from './add-disk';
import { bootRecord, prepareBootOrder } from './boot-order';
import { cardsRecord, prepareAddCard, prepareMoveCard, prepareRemoveCard } from './cards';
import { cdRecord, prepareChangeCd } from './change-cd';
import type { VmDeps } from './deps';
import { promisingRecord } from './disks';
import { prepareGrowDisk } from './grow-disk';
import {
  ADD_CARD,
  ADD_DISK,
  CHANGE_CD,
  GROW_DISK,
  MOVE_CARD,
  REMOVE_CARD,
  REMOVE_DISK,
  SET_BOOT_ORDER,
} from './kinds';
import { prepareRemoveDisk, removeDiskRecord } from './remove-disk';

const MINUTE_MS = 60_000;

export const hardwareOperations = (deps: VmDeps): OperationDefinition[] => [
  {
    kind: GROW_DISK,
    // What is larger stays larger: its guest may use the room already.
    onInterrupt: 'continue',
    deadlineMs: 5 * MINUTE_MS,
    prepare: (request) => prepareGrowDisk(deps, request),
    record: promisingRecord(deps),
  },
  {
    kind: ADD_DISK,
    // Taking away what is plugged in already would need its guest.
    onInterrupt: 'continue',
    deadlineMs: 5 * MINUTE_MS,
    prepare: (request) => prepareAddDisk(deps, request),
    record: promisingRecord(deps),
  },
  {
    kind: REMOVE_DISK,
    onInterrupt: 'finish',
    deadlineMs: 5 * MINUTE_MS,
    prepare: (request) => prepareRemoveDisk(deps, request),
    record: removeDiskRecord(deps),
  },
  {
    kind: ADD_CARD,
    onInterrupt: 'continue',
    deadlineMs: 5 * MINUTE_MS,
    prepare: (request) => prepareAddCard(deps, request),
    record: cardsRecord(deps),
  },
  {
    kind: MOVE_CARD,
    onInterrupt: 'continue',
    deadlineMs: 5 * MINUTE_MS,
    prepare: (request) => prepareMoveCard(deps, request),
    record: cardsRecord(deps),
  },
  {
    kind: REMOVE_CARD,
    onInterrupt: 'continue',
    deadlineMs: 5 * MINUTE_MS,
    prepare: (request) => prepareRemoveCard(deps, request),
    record: cardsRecord(deps),
  },
  {
    kind: CHANGE_CD,
    onInterrupt: 'continue',
    deadlineMs: 5 * MINUTE_MS,
    prepare: (request) => prepareChangeCd(deps, request),
    record: cdRecord(deps),
  },
  {
    kind: SET_BOOT_ORDER,
    onInterrupt: 'take-back',
    deadlineMs: MINUTE_MS,
    prepare: (request) => prepareBootOrder(deps, request),
    record: bootRecord(deps),
  },
];
