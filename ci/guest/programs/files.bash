#!/bin/bash
# Files and folders.
set -eu
work=/tmp/files-test
mkdir -p $work/a/b/c
cd $work
seq 1 1000 >a/numbers
cp -a a copy
ln a/numbers a/hard
ln -s ../numbers a/b/soft
mv copy/b moved
chmod 640 a/numbers
touch -d '2001-09-09 01:46:40 UTC' a/numbers
stat -c '%n %s %a %h %Y %F' a/numbers
stat -c '%n %a %F' a/b/soft moved/c
readlink a/b/soft
cat a/b/soft | tail -n 1
truncate -s 100000 sparse
stat -c '%s' sparse
truncate -s 1M holes
dd if=holes of=zeros bs=64K 2>/dev/null
sha256sum zeros sparse
[ a/numbers -ef a/hard ] && echo same
ls -R a moved
du --apparent-size -b a/numbers | cut -f 1
cat a/numbers a/numbers | tee twice | wc
rm -r a moved copy
ls
cd /
rm -r $work
