# shellcheck shell=bash
# Sourced by scripts that let nodes run a guest on real KVM: sees that this host has what they need, and
# builds the guest in the folder $built. They set $project and say, which takes a message.
# shellcheck source=perf/guest.bash
# shellcheck disable=SC2154
. "$project/perf/guest.bash"
for device in /dev/kvm /dev/userfaultfd; do
  [ -r "$device" ] && [ -w "$device" ] || {
    say "needs $device, readable and writable: run as root on a host that has it"
    exit 2
  }
done
built=$project/perf/target/real-kvm
mkdir -p "$built"
build_guest "$built"
