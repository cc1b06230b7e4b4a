# shellcheck shell=bash
# Boots emulated servers for the scripts here that source this: QEMU emulates servers whose CPU has AMD's SVM;
# they do what they are given, and power off. In the order of their use:
#   announce NAME            the script's last line will say how it went: "NAME: passed" or "NAME: failed: WHY"
#   take_folder FOLDER       sets out: an empty folder for logs, with job/ for what the servers get
#   boots=FUNCTION           what the servers boot: job_server (default) or node_server, see there
#   run_servers COUNT LIMIT MEBIBYTES
#                            packs what is in job/ and boots so many servers of a network; files they leave are in
#                            $out/results-N
#   check_job WHAT [CODE=0]  fails unless every server did its work and it ended with that exit code
#   verdict=passed
# The servers' clocks go SLOW_OUTSIDE times slower than this machine's, until slow_down says otherwise. While the
# servers run, the function watch_servers is called again and again, for the script to define.
# shellcheck disable=SC2154  # image, tools and clock are set by the script
verdict=
qemu=()

# An emulated server idles much while it starts: that need not take long. Slow enough that nothing is late.
SLOW_OUTSIDE=8

announce() {
  # However this ends, no server stays and the last line says how it went.
  # shellcheck disable=SC2064  # the name of now is meant
  trap "stop_servers; echo \"$1: \${verdict:-failed: a command of \$0 failed or it was interrupted}\"" EXIT
  trap 'fail 130 interrupted' INT TERM HUP
}

# Ends the script with exit code $1 and the reason $2.
fail() {
  verdict="failed: $2"
  exit "$1"
}
usage() { fail 2 "$* (see the head of $0)"; }
wrong() { fail 1 "$* (logs: $out)"; }

stop_servers() {
  local pid
  for pid in "${qemu[@]}"; do
    kill -KILL "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
  done
  qemu=()
}

take_folder() {
  out=$1
  mkdir -p "$(dirname "$out")"
  exec 8>"$out.lock"
  flock -n 8 || fail 2 "another $0 works in $out"
  rm -rf "$out"
  mkdir -p "$out"/job
}

watch_servers() { :; }

# Servers for work of any kind: the script job/job, started by ci/cluster/server-init of the image in $image
# (ci/cluster/image). They know themselves by server=0, 1, ... of their kernel command line.
job_server() {
  kernel=vmlinux
  words=("server=$1")
  disks=("$image/root.squashfs" job.tar)
}

# Servers as users have them: $image is the folder of the node image (ci/node-image/build), job/ the configuration, and
# the function node_settings prints the settings of server $1, a word each.
node_server() {
  kernel=vmlinuz
  mapfile -t words < <(printf '%s\n' pluribus.once=yes pluribus.results=/dev/vdb pluribus.console=/dev/ttyS1 && node_settings "$1")
  disks=(job.tar)
}
boots=job_server

# From now on the servers' clocks go $1 times slower than this machine's.
slow_down() {
  [ "$1" = "${slowness:-}" ] || "$clock/slow-clock" set "$out/clock" "$1"
  slowness=$1
}

# The network card of server $1 of $2: server 0 is the switch that the others are plugged into.
card_of() {
  local other
  echo "-device virtio-net-pci,netdev=card,mac=52:54:00:00:00:0$(($1 + 1)),romfile="
  if [ "$2" -eq 1 ]; then
    # QEMU's own network, which leads nowhere: the server talks to itself.
    echo "-netdev user,id=card,restrict=on"
  elif [ "$1" -gt 0 ]; then
    echo "-netdev stream,id=card,server=off,addr.type=unix,addr.path=net-$1,reconnect-ms=100"
  elif [ "$2" -eq 2 ]; then
    echo "-netdev stream,id=card,server=on,addr.type=unix,addr.path=net-1"
  else
    echo "-netdev hubport,id=card,hubid=0"
    for ((other = 1; other < $2; other++)); do
      echo "-netdev stream,id=plug$other,server=on,addr.type=unix,addr.path=net-$other"
      echo "-netdev hubport,id=port$other,hubid=0,netdev=plug$other"
    done
  fi
}

