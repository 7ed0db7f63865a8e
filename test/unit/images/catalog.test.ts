import { describe, expect, it } from 'vitest';
import { CATALOG } from '$lib/server/images/catalog';
import { declaredFormat, fileNameOf, isFileName, nameWithSum } from '$lib/server/images/file-names';

describe('the catalog', () => {
  it('has each entry once, with an encrypted address whose file name says qcow2 and a list of checksums', () => {
    expect(new Set(CATALOG.map(({ id }) => id)).size).toBe(CATALOG.length);
    for (const { url, checksum, id } of CATALOG) {
      const file = fileNameOf(new URL(url));
      expect(file, id).not.toBeNull();
      expect(declaredFormat(file ?? ''), id).toBe('qcow2');
      expect(new URL(url).protocol, id).toBe('https:');
      expect(new URL(checksum ?? '').host, id).toBe(new URL(url).host);
    }
  });
});

describe('the name of an image file', () => {
  it('is the last part of the address, decoded', () => {
    expect(fileNameOf(new URL('https://e.org/a/b/live%2Bx.iso?mirror=1'))).toBeNull();
    expect(fileNameOf(new URL('https://e.org/a/b/live-13.iso?mirror=1'))).toBe('live-13.iso');
    expect(fileNameOf(new URL('https://e.org/a/'))).toBe('a');
    expect(fileNameOf(new URL('https://e.org/'))).toBeNull();
    expect(fileNameOf(new URL('https://e.org/%zz.iso'))).toBeNull();
    expect(fileNameOf(new URL('https://e.org/..%2f..%2fetc%2fpasswd'))).toBeNull();
  });
  it('never hides, climbs or carries what a shell or a terminal would read', () => {
    for (const name of [
      '.hidden.iso',
      '-rf.iso',
      'a..b.iso',
      'a b.iso',
      'a\n.iso',
      'ä.iso',
      'a/b.iso',
      '',
      'x'.repeat(200),
    ])
      expect(isFileName(name), name).toBe(false);
  });
  it('declares the format; what Ubuntu calls img is qcow2', () => {
    expect(declaredFormat('noble-server-cloudimg-amd64.img')).toBe('qcow2');
    expect(declaredFormat('disk.img')).toBe('raw');
    expect(declaredFormat('x.ISO')).toBe('iso');
    expect(declaredFormat('x.tar.gz')).toBeNull();
  });
  it('takes a piece of the checksum when two builds have one name', () => {
    expect(nameWithSum('debian-12.qcow2', `1a2b3c4d${'0'.repeat(56)}`)).toBe('debian-12-1a2b3c4d.qcow2');
  });
});
