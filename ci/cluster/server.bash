# shellcheck shell=bash
# Boots an emulated server for the scripts here that source this: QEMU emulates a server whose CPU has
# AMD's SVM; it does the job it is given (server-init), and powers off. In the order of their use:
#   announce NAME            the script's last line will say how it went: "NAME: passed" or "NAME: failed: WHY"
#   take_folder FOLDER       sets out: an empty folder for logs, with job/ for what the server gets
#   run_server LIMIT CPUS MEBIBYTES [QEMU-OPTIONS...]
#                            packs and does the job; its standard output is ours, its files are in $out/results
#   check_job WHAT           fails unless the server did the job and it ended with 0
#   verdict=passed
# shellcheck disable=SC2154  # image and tools are set by the script
verdict=
qemu=

announce() {
  # However this ends, no server stays and the last line says how it went.
  # shellcheck disable=SC2064  # the name of now is meant
  trap "stop_server; echo \"$1: \${verdict:-failed: a command of \$0 failed or it was interrupted}\"" EXIT
  trap 'fail 130 interrupted' INT TERM HUP
}

# Ends the script with exit code $1 and the reason $2.
fail() {
  verdict="failed: $2"
  exit "$1"
}
usage() { fail 2 "$* (see the head of $0)"; }
wrong() { fail 1 "$* (logs: $out)"; }

stop_server() {
  [ -n "$qemu" ] || return 0
  kill -KILL "$qemu" 2>/dev/null || true
  wait "$qemu" 2>/dev/null || true
  qemu=
}

take_folder() {
  out=$1
  mkdir -p "$(dirname "$out")"
  exec 8>"$out.lock"
  flock -n 8 || fail 2 "another $0 works in $out"
  rm -rf "$out"
  mkdir -p "$out"/{job,results}
}

run_server() {
  local limit=$1 cpus=$2 memory=$3 cpu server deadline late=
  shift 3
  # What the server gets on its second disk, and room for what it leaves on its third.
  tar -c -f "$out/job.tar" -C "$out/job" .
  truncate -s 16M "$out/results.tar"

  # -icount: the server's clock counts its instructions, a nanosecond each, and jumps when it idles. By this machine's
  # clock the ticks of two guest CPUs that take each other's pages would take more time than there is.
  # An AMD server without what QEMU can't emulate of it: it would warn of each.
  cpu=EPYC,+svm,-fxsr-opt,-misalignsse,-osvw,-topoext,-nrip-save,-xsavec
  # The console is QEMU's standard output. Should this script be killed, QEMU goes with it.
  # shellcheck disable=SC2054  # the commas are QEMU's
  server=(setpriv --pdeathsig KILL "$tools/exec" qemu-system-x86_64 -L "$tools/usr/share/qemu" -L "$tools/usr/share/seabios"
    -M q35 -accel tcg,thread=single -icount shift=0,sleep=off,align=off -cpu "$cpu" -smp "$cpus" -m "$memory" -nodefaults -no-user-config -no-reboot -display none
    -kernel "$image/vmlinux" -initrd "$image/initrd"
    -append "console=ttyS0 panic=-1 mitigations=off nokaslr init_on_alloc=0 audit=0 apparmor=0 no_timer_check tsc=reliable quiet loglevel=3"
    -drive "file=$image/root.squashfs,format=raw,if=none,id=root,readonly=on" -device virtio-blk-pci,drive=root
    -drive "file=$out/job.tar,format=raw,if=none,id=job,readonly=on" -device virtio-blk-pci,drive=job
    -drive "file=$out/results.tar,format=raw,if=none,id=results" -device virtio-blk-pci,drive=results
    -serial "file:$out/server.log"
    -chardev "stdio,id=console,signal=off,logfile=$out/console.log" -serial chardev:console "$@")
  "${server[@]}" </dev/null 2>"$out/qemu.log" &
  qemu=$!

  deadline=$((SECONDS + limit))
  while kill -0 "$qemu" 2>/dev/null && [ $SECONDS -lt $deadline ]; do sleep 0.2; done
  [ $SECONDS -lt $deadline ] || late="no end after $limit s"
  stop_server
  server_late=$late
  tar -x -f "$out/results.tar" -C "$out/results" 2>/dev/null || true
  rm -rf "$out"/{job,job.tar,results.tar}
}

# The last thing the server said about what went wrong.
why() { tr -d '\r' <"$out/server.log" | grep -v -e '^ *$' -e '^server: job done' -e 'reboot: Power down' | tail -n 1; }

# Fails unless the server did its job; $1 is what ran in it.
check_job() {
  local code
  [ -z "$server_late" ] || wrong "$server_late; the server last said: $(why)"
  [ ! -s "$out/qemu.log" ] || cat "$out/qemu.log" >&2
  [ -f "$out/results/exit-code" ] || wrong "the server stopped early; it last said: $(why)"
  code=$(<"$out/results/exit-code")
  [ "$code" -eq 0 ] || wrong "$1 ended with exit code $code: $(why)"
}
