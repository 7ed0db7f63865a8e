import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { defineParser, derivedUuid, filesystemLabel, identityText, select } from '$lib/plugin-api';
import { optionsSchema } from '$lib/plugin-api/fields';

describe('what is derived from a pool', () => {
  it('has the same UUIDs on every machine, others for other names', () => {
    const guid = '04ae4f2b-562c-41fa-8c87-c34d7aa38f01';
    expect(derivedUuid(guid, 'disk')).toBe(derivedUuid(guid, 'disk'));
    expect(derivedUuid(guid, 'disk')).not.toBe(derivedUuid(guid, 'partition-1'));
    expect(derivedUuid(guid, 'disk')).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-/);
  });
  it('has a filesystem label that no tool can take for an option or refuse', () => {
    expect(filesystemLabel('Tank één', 16)).toBe('Tank_een');
    expect(filesystemLabel('数据', 16)).toBe('cairn');
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.integer({ min: 1, max: 64 }), (label, max) => {
        expect(filesystemLabel(label, Math.max(5, max))).toMatch(
          new RegExp(`^[A-Za-z0-9][A-Za-z0-9._-]{0,${Math.max(5, max) - 1}}$`),
        );
      }),
    );
  });
  it('has an identity file that does not depend on the order of what it was made from', () => {
    const drive = (slot: number) => ({
      ...{ id: `d${slot}`, serial: `S${slot}`, label: `bay ${slot}`, sizeBytes: 1, slot },
      ...{ contentHash: 'blank', partitions: [], present: true },
    });
    const spec = {
      ...{ guid: 'g', label: 'l', layout: 'raid1', mountPath: '/m', mountPathExisted: false },
      options: { a: 1, b: 2 },
      drives: [drive(0), drive(1)],
    };
    const turned = {
      ...spec,
      options: { b: 2, a: 1 },
      drives: [drive(1), { ...drive(0), contentHash: 'x' }],
    };
    expect(identityText('btrfs', turned)).toBe(identityText('btrfs', spec));
    expect(identityText('btrfs', spec).endsWith('}\n')).toBe(true);
  });
});

describe('options', () => {
  const schema = optionsSchema({
    compression: select({ label: 'C', help: '', default: 'none', choices: [{ value: 'none', label: '' }] }),
  });
  it('fill in defaults and refuse what is not declared', () => {
    expect(schema.parse({})).toEqual({ compression: 'none' });
    expect(schema.safeParse({ compresion: 'none' }).success).toBe(false);
    expect(schema.safeParse({ compression: 'gzip' }).success).toBe(false);
  });
});

describe('a parser', () => {
  it('names its tool and keeps what the tool said when it does not understand', () => {
    const parse = defineParser('lsfoo', (text) => {
      throw new Error(`no ${text}`);
    });
    expect(() => parse('bar')).toThrow('lsfoo said something that is not understood: no bar');
  });
});
