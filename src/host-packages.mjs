/** Programs of the host, and the Debian packages that bring them: what the set-up installs. Plain JavaScript, as setup.mjs. */

/** Program (any of them) → Debian package. Looked for on the usual paths, also those that only root has. */
export const PROGRAMS = [
  ['mkfs.ext4', 'e2fsprogs'],
  ['mkfs.xfs', 'xfsprogs'],
  ['mkfs.btrfs', 'btrfs-progs'],
  ['sfdisk', 'fdisk'],
  ['blkid', 'util-linux'],
  ['wipefs', 'util-linux'],
  ['losetup', 'mount'],
  ['findmnt', 'util-linux'],
  ['udevadm', 'udev'],
  ['smartctl', 'smartmontools'],
  ['perl', 'perl-base'],
  ['openssl', 'openssl'],
];
/** Plugins say themselves what they lack: without these the rest works, so that a failure here only is told. */
export const OPTIONAL_PROGRAMS = [
  ['mdadm', 'mdadm'],
  ['lvm', 'lvm2'],
  ['dmsetup', 'dmsetup'],
  ['thin_check', 'thin-provisioning-tools'],
];
/** The same for the plugin that runs machines. */
export const VM_PROGRAMS = [
  ['libvirtd', 'libvirt-daemon-system'],
  ['virsh', 'libvirt-clients'],
  ['qemu-system-x86_64', 'qemu-system-x86'],
  ['qemu-img', 'qemu-utils'],
  ['xorriso', 'xorriso'],
  ['dnsmasq', 'dnsmasq-base'],
];
/** For machines that start by UEFI or have a TPM. Its firmware is files and no program: those are given by their paths. */
export const FIRMWARE_PROGRAMS = [
  ['/usr/share/OVMF/OVMF_CODE_4M.fd', 'ovmf'],
  ['swtpm', 'swtpm'],
  ['swtpm_setup', 'swtpm-tools'],
];
/** Only the tests need these: a browser, drives that can be made slow or broken, a system for a machine to boot. */
export const TEST_PROGRAMS = [
  ['chromium', 'chromium'],
  ['qemu-storage-daemon', 'qemu-system-common'],
  ['fusermount3', 'fuse3'],
  ['faketime', 'faketime'],
  ['pgrep', 'procps'],
  ['ip', 'iproute2'],
  ['systemd-notify', 'systemd'],
  ['mmdebstrap', 'mmdebstrap'],
  ['extlinux', 'extlinux'],
  ['cpio', 'cpio'],
  ['ifup', 'ifupdown'],
];
