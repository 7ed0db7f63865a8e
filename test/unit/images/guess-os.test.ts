import { describe, expect, it } from 'vitest';
import { isScannedName } from '$lib/server/images/file-names';
import { guessOs, kindOfName } from '$lib/server/images/guess-os';

describe('the system on an image is guessed', () => {
  it.each<[file: string, label: string | null, os: string, version: string | null, arch: string | null]>([
    ['debian-12.5.0-amd64-netinst.iso', 'Debian 12.5.0 amd64 n', 'debian', '12.5', 'x86_64'],
    ['debian-13-genericcloud-arm64.qcow2', null, 'debian', '13', 'aarch64'],
    ['ubuntu-24.04.1-live-server-amd64.iso', 'Ubuntu-Server 24.04.1 LTS amd64', 'ubuntu', '24.04', 'x86_64'],
    ['Fedora-Server-dvd-x86_64-40-1.14.iso', 'Fedora-S-dvd-x86_64-40', 'fedora', '40', 'x86_64'],
    ['AlmaLinux-9.4-x86_64-dvd.iso', 'AlmaLinux-9-4-x86_64-dvd', 'almalinux', '9', 'x86_64'],
    ['Rocky-9.4-x86_64-minimal.iso', null, 'rocky', '9.4', 'x86_64'],
    ['CentOS-Stream-9-latest-x86_64-dvd1.iso', null, 'centos', '9', 'x86_64'],
    ['archlinux-2026.05.01-x86_64.iso', 'ARCH_202605', 'arch', null, 'x86_64'],
    ['alpine-virt-3.20.0-aarch64.iso', null, 'alpine', '3.20', 'aarch64'],
    ['FreeBSD-14.1-RELEASE-amd64-disc1.iso', '14_1_RELEASE_AMD64_CD', 'freebsd', '14.1', 'x86_64'],
    ['download.iso', 'CCCOMA_X64FRE_EN-US_DV9', 'windows', null, 'x86_64'],
    ['eval.iso', 'SSS_X64FREE_EN-US_DV9', 'windows-server', null, 'x86_64'],
    ['Win11_23H2_English_x64v2.iso', null, 'windows', '11', 'x86_64'],
    ['virtio-win-0.1.240.iso', null, 'virtio-win', '0.1', null],
    ['proxmox-ve_8.2-1.iso', 'PVE', 'proxmox', '8.2', null],
  ])('%s, called %s', (file, label, os, version, arch) => {
    expect(guessOs(file, label)).toMatchObject({ os: { id: os, version }, arch });
  });
  it('not at all when nothing tells it', () => {
    expect(guessOs('my-disk.qcow2', null)).toEqual({ os: null, arch: null });
    // "search" and "research" hold no Arch Linux, "darwin" no Windows.
    expect(guessOs('research-disk.img', 'DARWIN')).toEqual({ os: null, arch: null });
  });
  it('with what kind of image it is', () => {
    expect(kindOfName('x.iso', true)).toBe('iso');
    expect(kindOfName('noble-server-cloudimg-amd64.img', false)).toBe('cloud');
    expect(kindOfName('debian-12-genericcloud-amd64.qcow2', false)).toBe('cloud');
    expect(kindOfName('nas.vmdk', false)).toBe('disk');
  });
});

describe('a search takes for an image', () => {
  it('what ends as one', () => {
    for (const name of ['a.iso', 'A.ISO', 'my disk.qcow2', 'größe.img', 'x.raw', 'x.vmdk', 'x.vhd', 'x.vhdx'])
      expect(isScannedName(name), name).toBe(true);
  });
  it('nothing else', () => {
    for (const name of ['.hidden.iso', 'a.iso.part', 'a.txt', 'iso', 'a\n.iso', 'broken\ufffd.iso'])
      expect(isScannedName(name), JSON.stringify(name)).toBe(false);
  });
});
