#!/bin/sh
# build-image.sh OUTPUT-FOLDER   makes the guest from Debian packages:
#   root.raw     ext4, not partitioned; sparse
#   vmlinuz      Debian's cloud kernel, the one whose modules are in root.raw
#   initrd.gz    busybox and the drivers for the root drive
#   packages     name and version of everything inside
# Needs root, mmdebstrap, cpio, e2fsprogs; tools.mjs brings them. About a minute.
set -eu
# Mounts made on the way are nobody else's business: a search through the checkout would keep them busy.
[ "${LAB_PRIVATE_MOUNTS:-}" ] || LAB_PRIVATE_MOUNTS=1 exec unshare --mount --propagation private -- "$0" "$@"

out=$1
here=$(cd "$(dirname "$0")" && pwd)
suite=bookworm
root=$out/root
initrd_modules='virtio_pci virtio_blk virtio_net virtio_scsi virtio_rng sd_mod'

# Not wanted in a guest that lives for seconds: clocks, logs on disk, boots without a person at the console.
masked='apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service fstrim.timer
  logrotate.timer man-db.timer systemd-tmpfiles-clean.timer systemd-timesyncd.service systemd-resolved.service
  systemd-networkd-wait-online.service systemd-logind.service systemd-update-utmp.service
  systemd-update-utmp-runlevel.service systemd-binfmt.service proc-sys-fs-binfmt_misc.automount
  proc-sys-fs-binfmt_misc.mount systemd-hwdb-update.service systemd-journal-flush.service systemd-pstore.service
  systemd-random-seed.service systemd-boot-random-seed.service systemd-boot-update.service systemd-pcrphase.service
  systemd-pcrphase-sysinit.service systemd-firstboot.service systemd-machine-id-commit.service ldconfig.service
  getty@tty1.service serial-getty@ttyS0.service dev-hugepages.mount dev-mqueue.mount sys-kernel-debug.mount
  sys-kernel-tracing.mount modprobe@drm.service nvmf-autoconnect.service nvmefc-boot-connections.service
  smartmontools.service smartd.service'

# Servers and clients of network shares wait until a case starts them.
not_started='nfs-server.service nfs-client.target nfs-blkmap.service rpcbind.service rpcbind.socket
  smbd.service nmbd.service samba-ad-dc.service'

make_root() {
  packages=$(grep -v '^#' "$here/packages.txt" | tr -s '\n' ',' | sed 's/,$//')
  # INITRD=No: the kernel's package script makes no initramfs; ours is much smaller.
  INITRD=No DEBIAN_FRONTEND=noninteractive mmdebstrap --quiet --variant=minbase --mode=root --format=directory \
    --include="$packages" \
    --aptopt='Acquire::Languages "none"' --aptopt='APT::Install-Recommends "false"' \
    --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/doc/*' \
    --dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt='path-exclude=/usr/share/info/*' \
    --dpkgopt=force-unsafe-io \
    "$suite" "$root"
}

settle_in() {
  cp -R --preserve=mode "$here/guest/." "$root/"
  echo lab >"$root/etc/hostname"
  printf '127.0.0.1 localhost lab\n' >"$root/etc/hosts"
  echo 0123456789abcdef0123456789abcdef >"$root/etc/machine-id"
  printf '/dev/root / ext4 defaults,noatime 0 0\n' >"$root/etc/fstab"
  sed -i 's#^root:[^:]*:#root::#' "$root/etc/shadow"
  mkdir -p "$root/etc/systemd/system/multi-user.target.wants" "$root/opt/cairn"
  ln -s ../lab-control.service "$root/etc/systemd/system/multi-user.target.wants/"
  for unit in $masked; do ln -sf /dev/null "$root/etc/systemd/system/$unit"; done
  # shellcheck disable=SC2086
  systemctl --quiet --root="$root" disable $not_started
  rm -rf "$root"/var/lib/apt/lists/* "$root"/var/cache/apt/*.bin "$root"/boot/initrd*
  chroot "$root" dpkg-query -W >"$out/packages"
}

make_initrd() {
  version=$(ls "$root/lib/modules")
  stage=$out/stage
  mkdir -p "$stage/bin" "$stage/dev" "$stage/proc" "$stage/new" "$stage/modules"
  cp "$root/bin/busybox" "$stage/bin/busybox"
  number=100
  # shellcheck disable=SC2086
  for module in $(chroot "$root" modprobe -S "$version" --show-depends -a $initrd_modules |
    awk '$1 == "insmod" && !seen[$2]++ { print $2 }'); do
    number=$((number + 1))
    cp "$root$module" "$stage/modules/$number-$(basename "$module")"
  done
  cp "$here/initrd-init" "$stage/init"
  chmod 755 "$stage/init"
  (cd "$stage" && find . | cpio --quiet -o -H newc | gzip -1) >"$out/initrd.gz"
  cp "$root/boot/vmlinuz-$version" "$out/vmlinuz"
}

make_drive() {
  truncate -s 4G "$out/root.raw"
  mke2fs -q -t ext4 -E lazy_itable_init=1,lazy_journal_init=1,nodiscard -m 0 -L lab-root -d "$root" "$out/root.raw"
}

rm -rf "$out"
mkdir -p "$out"
make_root
settle_in
make_initrd
make_drive
rm -rf "$root" "$out/stage"
