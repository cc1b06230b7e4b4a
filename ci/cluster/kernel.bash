# shellcheck shell=bash
# The kernel and its modules in images that boot on servers, emulated or not. Sourced, after cache.bash, by the
# scripts that make such images; they set tools.
# shellcheck disable=SC2154  # tools, apt_options

# Prints the name of Debian's package with its newest kernel (not the cloud variant: that one lacks kvm_amd).
newest_kernel() {
  LC_ALL=C apt-cache "${apt_options[@]}" depends linux-image-amd64 |
    sed -n 's/^ *Depends: \(linux-image-[^ ]*-amd64\)$/\1/p' | head -1
}

# Prints the files of modules $2... and of all that they need, of kernel tree $1, each after what it needs.
needed() {
  local module line file
  for module in "${@:2}"; do
    line=$(grep -E "/${module//[-_]/[-_]}\.ko(\.xz)?:" "$1/modules.dep") || continue
    # modules.dep names the nearest need first.
    for file in ${line#*:}; do echo "$file"; done | tac
    echo "${line%%:*}"
  done | awk '!seen[$0]++'
}

# Leaves of the modules of kernel version $2 in root $1 only $3... and what they need, unpacked, so that nothing
# on the server has to.
keep_modules() {
  local root=$1 tree=$1/usr/lib/modules/$2 module
  "$root/usr/bin/busybox" depmod -b "$root" "$2"
  for module in $(needed "$tree" "${@:3}"); do
    mkdir -p "$root/keep/$(dirname "$module")"
    cp "$tree/$module" "$root/keep/$module"
  done
  find "$root/keep" -name '*.xz' -exec "$tools/exec" xz -d {} +
  rm -rf "$tree/kernel"
  mv "$root/keep/kernel" "$tree/kernel"
  rmdir "$root/keep"
  "$root/usr/bin/busybox" depmod -b "$root" "$2"
}

# Fills folder $1 with an initial RAM disk's files: busybox of root $2, modules $5... of tree $3 in the order they
# load, and the first process $4.
first_disk() {
  local disk=$1 module n=100
  mkdir -p "$disk"/{bin,dev,proc,sys,modules,lower,upper,new}
  cp "$2/usr/bin/busybox" "$disk/bin/busybox"
  cp "$4" "$disk/init"
  for module in $(needed "$3" "${@:5}"); do
    cp "$3/$module" "$disk/modules/$n-$(basename "$module")"
    n=$((n + 1))
  done
}

# Packs folder $1 as the file system $2, the same bytes for the same files: their times are lost.
squash() {
  find "$1" -exec touch -h -d @0 {} +
  "$tools/exec" mksquashfs "$1" "$2" -comp zstd -Xcompression-level 15 -all-root -all-time 0 -mkfs-time 0 \
    -no-exports -no-progress -quiet >&2
}