# Starts server $1 of $2 with $3 MiB of memory.
start_server() {
  local id=$1 cpu server disk kernel words disks
  $boots "$id"
  # All servers count their time alike, by the rate they are told. Linux would correct it 1 s after its start, each by
  # some kHz of its own, if it had one of these clocks to compare with; nodes of different rates refuse each other.
  words+=("tsc=reliable" "tsc_early_khz=$tsc_khz" hpet=disable pmtmr=0)
  truncate -s 16M "$out/results-$id.tar"
  # An AMD server without what QEMU can't emulate of it: it would warn of each.
  cpu=EPYC,+svm,-fxsr-opt,-misalignsse,-osvw,-topoext,-nrip-save,-xsavec
  # Should this script be killed, QEMU goes with it. Names of sockets are short, so it works in the folder.
  # shellcheck disable=SC2054  # the commas are QEMU's
  server=(setpriv --pdeathsig KILL "$tools/lib64/ld-linux-x86-64.so.2" --library-path "$tools/usr/lib/x86_64-linux-gnu"
    --preload "$clock/slow-clock.so" "$tools/usr/bin/qemu-system-x86_64"
    -L "$tools/usr/share/qemu" -L "$tools/usr/share/seabios"
    -M q35 -accel tcg,thread=single -cpu "$cpu" -smp 1 -m "$3" -nodefaults -no-user-config -no-reboot -display none
    -kernel "$image/$kernel" -initrd "$image/initrd"
    -append "${words[*]} console=ttyS0 panic=-1 mitigations=off nokaslr init_on_alloc=0 audit=0 apparmor=0 no_timer_check rcupdate.rcu_expedited=1 nohz=off psi=0 quiet loglevel=3"
    -serial "file:server-$id.log")
  for disk in "${disks[@]}"; do
    server+=(-drive "file=$disk,format=raw,if=none,id=${disk##*/},readonly=on" -device "virtio-blk-pci,drive=${disk##*/}")
  done
  server+=(-drive "file=results-$id.tar,format=raw,if=none,id=results" -device virtio-blk-pci,drive=results)
  # shellcheck disable=SC2207  # words are meant
  server+=($(card_of "$id" "$2"))
  if [ "$id" -eq 0 ]; then
    # The console is QEMU's standard output.
    server+=(-chardev "stdio,id=console,signal=off,logfile=console.log" -serial chardev:console)
  else
    server+=(-serial null)
  fi
  (cd "$out" && SLOW_CLOCK=clock exec "${server[@]}") </dev/null 2>>"$out/qemu.log" &
  qemu+=($!)
}

run_servers() {
  local count=$1 limit=$2 deadline id running=1
  # What the servers get on a disk; on the last one is room for what they leave.
  tar -c -f "$out/job.tar" -C "$out/job" .
  slowness=
  slow_down $SLOW_OUTSIDE
  tsc_khz=$("$clock/slow-clock" khz)
  for ((id = 0; id < count; id++)); do start_server "$id" "$count" "$3"; done
  deadline=$((SECONDS + limit))
  server_late=
  while [ "$running" -gt 0 ]; do
    running=0
    for id in "${!qemu[@]}"; do
      kill -0 "${qemu[id]}" 2>/dev/null && running=$((running + 1))
    done
    if [ $SECONDS -ge $deadline ]; then
      server_late="no end after $limit s"
      break
    fi
    watch_servers
    sleep 0.2
  done
  stop_servers
  servers=$count
  for ((id = 0; id < count; id++)); do
    mkdir -p "$out/results-$id"
    tar -x -f "$out/results-$id.tar" -C "$out/results-$id" 2>/dev/null || true
  done
  rm -rf "$out"/{job,job.tar,results-*.tar,net-*,clock}
}

# The last thing server $1 said about what went wrong.
why() {
  tr -d '\r' <"$out/server-$1.log" |
    grep -v -e '^ *$' -e '^server: job done' -e '^pluribus: node [0-9]* ended' -e '^pluribus: RDMA device' -e 'reboot: Power down' | tail -n 1
}

# Fails unless the servers did their work; $1 is what ran in them, $2 what it had to end with.
check_job() {
  local code id
  [ ! -s "$out/qemu.log" ] || cat "$out/qemu.log" >&2
  [ -z "$server_late" ] || wrong "$server_late; server 0 last said: $(why 0)"
  for ((id = 0; id < servers; id++)); do
    [ -f "$out/results-$id/exit-code" ] || wrong "server $id stopped early; it last said: $(why "$id")"
    code=$(<"$out/results-$id/exit-code")
    [ "$code" -eq "${2:-0}" ] || wrong "$1 on server $id ended with exit code $code: $(why "$id")"
  done
}
