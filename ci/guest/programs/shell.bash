#!/bin/bash
# bash itself: arithmetic, arrays, text, functions, jobs.
set -u
echo $((2 ** 62 - 1 + 2 ** 62)) $((-7 / 2)) $((-7 % 3)) $((0xff ^ 0x0f)) $((1 << 40 | 5)) $((12345678987654321 % 1000007))
fibonacci() { if (($1 < 2)); then echo "$1"; else echo $(($(fibonacci $(($1 - 1))) + $(fibonacci $(($1 - 2))))); fi; }
fibonacci 6
sum=0
for ((i = 0; i < 3000; i++)); do ((sum = (sum * 31 + i) % 1000003)); done
echo $sum
primes=()
for ((i = 2; i < 300; i++)); do
  for p in "${primes[@]}"; do
    ((p * p > i)) && break
    ((i % p == 0)) && continue 2
  done
  primes+=("$i")
done
echo "${#primes[@]} primes, the last ${primes[-1]}: ${primes[*]:10:5}"
declare -A count=()
text='the cat and the dog and the bird'
for word in $text; do ((count[$word]++)); done
for word in $(printf '%s\n' "${!count[@]}" | sort); do echo -n "$word=${count[$word]} "; done
echo
name=/usr/share/doc/file.tar.gz
echo "${name##*/} ${name%%.*} ${name//a/A} ${#name} ${name:5:5} ${name^^}"
[[ 2024-05-17 =~ ^([0-9]+)-([0-9]+) ]] && echo "${BASH_REMATCH[2]}/${BASH_REMATCH[1]}"
printf '%05d|%-8s|%+d|%#x|%q\n' 42 left 7 255 "a b'c"
cat <<HERE | while read -r a b; do echo "$b:$a"; done
1 one
2 two
HERE
readarray -t lines <<<"$(seq 5 | sort -rn)"
echo "${lines[@]}"
for i in 1 2 3 4 5 6; do (exit $((i * 7))) & pids[i]=$!; done
codes=
for i in 1 2 3 4 5 6; do wait "${pids[i]}"; codes+="$? "; done
echo "exit codes $codes"
trap 'echo caught' USR1
kill -USR1 $$
trap 'echo leaving' EXIT
(trap 'exit 9' TERM; kill -TERM $BASHPID; sleep 5)
echo "subshell $?"
yes | head -n 2000 | wc -l
echo "${PIPESTATUS[@]}" >/dev/null
coproc { while read -r l; do echo "<$l>"; done; }
echo hello >&"${COPROC[1]}"
read -r answer <&"${COPROC[0]}"
echo "$answer"
