#!/usr/bin/python3
"""Whole numbers of any size, fractions of two, and what IEEE 754 says about them."""
import math
import struct

n = 3**2000
print(n % 10**20, len(str(n)), n.bit_length())
f = math.factorial(400)
print(sum(map(int, str(f))), f // math.factorial(398), f % (2**127 - 1))
a, b = 0, 1
for _ in range(3000):
    a, b = b, a + b
print(a % 10**30, math.gcd(a, b), pow(7, 10**40, 10**9 + 7), math.isqrt(n) % 10**15)
print((-7) // 2, (-7) % 3, divmod(10**30, -(7**19)), ~(1 << 70) >> 3)

x = 0.0
for i in range(1, 5000):
    x += (-1) ** i / (2 * i - 1)
print(repr(x), x.hex(), repr(math.sqrt(2)), repr(1e22 + 1), repr(0.1 + 0.2), 5e-324 / 2, 1e308 * 10)
print([round(v, 2) for v in (2.675, 1.005, -2.5)], round(2.5), round(3.5), int(-1e18), float(2**70 + 1))
for f in (math.sin, math.cos, math.tan, math.exp, math.atan, math.log1p, math.erf, math.gamma, math.tanh):
    print(f.__name__, " ".join("%.12g" % f(v) for v in (0.1, 0.7, 1.5, 3.25, 10.5)))
print("%.12g %.12g %.12g" % (math.log(1e-300), math.pow(1.0000001, 1e7), math.hypot(3e200, 4e200)))
print(math.fmod(1e20, 7), math.remainder(10, 4), math.frexp(-0.15625), math.ldexp(0.75, -1070), math.nextafter(1, 2))
print(math.floor(-0.5), math.ceil(1e15 + 0.5), math.trunc(-9.99), math.fsum([1e100, 1, -1e100]), float("nan") == float("nan"))
for v in (0.0, -0.0, 1.5, 1e-310, float("inf"), math.pi):
    print(struct.pack(">d", v).hex(), struct.pack("<f", v if abs(v) > 1e-300 else 0.0).hex())
print(complex(1, 2) ** 5, abs(3 + 4j), (1 + 1e-9j) / (3 - 4j))
print(int("123456789" * 40) % 998244353, int("deadbeef" * 8, 16) % 1000003, float("1.7976931348623157e308"))
