import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { judgeImage } from '$lib/server/host/inspect-image';

const said = (name: string): string => readFileSync(`test/fixtures/qemu-img/7.2/info-${name}.json`, 'utf8');

describe('what qemu-img says of an image', () => {
  it('lets one pass that names no file but itself', () => {
    const answer = { virtualBytes: 10 * 1024 ** 2, obstacle: null };
    expect(judgeImage(said('plain-qcow2'), '/mnt/tank/plain.qcow2', 'qcow2')).toEqual(answer);
    expect(judgeImage(said('mono-vmdk'), '/mnt/tank/mono.vmdk', 'vmdk')).toEqual(answer);
    expect(judgeImage(said('dyn-vhd'), '/mnt/tank/dyn.vhd', 'vhd').obstacle).toBeNull();
  });
  it.each([
    ['a backing file', 'backed-qcow2', 'backed.qcow2', 'qcow2', '/etc/shadow'],
    ['a data file', 'data-qcow2', 'data.qcow2', 'qcow2', 'secret.raw'],
    ['an extent in another file', 'flat-vmdk', 'flat.vmdk', 'vmdk', 'flat-flat.vmdk'],
  ] as const)('refuses one with %s, and names it', (_what, fixture, file, format, other) => {
    expect(judgeImage(said(fixture), `/mnt/tank/${file}`, format).obstacle).toContain(other);
  });
  it('refuses another format than was declared, and what is encrypted', () => {
    expect(judgeImage(said('plain-qcow2'), '/mnt/tank/plain.qcow2', 'vmdk').obstacle).toMatch(/not vmdk/);
    const locked = said('plain-qcow2').replace('"cluster-size"', '"encrypted": true, "cluster-size"');
    expect(judgeImage(locked, '/mnt/tank/plain.qcow2', 'qcow2').obstacle).toMatch(/encrypted/);
  });
  it('is an error when it is not understood', () => {
    for (const output of ['', '{}', '[]', '{"filename":"x","format":"qcow2","virtual-size":-1}'])
      expect(() => judgeImage(output, '/x', 'qcow2')).toThrow(/not understood/);
  });
});
