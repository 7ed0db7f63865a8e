#!/bin/sh
# build-zfs.sh OUTPUT-FOLDER KERNEL   compiles OpenZFS for the guest's kernel (uname -r of the guest) and makes
#   zfs.raw      ext4 with zfs-modules.tar (to be unpacked at /) and the Debian packages of its programs
# Needs root, mmdebstrap and e2fsprogs; about ten minutes. The modules fit this one kernel and are never given away:
# their licence and the kernel's do not go together.
set -eu
# Mounts made on the way are nobody else's business: a search through the checkout would keep them busy.
[ "${LAB_PRIVATE_MOUNTS:-}" ] || LAB_PRIVATE_MOUNTS=1 exec unshare --mount --propagation private -- "$0" "$@"

out=$1
kernel=$2
suite=bookworm
root=$out/root
content=$out/content
programs='zfsutils-linux zfs-zed libzfs4linux libzpool5linux libnvpair3linux libuutil3linux'

rm -rf "$out"
mkdir -p "$content"
# zfs-dkms comes last: it compiles for the kernels whose headers are there when it is set up.
DEBIAN_FRONTEND=noninteractive mmdebstrap --quiet --variant=minbase --mode=root --format=directory \
  --components=main,contrib --include="build-essential,dkms,linux-headers-$kernel" \
  --aptopt='Acquire::Languages "none"' --aptopt='APT::Install-Recommends "false"' --dpkgopt=force-unsafe-io \
  --customize-hook='chroot "$1" apt-get install -y -q zfs-dkms' \
  --customize-hook="chroot \"\$1\" dkms autoinstall -k $kernel" \
  --customize-hook="chroot \"\$1\" sh -c 'cd /opt && apt-get download -q $programs'" \
  "$suite" "$root" >"$out/log" 2>&1 || {
  tail -n 40 "$out/log"
  exit 1
}

modules=lib/modules/$kernel/updates/dkms
chroot "$root" sh -c "strip --strip-debug /$modules/*.ko"
tar -C "$root" -cf "$content/zfs-modules.tar" "$modules"
cp "$root"/opt/*.deb "$content/"
truncate -s 64M "$out/zfs.raw"
mke2fs -q -t ext4 -O ^has_journal -m 0 -L lab-zfs -d "$content" "$out/zfs.raw"
rm -rf "$root" "$content"
