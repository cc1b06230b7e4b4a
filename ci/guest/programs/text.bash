#!/bin/bash
# Text through coreutils, sed and grep.
set -eu
cd /tmp
seq 1 3000 | sort -rn | head -n 5
seq 1 3000 | sort | sha256sum
seq 1 1000 | sort -R --random-source=/bin/sort | sort -n | md5sum
printf '%s\n' b a c b a | sort | uniq -c
seq 1 500 | paste - - - - | cut -f 2,4 | tail -n 3
seq 1 500 | tac | sed -n '1~100p'
seq 1 2000 | grep -c -E '(7|3{2})5?$'
printf 'one two three\n' | tr a-z A-Z
seq 1 300 | od -An -tx4 -w32 | tail -n 2
printf '3.25 -1e10 0x1p-3\n' | od -An -tc | head -n 2
seq 1 4000 | base64 | md5sum
seq 1 4000 | base64 | base64 -d | md5sum
seq 1 10 | base32
printf '1 a\n2 b\n4 d\n' >left
printf '1 x\n3 y\n4 z\n' | join left -
seq -w 1 20 >left
seq -w 5 3 50 | comm -12 left - | tr '\n' ' '
rm left
echo
numfmt --to=iec 1234567890 999 5000000
numfmt --from=si 1.5M 2K
seq 0.1 0.15 1.2 | tr '\n' ' '
echo
factor 1234567890 2305843009213693951 1000000016000000063
expr 123456789 '*' 987654321
printf '%s %x %o %e %.10f %g\n' text 3735928559 511 12345.678 0.1 1e100
echo 'the quick brown fox' | sed -E 's/(\w+) (\w+)/\2 \1/g; y/abc/xyz/'
fold -w 7 <<<'a line that is longer than seven'
printf 'x\n\ny\n' | nl -ba
tsort <<<'a b b c a c'
ptx -G -w 40 <<<'words in their context' | head -n 4
date -u -d @1000000000 '+%Y-%m-%d %H:%M:%S %j %A'
dd if=/bin/bash bs=4096 count=100 2>/dev/null | sha256sum
seq 1 1000 | split -l 100 - part. && cat part.* | sha256sum && rm part.*
shuf -i 1-100 -n 5 --random-source=/bin/bash | tr '\n' ' '
echo
