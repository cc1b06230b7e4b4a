# shellcheck shell=bash
# Debian packages for the guest, unpacked in the user's cache folder. Sourced by the scripts here.
# Nothing is installed on this machine and its package sources stay as they are.

cache=${XDG_CACHE_HOME:-$HOME/.cache}/pluribus

# Arguments for apt that make it use a release of Debian without touching the system's own lists.
# $1: release name, e.g. trixie; the result is in apt_options. It has no lists before update_lists.
use_release() {
  local dir=$cache/apt-$1
  mkdir -p "$dir/lists/partial" "$dir/cache/archives/partial"
  printf 'deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] %s %s main\n' \
    http://deb.debian.org/debian "$1" >"$dir/sources.list"
  # Container images often switch the parsed lists off; every question would then cost a second.
  apt_options+=(-o "Dir::Etc::SourceList=$dir/sources.list" -o Dir::Etc::SourceParts=/dev/null
    -o "Dir::State::Lists=$dir/lists" -o "Dir::Cache=$dir/cache"
    -o Dir::Cache::pkgcache=pkgcache.bin -o Dir::Cache::srcpkgcache=srcpkgcache.bin)
  own_release=$1
}

# Brings the package lists up to date before something is fetched: a fresh installation has none,
# and those of last month name packages that the mirrors no longer have. The system's own lists are
# root's to change; for others, and without a network, what is there has to do.
update_lists() {
  if [ -z "$own_release" ] && [ "$(id -u)" -ne 0 ]; then
    return
  fi
  apt-get "${apt_options[@]}" -qq update >&2 || echo "apt-get update failed; going on with the lists there are" >&2
}

own_release=
apt_options=(-o APT::Sandbox::User=root -o Acquire::Retries=3)

# Prints the packages that the packages $2... need, themselves included, as far as they are
# libraries (or named like $1, a pattern): what a program needs to run, not what a system needs.
closure() {
  local also=$1 todo asked p
  shift
  declare -A seen=()
  todo=("$@")
  while [ ${#todo[@]} -gt 0 ]; do
    asked=()
    for p in "${todo[@]}"; do
      [ -n "${seen[$p]:-}" ] || asked+=("$p")
      seen[$p]=1
    done
    [ ${#asked[@]} -gt 0 ] || break
    todo=()
    # Alternatives have a bar in front; we take the last, which is no worse.
    while read -r p; do
      # shellcheck disable=SC2254  # a pattern is meant
      case $p in lib* | zlib* | $also) todo+=("$p") ;; esac
    done < <(LC_ALL=C apt-cache "${apt_options[@]}" depends "${asked[@]}" |
      sed -n 's/^ *|\?\(Pre\)\?Depends: \([a-z0-9][a-z0-9.+-]*\)\(:any\)\?$/\2/p')
  done
  printf '%s\n' "${!seen[@]}" | sort
}

# Fetches packages $2... and unpacks them into folder $1, whose /bin, /lib and so on lead to /usr
# as in Debian since release 12.
unpack() {
  local root=$1 debs=$1.debs dir
  shift
  mkdir -p "$debs" "$root/usr"
  for dir in bin sbin lib lib64; do
    mkdir -p "$root/usr/$dir"
    ln -sfn "usr/$dir" "$root/$dir"
  done
  (cd "$debs" && apt-get "${apt_options[@]}" -qq download "$@" >&2)
  for deb in "$debs"/*.deb; do
    dpkg-deb --fsys-tarfile "$deb" | tar -x --keep-directory-symlink -C "$root"
  done
  rm -r "$debs"
}
