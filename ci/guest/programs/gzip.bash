#!/bin/bash
# gzip there and back at every level, and a damaged file found.
set -eu
cd /tmp
seq 1 8000 >gz-data
cat /usr/bin/gzip >>gz-data
for level in 1 3 6 9; do
  gzip -n -$level -c gz-data >gz-$level
  echo "level $level: $(wc -c <gz-$level) bytes, $(sha256sum <gz-$level)"
  gzip -dc gz-$level | sha256sum
done
printf 'x' | dd of=gz-6 bs=1 seek=5000 conv=notrunc 2>/dev/null
if gzip -t gz-6 2>/dev/null; then echo "damage not found"; else echo "damage found"; fi
rm gz-*
