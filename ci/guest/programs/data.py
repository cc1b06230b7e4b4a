#!/usr/bin/python3
"""Digests, compression, text, containers, random numbers with a seed, threads and processes."""
import collections
import hashlib
import os
import random
import re
import threading
import zlib

data = b"".join(b"%d\n" % i for i in range(30000))
for name in ("md5", "sha1", "sha256", "sha512", "sha3_256", "blake2b", "blake2s"):
    print(name, hashlib.new(name, data[:60000]).hexdigest()[:40])
print(zlib.crc32(data), zlib.adler32(data))
for level in (1, 6, 9):
    packed = zlib.compress(data, level)
    print(level, len(packed), zlib.crc32(packed), zlib.decompress(packed) == data)

r = random.Random(20240517)
print([r.randrange(10**9) for _ in range(5)], "%.12g" % r.random(), "%.12g" % r.gauss(0, 1))
values = [r.random() for _ in range(5000)]
print("%.15g %.15g %s" % (min(values), max(values), sorted(values) == sorted(reversed(values))))
r.shuffle(values)
print(zlib.crc32(repr(sorted(values)[:1000]).encode()))

text = "the cat and the dog and the bird " * 50
print(collections.Counter(text.split()).most_common(3), re.sub(r"(\w+) and (\w+)", r"\2-\1", text)[:40])
print(len(re.findall(r"\b[a-d]\w*", text)), "naïve café".encode("utf-8").hex(), "ß".upper(), sorted("zyxÄbc"))
d = {str(i * i % 1009): i for i in range(4000)}
print(len(d), sum(d.values()), sum(hash(i) for i in range(-5, 50)), "%s" % sorted(set(d) & {"1", "4", "7", "9"}))

total = 0
lock = threading.Lock()


def add(n):
    global total
    for i in range(n):
        with lock:
            total += i


threads = [threading.Thread(target=add, args=(500,)) for _ in range(4)]
for t in threads:
    t.start()
for t in threads:
    t.join()
print("threads", total)

for i in range(4):
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.write(write, hashlib.sha256(b"%d" % i).hexdigest().encode())
        os._exit(i)
    os.close(write)
    message = os.read(read, 100).decode()
    os.close(read)
    print("child", os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), message[:16])

try:
    [][1]
except IndexError as e:
    print("caught", e)


def deep(n):
    return 0 if n == 0 else 1 + deep(n - 1)


print("depth", deep(900))
