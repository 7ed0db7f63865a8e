import { describe, expect, it } from 'vitest';
import { findChecksum } from '$lib/server/images/checksum-list';

const A = 'a'.repeat(64);
const B = 'b'.repeat(128);

describe('a list of checksums', () => {
  it('is read as sha256sum and sha512sum write it, with text and binary marks', () => {
    const list = `${A}  other.iso\n${A.replaceAll('a', 'C')} *debian-12.qcow2\n`;
    expect(findChecksum(list, 'debian-12.qcow2')).toEqual({ algorithm: 'sha256', hex: 'c'.repeat(64) });
    expect(findChecksum(`${B}  ./images/x.qcow2`, 'x.qcow2')).toEqual({ algorithm: 'sha512', hex: B });
  });
  it('is read in the BSD form, inside PGP armour', () => {
    const list = [
      '-----BEGIN PGP SIGNED MESSAGE-----',
      'Hash: SHA256',
      '',
      '# AlmaLinux-9.qcow2: 512 bytes',
      `SHA256 (AlmaLinux-9.qcow2) = ${A}`,
      '-----BEGIN PGP SIGNATURE-----',
      'iQIzBAEBCAAdFiEE',
    ].join('\n');
    expect(findChecksum(list, 'AlmaLinux-9.qcow2')).toEqual({ algorithm: 'sha256', hex: A });
  });
  it('may be one bare sum', () => {
    expect(findChecksum(`${A}\n`, 'anything.qcow2')).toEqual({ algorithm: 'sha256', hex: A });
  });
  it('gives the stronger sum when it has both', () => {
    expect(findChecksum(`${A}  x.iso\n${B}  x.iso`, 'x.iso')?.algorithm).toBe('sha512');
  });
  it('has nothing for a name that only looks alike, for md5 sums, and for a page that says no', () => {
    expect(findChecksum(`${A}  debian-12.qcow2.asc`, 'debian-12.qcow2')).toBeNull();
    expect(findChecksum(`${'d'.repeat(32)}  x.iso`, 'x.iso')).toBeNull();
    expect(findChecksum('<html><body>404</body></html>', 'x.iso')).toBeNull();
    expect(findChecksum(`${A}\n${A}\n`, 'x.iso')).toBeNull();
  });
});
