#!/bin/sh
# First process of the demo guest: shows the machine as the guest sees it, lets every CPU compute
# something whose result is known, and powers off.
export PATH=/bin HOME=/ TERM=linux
say() { echo "pluribus-guest: $*"; }

mount -t devtmpfs dev /dev
mount -t proc proc /proc
mount -t sysfs sys /sys
say "init started after $(cut -d ' ' -f 1 /proc/uptime) s"

if grep -q pluribus.shell /proc/cmdline; then
  setsid cttyhack sh
  poweroff -f
fi

say "$(uname -srm)"
cpus=$(nproc)
say "$cpus CPUs, $(grep MemTotal /proc/meminfo | sed 's/.*: *//') of memory"
nodes=0
for node in /sys/devices/system/node/node[0-9]*; do
  [ -d "$node" ] || continue
  nodes=$((nodes + 1))
  say "NUMA ${node##*/}: CPUs $(cat "$node/cpulist")," \
    "$(grep MemTotal "$node/meminfo" | sed 's/.*: *//'), distances $(cat "$node/distance")"
done

# One CPU writes the data, every CPU reads it: the pages travel to all nodes.
expected=$(cat /job/sha256)
seq 1 "$(cat /job/numbers)" >/tmp/data

# Arguments: CPU. Runs pinned; writes what it found to /tmp/result.CPU.
job() {
  ran_on=$(taskset -c "$1" cut -d ' ' -f 39 /proc/self/stat)
  hash=$(taskset -c "$1" sha256sum /tmp/data | cut -d ' ' -f 1)
  packed=$(taskset -c "$1" gzip -c /tmp/data | taskset -c "$1" gunzip -c | sha256sum | cut -d ' ' -f 1)
  if [ "$ran_on" = "$1" ] && [ "$hash" = "$expected" ] && [ "$packed" = "$expected" ]; then
    echo right >"/tmp/result.$1"
  else
    echo "wrong: ran on CPU $ran_on, sha256 $hash, after gzip and gunzip $packed" >"/tmp/result.$1"
  fi
}

cpu=0
while [ $cpu -lt "$cpus" ]; do
  job $cpu &
  cpu=$((cpu + 1))
done
wait

right=0
cpu=0
while [ $cpu -lt "$cpus" ]; do
  result=$(cat /tmp/result.$cpu)
  say "CPU $cpu: sha256sum, gzip and gunzip of shared data: $result"
  [ "$result" = right ] && right=$((right + 1))
  cpu=$((cpu + 1))
done
if [ $right -eq "$cpus" ]; then
  say "all results right ($cpus CPUs on $nodes NUMA nodes)"
else
  say "$((cpus - right)) of $cpus CPUs had wrong results"
fi
poweroff -f
