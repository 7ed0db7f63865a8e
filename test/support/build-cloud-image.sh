#!/bin/bash
# build-cloud-image.sh FILE   makes a small Debian cloud image of Debian's packages, as qcow2: their cloud kernel, systemd and
# cloud-init, a boot loader for a BIOS, the system in the first partition. Needs root, mmdebstrap, extlinux, qemu-img, e2fsprogs.
# About a minute. What it leaves out of a published image is what a test does not wait for: services, locales, documentation.
set -euo pipefail
# Mounts made on the way are nobody else's business, and gone with this process.
[ "${IMAGE_PRIVATE_MOUNTS:-}" ] || IMAGE_PRIVATE_MOUNTS=1 exec unshare --mount --propagation private -- "$0" "$@"

file=$1
suite=bookworm
work=$(mktemp -d "$file.XXXXXX")
trap 'rm -rf "$work"' EXIT
root=$work/root

packages=linux-image-cloud-amd64,systemd,systemd-sysv,udev,dbus,kmod,cloud-init,cloud-guest-utils,fdisk,iproute2,sudo,busybox-static
# The initial RAM disk is ours: Debian's own takes half a minute to make, and longer to unpack under emulation.
INITRD=No DEBIAN_FRONTEND=noninteractive mmdebstrap --quiet --variant=minbase --mode=root --format=directory \
  --include="$packages" --aptopt='Acquire::Languages "none"' --aptopt='APT::Install-Recommends "false"' \
  --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/doc/*' \
  --dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt=force-unsafe-io "$suite" "$root"

# Each costs seconds under emulation, and nobody looks at what it does.
for unit in apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service fstrim.timer \
  systemd-timesyncd.service systemd-networkd-wait-online.service systemd-pstore.service systemd-hwdb-update.service \
  getty@tty1.service; do
  ln -sf /dev/null "$root/etc/systemd/system/$unit"
done
printf '/dev/vda1 / ext4 defaults,noatime 0 1\n' >"$root/etc/fstab"
: >"$root/etc/machine-id"
# There is none but C, so that none can be chosen.
echo 'locale: false' >"$root/etc/cloud/cloud.cfg.d/01_image.cfg"
# mmdebstrap takes that of the host along; a published image has none of its own.
echo localhost >"$root/etc/hostname"
rm -rf "$root"/var/lib/apt/lists/* "$root"/boot/initrd*

version=$(ls "$root/lib/modules")
stage=$work/stage
mkdir -p "$stage/bin" "$stage/dev" "$stage/proc" "$stage/new" "$stage/modules"
cp "$root/bin/busybox" "$stage/bin/"
number=100
# cloud-init looks for its disc before udev has loaded anything: what Debian's own initial RAM disk has of drivers, ours has too.
for module in $(chroot "$root" modprobe -S "$version" --show-depends -a virtio_pci virtio_blk virtio_scsi sr_mod isofs |
  awk '$1 == "insmod" && !seen[$2]++ { print $2 }'); do
  number=$((number + 1))
  cp "$root$module" "$stage/modules/$number-$(basename "$module")"
done
cat >"$stage/init" <<'INIT'
#!/bin/busybox sh
/bin/busybox mount -t devtmpfs dev /dev
/bin/busybox mount -t proc proc /proc
for module in /modules/*; do /bin/busybox insmod "$module"; done
until [ -b /dev/vda1 ]; do /bin/busybox usleep 20000; done
tries=0
until [ -b /dev/sr0 ] || [ $tries -gt 100 ]; do tries=$((tries + 1)); /bin/busybox usleep 20000; done
/bin/busybox mount -t ext4 -o noatime /dev/vda1 /new
/bin/busybox umount /proc
/bin/busybox mount -o move /dev /new/dev
exec /bin/busybox switch_root /new /sbin/init
INIT
chmod 755 "$stage/init"
(cd "$stage" && find . | cpio --quiet -o -H newc | gzip -1) >"$root/boot/initrd.gz"
mv "$root/boot/vmlinuz-$version" "$root/boot/vmlinuz"
cat >"$root/boot/extlinux.conf" <<'CONF'
DEFAULT linux
LABEL linux
  LINUX vmlinuz
  INITRD initrd.gz
  APPEND console=ttyS0 quiet
CONF

# extlinux reads no filesystem with 64-bit block numbers.
truncate -s 1023M "$work/part.raw"
mke2fs -q -t ext4 -O '^64bit' -E lazy_itable_init=1,lazy_journal_init=1,nodiscard -m 0 -d "$root" "$work/part.raw"
mkdir "$work/mnt"
mount -o loop "$work/part.raw" "$work/mnt"
extlinux --install "$work/mnt/boot" >/dev/null 2>&1
umount "$work/mnt"

truncate -s 1G "$work/disk.raw"
printf 'label: dos\nstart=1MiB, type=83, bootable\n' | sfdisk --quiet "$work/disk.raw"
dd if=/usr/lib/EXTLINUX/mbr.bin of="$work/disk.raw" conv=notrunc status=none
dd if="$work/part.raw" of="$work/disk.raw" bs=1M seek=1 conv=notrunc,sparse status=none
qemu-img convert -q -f raw -O qcow2 "$work/disk.raw" "$work/image.qcow2"
mv "$work/image.qcow2" "$file"
