import { describe, expect, it } from 'vitest';
import { byHand, restoreItems, type Here } from '$lib/server/configuration/restore-plan';
import type { ConfigurationContent, ConfigurationMachine } from '$lib/shared/wire/configuration';

const machine = (name: string, poolGuid: string, more: Partial<ConfigurationMachine> = {}) =>
  ({
    id: `id-${name}`,
    name,
    poolGuid,
    isAdopted: false,
    isTemplate: false,
    tpm: false,
    ...more,
  }) as ConfigurationMachine;
const pool = (guid: string, plugin = 'btrfs') =>
  ({ guid, label: `label-${guid}`, plugin }) as ConfigurationContent['pools'][number];
const content = (change: Partial<ConfigurationContent>): ConfigurationContent => ({
  ...{ version: '1', hostname: 'nas', createdAt: 1, sequence: 1, nodeId: 'n' },
  ...{ pools: [], drives: [], vms: [], images: [], catalogEntries: [], schedules: [], snapshots: [] },
  ...{ channels: [], users: [], apiKeys: [], bridges: [], settings: {} },
  ...{ plugins: [], removedVms: [], updateChannel: null, certificate: null },
  ...change,
});
const found = (guid: string, allowed: boolean) =>
  ({
    ...{ id: `btrfs:${guid}`, guid, obstacle: allowed ? null : 'A drive of it is missing.', ignored: false },
    verbs: { adopt: { allowed, why: null } },
  }) as unknown as Here['found'][number];
const here = (change: Partial<Here> = {}): Here => ({
  ...{ pools: [], found: [], vms: [], users: [], bridges: [], plugins: [], updateChannel: null },
  ...change,
});
const states = (of: ConfigurationContent, on: Here) =>
  restoreItems(of, on).map(({ label, state }) => [label, state]);

describe('what a restore would do', () => {
  it('adopts what is on the drives, leaves what is here, and names what is missing', () => {
    const copy = content({
      pools: [pool('a'), pool('b'), pool('c'), pool('d'), pool('e', 'network-share')],
      vms: [machine('one', 'a'), machine('two', 'b'), machine('three', 'c'), machine('four', 'd')],
    });
    const on = here({ pools: [{ guid: 'b', label: 'b' }], found: [found('a', true), found('d', false)] });
    expect(states(copy, on)).toEqual([
      ['label-a', 'waiting'],
      ['label-b', 'kept'],
      ['label-c', 'missing'],
      ['label-d', 'failed'],
      ['label-e', 'missing'],
      ['Settings', 'kept'],
      ['one', 'waiting'],
      ['two', 'waiting'],
      ['three', 'missing'],
      ['four', 'missing'],
    ]);
  });

  it('never takes the name of another machine, nor one that somebody else made; templates come first', () => {
    const copy = content({
      pools: [pool('a')],
      vms: [
        machine('clone', 'a'),
        machine('taken', 'a'),
        machine('theirs', 'a', { isAdopted: true }),
        machine('base', 'a', { isTemplate: true }),
      ],
    });
    const on = here({ found: [found('a', true)], vms: [{ id: 'other', name: 'taken' }] });
    expect(states(copy, on).slice(2)).toEqual([
      ['base', 'waiting'],
      ['clone', 'waiting'],
      ['taken', 'failed'],
      ['theirs', 'missing'],
    ]);
  });

  it('says what has to be typed again, and what was on the system disk alone', () => {
    const copy = content({
      users: [
        { name: 'ann', role: 'admin', secondFactor: false },
        { name: 'ben', role: 'viewer', secondFactor: false },
      ],
      apiKeys: ['script'],
      bridges: ['br0', 'br1'],
      vms: [machine('safe', 'a', { tpm: true })],
      channels: [
        {
          name: 'push',
          kind: 'ntfy',
          target: 'nas',
          secretsSet: ['token'],
        } as ConfigurationContent['channels'][number],
      ],
    });
    const lines = byHand(copy, here({ users: ['ann'], bridges: ['br0'] })).join('\n');
    for (const word of ['"ben" (viewer)', '"script"', 'br1', '"push" (ntfy, nas)', 'token', 'TPM of "safe"'])
      expect(lines).toContain(word);
    expect(lines).not.toContain('ann');
    expect(lines).not.toContain('br0');
  });
  it('names plugins, removed machines, the certificate and the channel of updates where they are not here', () => {
    const copy = content({
      ...{ updateChannel: 'https://updates.example.org/', certificate: 'nas.example.org' },
      plugins: ['tape', 'here'].map((id) => ({
        ...{ id, version: '1.2.0', source: '/srv/tape', sha256: 'a'.repeat(64), enabled: true },
      })),
      removedVms: [{ name: 'old', pool: 'tank', folder: '/mnt/tank/machines/.removed/x' }],
      users: [{ name: 'ben', role: 'viewer', secondFactor: true }],
    });
    expect(byHand(copy, here({ plugins: ['here'] })).map((line) => line.split(':')[0])).toEqual([
      ...['The plugin "tape" 1.2.0 (/srv/tape)', 'The account "ben" (viewer)', 'The removed machine "old"'],
      ...['The certificate for "nas.example.org"', 'Updates came from https'],
    ]);
    expect(byHand(copy, here({ updateChannel: '/media/updates' })).join()).not.toContain('Updates came');
  });
});
