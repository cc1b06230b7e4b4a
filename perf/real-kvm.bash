# Sourced by scripts that let nodes run a guest on real KVM: sees that this host has what they need, and
# builds the guest in the folder $built. They set $project and say, which takes a message.
command -v gcc >/dev/null || {
  say "needs gcc: run 'apt-get install gcc libc6-dev'"
  exit 2
}
for device in /dev/kvm /dev/userfaultfd; do
  [ -r "$device" ] && [ -w "$device" ] || {
    say "needs $device, readable and writable: run as root on a host that has it"
    exit 2
  }
done
# shellcheck disable=SC2154
built=$project/perf/target/real-kvm
mkdir -p "$built"
gcc -nostdlib -static -no-pie -Wl,--oformat=binary,-Ttext=0x100000,-eentry,--build-id=none \
  -o "$built/guest.bin" "$project/perf/src/main/c/guest.S"
