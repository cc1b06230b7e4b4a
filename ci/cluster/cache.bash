# shellcheck shell=bash
# What the emulated servers are made of is kept in the user's cache folder. Sourced by the scripts here.
here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
# shellcheck source=ci/debian.bash
. "$here/../debian.bash"
store=$cache/cluster

# Prints the folder for what is made from Debian 13 and the files $2..., by name $1. The release file
# pins the versions of all packages, so another version of a package is another folder.
keyed() {
  local lists=("$cache"/apt-trixie/lists/*_InRelease)
  # None before the lists are fetched for the first time.
  [ -e "${lists[0]}" ] || lists=()
  printf '%s/%s-%s\n' "$store" "$1" "$(cat "${lists[@]}" "${@:2}" | sha256sum | head -c 16)"
}

# Prints the folder named $1 of which the function $2, called with an empty folder, makes the contents;
# they depend on Debian 13 and the files $3.... Of a name only one version is kept.
cached() {
  local folder work old
  use_release trixie
  folder=$(keyed "$1" "${@:3}")
  if [ ! -d "$folder" ]; then
    mkdir -p "$store"
    # One at a time: two that start together would both fetch all of it.
    exec 9>"$store/lock"
    flock 9
    # Of one that was killed.
    rm -rf "$store"/unpacking-*
    update_lists
    folder=$(keyed "$1" "${@:3}")
    if [ ! -d "$folder" ]; then
      work=$(mktemp -d "$store/unpacking-XXXXXX")
      # shellcheck disable=SC2064  # the folder of now is meant
      trap "rm -rf '$work'" EXIT
      "$2" "$work"
      for old in "$store/$1"-*; do rm -rf "$old"; done
      mv -T "$work" "$folder"
    fi
    exec 9>&-
  fi
  printf '%s\n' "$folder"
}
