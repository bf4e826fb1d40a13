#!/usr/bin/env bash
# Install what building a board image takes, or say the command that does. Usage: image_tools.sh amd64|arm64
set -euo pipefail
architecture=$1
here=$(cd "$(dirname "$0")" && pwd)
PATH=$PATH:/usr/sbin:/sbin

# command and the Debian package that has it
tools="mmdebstrap mmdebstrap
mksquashfs squashfs-tools
mkfs.vfat dosfstools
mcopy mtools
mkfs.ext4 e2fsprogs
debugfs e2fsprogs
sfdisk fdisk
cpio cpio
depmod kmod
zstd zstd
bmaptool bmap-tools
dpkg-deb dpkg
tar tar
gpg gpg
arch-test arch-test"
if [ "$(id -u)" != 0 ]; then
  tools="$tools
newuidmap uidmap" # see user_ids.sh
fi

missing=()
while read -r tool package; do
  command -v "$tool" >/dev/null || missing+=("$package")
done <<< "$tools"
[ -e /usr/share/keyrings/debian-archive-keyring.gpg ] || missing+=(debian-archive-keyring) # Ubuntu has its own
foreign=
if [ "$architecture" != "$(dpkg --print-architecture 2>/dev/null)" ]; then
  foreign=qemu-$(case $architecture in arm64) echo aarch64 ;; amd64) echo x86_64 ;; esac)
  command -v "$foreign-static" >/dev/null || missing+=(qemu-user-static)
fi
if [ ${#missing[@]} -gt 0 ]; then
  bash "$here/need.sh" "$(printf '%s\n' "${missing[@]}" | sort -u | tr '\n' ' ' | sed 's/ $//')" "What a board image is built with"
fi

[ "$(id -u)" = 0 ] || bash "$here/user_ids.sh" "$(id -un)" /etc/subuid /etc/subgid

# The kernel hands programs of the other architecture to QEMU. A container may have to be told so once.
binfmt=/proc/sys/fs/binfmt_misc
if [ -n "$foreign" ] && ! grep -qs '^enabled' "$binfmt/$foreign"; then
  command="mountpoint -q $binfmt || mount -t binfmt_misc binfmt_misc $binfmt; cat /usr/lib/binfmt.d/$foreign.conf > $binfmt/register"
  if [ "$(id -u)" != 0 ]; then
    echo "Building for $architecture needs QEMU registered with the kernel, which needs root. Run this, then try again:" >&2
    echo "    sudo sh -c '$command'" >&2
    exit 1
  fi
  sh -c "$command" || { echo "This kernel cannot run programs of $architecture: it has no binfmt_misc." >&2; exit 1; }
fi
