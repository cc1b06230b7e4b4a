# shellcheck shell=bash
# Sourced by scripts that run the guest of src/main/c/guest.S; they set $project and say, which takes a message.
command -v gcc >/dev/null || {
  say "needs gcc: run 'apt-get install gcc libc6-dev'"
  exit 2
}

# Builds the guest in the folder $1.
build_guest() {
  # shellcheck disable=SC2154
  gcc -nostdlib -static -no-pie -Wl,--oformat=binary,-Ttext=0x100000,-eentry,--build-id=none \
    -o "$1/guest.bin" "$project/perf/src/main/c/guest.S"
}

# Builds the program in C that runs it, in the folder $1 and with the compiler's options $2....
build_baseline() { gcc -O2 -Wall -Wextra -Werror -pthread "${@:2}" -o "$1/baseline" "$project/perf/src/main/c/baseline.c"; }
