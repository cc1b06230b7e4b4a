package org.pluribus.vmm.emulator;

/** Multiplication and division. */
final class Multiply {
  /** CF = OF = 1 in the carry vector: bit 63 set, bit 62 clear. */
  private static final long CARRY_AND_OVERFLOW = 1L << 63;

  private Multiply() {}

  private static void flags(Cpu c, long low, int size, boolean overflow) {
    c.setLogicFlags(low, size);
    c.fc = overflow ? CARRY_AND_OVERFLOW : 0;
  }

  static void mul(Cpu c, Insn i) {
    int size = i.size[0];
    long a = c.readGpr(CpuRegisters.RAX, size);
    long b = c.read(i, 0);
    long low = a * b;
    long high = size == 8 ? Math.unsignedMultiplyHigh(a, b) : low >>> 8 * size;
    storeProduct(c, size, low, high);
    flags(c, low, size, high != 0);
  }

  static void imul(Cpu c, Insn i) {
    int size = i.size[0];
    long a = signed(c.readGpr(CpuRegisters.RAX, size), size);
    long b = signed(c.read(i, 0), size);
    long low = a * b;
    long high = size == 8 ? Math.multiplyHigh(a, b) : low >> 8 * size;
    storeProduct(c, size, low, high);
    flags(c, low, size, high != signed(low, size) >> 63);
  }

  private static void storeProduct(Cpu c, int size, long low, long high) {
    if (size == 1) {
      c.writeGpr(CpuRegisters.RAX, 2, low);
    } else {
      c.writeGpr(CpuRegisters.RAX, size, low);
      c.writeGpr(CpuRegisters.RDX, size, high);
    }
  }

  /** IMUL r, r/m. */
  static void imul2(Cpu c, Insn i) {
    truncated(c, i, c.readGpr(i.reg[0], i.size[0]), c.read(i, 1));
  }

  /** IMUL r, r/m, imm. */
  static void imul3(Cpu c, Insn i) {
    truncated(c, i, c.read(i, 1), i.imm);
  }

  private static void truncated(Cpu c, Insn i, long x, long y) {
    int size = i.size[0];
    long a = signed(x, size);
    long b = signed(y, size);
    long low = a * b;
    boolean overflow = size == 8 ? Math.multiplyHigh(a, b) != low >> 63 : signed(low, size) != low;
    c.writeGpr(i.reg[0], size, low);
    flags(c, low, size, overflow);
  }

  private static long signed(long v, int size) {
    int shift = 64 - 8 * size;
    return v << shift >> shift;
  }

  // ---- division; flags stay ----

  static void div(Cpu c, Insn i) {
    int size = i.size[0];
    long d = c.read(i, 0);
    if (d == 0) {
      throw c.fault(GuestFault.DE);
    }
    if (size == 8) {
      long high = c.gpr[CpuRegisters.RDX];
      long low = c.gpr[CpuRegisters.RAX];
      if (Long.compareUnsigned(high, d) >= 0) {
        throw c.fault(GuestFault.DE);
      }
      long q = high == 0 ? Long.divideUnsigned(low, d) : divideWide(high, low, d);
      c.gpr[CpuRegisters.RAX] = q;
      c.gpr[CpuRegisters.RDX] = low - q * d;
      return;
    }
    long n = dividend(c, size);
    long q = Long.divideUnsigned(n, d);
    if (q >>> 8 * size != 0) {
      throw c.fault(GuestFault.DE);
    }
    storeQuotient(c, size, q, n - q * d);
  }

  static void idiv(Cpu c, Insn i) {
    int size = i.size[0];
    long d = signed(c.read(i, 0), size);
    if (d == 0) {
      throw c.fault(GuestFault.DE);
    }
    if (size == 8) {
      idiv128(c, d);
      return;
    }
    long n = signed(dividend(c, size), 2 * size);
    // The one quotient that does not fit a long is not reached: d == -1 only negates here.
    if (d == -1 && n == Long.MIN_VALUE) {
      throw c.fault(GuestFault.DE);
    }
    long q = n / d;
    if (signed(q, size) != q) {
      throw c.fault(GuestFault.DE);
    }
    storeQuotient(c, size, q, n - q * d);
  }

  private static void idiv128(Cpu c, long d) {
    long high = c.gpr[CpuRegisters.RDX];
    long low = c.gpr[CpuRegisters.RAX];
    boolean negative = high < 0;
    // Magnitudes: the 128-bit dividend negated is ~high:~low plus one.
    long magnitudeLow = negative ? -low : low;
    long magnitudeHigh = negative ? ~high + (low == 0 ? 1 : 0) : high;
    long divisor = Math.abs(d); // Long.MIN_VALUE stays 2^63, right as an unsigned number
    if (Long.compareUnsigned(magnitudeHigh, divisor) >= 0) {
      throw c.fault(GuestFault.DE);
    }
    long q =
        magnitudeHigh == 0
            ? Long.divideUnsigned(magnitudeLow, divisor)
            : divideWide(magnitudeHigh, magnitudeLow, divisor);
    boolean negativeQuotient = negative != d < 0;
    // The magnitude may be 2^63 only for a negative quotient.
    if (q < 0 && !(negativeQuotient && q == Long.MIN_VALUE)) {
      throw c.fault(GuestFault.DE);
    }
    long remainder = magnitudeLow - q * divisor;
    c.gpr[CpuRegisters.RAX] = negativeQuotient ? -q : q;
    c.gpr[CpuRegisters.RDX] = negative ? -remainder : remainder;
  }

  /** AX, DX:AX or EDX:EAX. */
  private static long dividend(Cpu c, int size) {
    if (size == 1) {
      return c.gpr[CpuRegisters.RAX] & 0xFFFF;
    }
    return c.readGpr(CpuRegisters.RDX, size) << 8 * size | c.readGpr(CpuRegisters.RAX, size);
  }

  private static void storeQuotient(Cpu c, int size, long q, long r) {
    if (size == 1) {
      c.writeGpr(CpuRegisters.RAX, 2, (q & 0xFF) | (r & 0xFF) << 8);
    } else {
      c.writeGpr(CpuRegisters.RAX, size, q);
      c.writeGpr(CpuRegisters.RDX, size, r);
    }
  }

  private static final long LOW_HALF = 0xFFFFFFFFL;

  /**
   * Quotient of {@code high:low / d}, all unsigned, {@code high < d}: schoolbook division in base
   * 2^32 (Knuth, The Art of Computer Programming, volume 2, 4.3.1, algorithm D) with two digits.
   */
  static long divideWide(long high, long low, long d) {
    int s = Long.numberOfLeadingZeros(d);
    long v = d << s;
    long u = s == 0 ? high : high << s | low >>> 64 - s;
    long rest = low << s;
    long q1 = digit(u, rest >>> 32, v);
    long next = (u << 32 | rest >>> 32) - q1 * v;
    long q0 = digit(next, rest & LOW_HALF, v);
    return q1 << 32 | q0;
  }

  /** One base-2^32 quotient digit of {@code (u * 2^32 + next) / v}; {@code v} has its top bit. */
  private static long digit(long u, long next, long v) {
    long v1 = v >>> 32;
    long v0 = v & LOW_HALF;
    long q = Long.divideUnsigned(u, v1);
    long r = u - q * v1;
    // At most two corrections (theorem B there).
    while (q >>> 32 != 0 || Long.compareUnsigned(q * v0, r << 32 | next) > 0) {
      q--;
      r += v1;
      if (r >>> 32 != 0) {
        break;
      }
    }
    return q;
  }
}
