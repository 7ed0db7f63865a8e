import { describe, expect, it } from 'vitest';
import { vmDocument, type VmFacts } from '$lib/server/vms/document';
import { SAVE, START, STOP } from '$lib/server/vms/kinds';
import type { VmRecord } from '$lib/server/vms/store';

const record = {
  ...{ id: 'v', name: 'web', plugin: 'libvirt', state: 'ready', cpus: 1, memoryBytes: 1, diskBytes: 1 },
  ...{ disk: 'overlay', virtType: 'qemu', poolGuid: 'p', imageId: 'i', imageName: 'Debian', user: null },
  ...{
    failedOperationId: null,
    failedText: null,
    createdAt: 1,
    spec: { folder: '/x', diskPath: '/x/disk.qcow2', diskBytes: 1, cdPath: null },
  },
} as unknown as VmRecord;
const settings = {
  ...{ isProtected: false, autostart: false, startOrder: 0, startDelaySeconds: 0 },
  ...{ turnBootId: null, turnText: null, tags: [], notes: '', startsAgain: false },
  ...{ hostStopSeconds: 60, hostStopThen: 'switch-off' as const, ranAtHostStop: false },
};
const stateOf = (change: Partial<VmFacts>, more: Partial<VmRecord> = {}) =>
  vmDocument({
    ...{ record: { ...record, ...more }, status: 'running', reason: null, operation: null, pool: null },
    ...{
      settings,
      isDue: false,
      addresses: [],
      guestAddresses: [],
      cards: [],
      basedOn: null,
      linked: [],
      cd: null,
    },
    nodeId: 'n',
    ...change,
  }).state;

describe('the state of a machine', () => {
  it.each(['running', 'paused', 'stopped', 'crashed', 'missing', 'unknown', 'stopping', 'saved'] as const)(
    'is %s when its engine says so',
    (status) => {
      expect(stateOf({ status })).toBe(status);
    },
  );
  it('tells what is being done until it is done', () => {
    const start = { id: 'o', kind: START };
    expect(stateOf({ status: 'stopped', operation: start })).toBe('starting');
    expect(stateOf({ status: 'running', operation: start })).toBe('running');
    expect(stateOf({ status: 'running', operation: { id: 'o', kind: STOP } })).toBe('stopping');
    expect(stateOf({ status: 'paused', operation: { id: 'o', kind: SAVE } })).toBe('saving');
  });
  it('says what a machine waits for that is to start by itself', () => {
    const text = (pool: VmFacts['pool']) =>
      vmDocument({
        ...{ record, settings, status: 'stopped', isDue: true, reason: null, operation: null },
        ...{
          nodeId: 'n',
          pool,
          addresses: [],
          guestAddresses: [],
          cards: [],
          basedOn: null,
          linked: [],
          cd: null,
        },
      }).stateText;
    const pool = { label: 'tank', state: 'ready', mounted: false, poolStatus: 'active' } as VmFacts['pool'];
    expect(text(pool)).toBe('It starts by itself as soon as its pool "tank" is mounted.');
    expect(text(pool && { ...pool, mounted: true })).toBe('It starts by itself when its turn comes.');
    expect(text(null)).toMatch(/its pool is mounted/);
  });
  it('is that of its record while there is no machine yet, or none any more', () => {
    expect(stateOf({ status: 'missing' }, { state: 'creating' })).toBe('creating');
    expect(stateOf({ status: 'missing' }, { state: 'removing' })).toBe('removing');
    const failed = vmDocument({
      ...{ record: { ...record, state: 'failed', failedText: 'no network' }, status: 'missing' },
      ...{ reason: null, operation: null, pool: null, nodeId: 'n', settings, isDue: false, addresses: [] },
      ...{ guestAddresses: [], cards: [], basedOn: null, linked: [], cd: null },
    });
    expect([failed.state, failed.stateText]).toEqual(['failed-to-start', 'no network']);
  });
});
