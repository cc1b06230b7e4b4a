#!/bin/bash
# Digests and checksums of the same data by every program coreutils has for it.
set -eu
seq 1 20000 >/tmp/data
for program in md5sum sha1sum sha224sum sha256sum sha384sum sha512sum b2sum cksum sum 'sum -s'; do
  echo "$program: $($program </tmp/data)"
done
sha256sum /tmp/data >/tmp/sums
sha256sum -c /tmp/sums
rm /tmp/data /tmp/sums
