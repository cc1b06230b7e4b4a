package org.pluribus.vmm.emulator;

import java.lang.invoke.VarHandle;

/**
 * Shifts and rotates (SDM volume 2). The count is masked to 5 bits, 6 for 64-bit operands; a masked
 * count of 0 changes no flag. OF is defined for a count of 1 only; for others we store what the
 * same formula gives.
 */
final class Shifts {
  /** One operation on a zero-extended value; {@code n} is 1 to 63. Sets the flags. */
  @FunctionalInterface
  private interface Operation {
    long apply(Cpu c, long a, int n, int size);
  }

  private static final long CARRY = 1L << 63;
  private static final long CARRY_XOR_OVERFLOW = 1L << 62;

  private Shifts() {}

  static Handler handler(String mnemonic) {
    return switch (mnemonic) {
      case "ROL" -> (c, i) -> exec(c, i, Shifts::rol);
      case "ROR" -> (c, i) -> exec(c, i, Shifts::ror);
      case "RCL" -> (c, i) -> exec(c, i, Shifts::rcl);
      case "RCR" -> (c, i) -> exec(c, i, Shifts::rcr);
      case "SHL" -> (c, i) -> exec(c, i, Shifts::shl);
      case "SHR" -> (c, i) -> exec(c, i, Shifts::shr);
      case "SAR" -> (c, i) -> exec(c, i, Shifts::sar);
      default -> throw new IllegalArgumentException(mnemonic);
    };
  }

  private static void exec(Cpu c, Insn i, Operation op) {
    int size = i.size[0];
    int n = (int) c.read(i, 1) & (size == 8 ? 63 : 31);
    if (i.kind[0] == Insn.REG) {
      long a = c.readGpr(i.reg[0], size);
      // Written for a count of 0 too: a 32-bit destination clears the upper half.
      c.writeGpr(i.reg[0], size, n == 0 ? a : op.apply(c, a, n, size));
      return;
    }
    long la = c.address(i, size, true);
    long host = c.hostForWrite(la, size);
    if (host != 0) {
      long a = RawAccess.get(host, size);
      if (n != 0) {
        long r = op.apply(c, a, n, size);
        VarHandle.releaseFence();
        RawAccess.put(host, size, r);
      }
      return;
    }
    c.checkWritable(la, size);
    long a = c.load(la, size);
    if (n != 0) {
      long carries = c.fc;
      long zero = c.fz;
      long sign = c.fs;
      long r = op.apply(c, a, n, size);
      try {
        c.store(la, size, r);
      } catch (GuestFault f) {
        c.fc = carries;
        c.fz = zero;
        c.fs = sign;
        throw f;
      }
    }
  }

  private static void flags(Cpu c, long r, int size, boolean carry, boolean overflow) {
    c.setLogicFlags(r, size);
    c.fc = (carry ? CARRY : 0) | (carry != overflow ? CARRY_XOR_OVERFLOW : 0);
  }

  /** CF and OF alone: the rotates leave SF, ZF, AF and PF. */
  private static void rotateFlags(Cpu c, boolean carry, boolean overflow) {
    c.fc = (c.fc & -1L >>> 2) | (carry ? CARRY : 0) | (carry != overflow ? CARRY_XOR_OVERFLOW : 0);
  }

  private static boolean bit(long v, int n) {
    return (v >>> n & 1) != 0;
  }

  private static long shl(Cpu c, long a, int n, int size) {
    int top = 8 * size - 1;
    long r = a << n;
    boolean carry = bit(a << n - 1, top);
    flags(c, r, size, carry, carry != bit(r, top));
    return r;
  }

  private static long shr(Cpu c, long a, int n, int size) {
    int top = 8 * size - 1;
    long r = a >>> n;
    flags(c, r, size, bit(a, n - 1), bit(a << n - 1, top));
    return r;
  }

  private static long sar(Cpu c, long a, int n, int size) {
    int shift = 64 - 8 * size;
    long v = a << shift >> shift;
    long r = v >> n;
    flags(c, r, size, (v >> n - 1 & 1) != 0, false);
    return r;
  }

  private static long rol(Cpu c, long a, int n, int size) {
    int bits = 8 * size;
    int k = n & bits - 1;
    long r = k == 0 ? a : a << k | a >>> bits - k;
    boolean carry = bit(r, 0);
    rotateFlags(c, carry, carry != bit(r, bits - 1));
    return r;
  }

  private static long ror(Cpu c, long a, int n, int size) {
    int bits = 8 * size;
    int k = n & bits - 1;
    long r = k == 0 ? a : a >>> k | a << bits - k;
    boolean top = bit(r, bits - 1);
    rotateFlags(c, top, top != bit(r, bits - 2));
    return r;
  }

  private static long rcl(Cpu c, long a, int n, int size) {
    int bits = 8 * size;
    int k = n % (bits + 1);
    if (k == 0) {
      boolean carry = c.cf();
      rotateFlags(c, carry, carry != bit(a, bits - 1));
      return a;
    }
    long in = c.cf() ? 1L << k - 1 : 0;
    long wrapped = k == 1 ? 0 : a >>> bits + 1 - k;
    long r = a << k | in | wrapped;
    boolean carry = bit(a, bits - k);
    rotateFlags(c, carry, carry != bit(r, bits - 1));
    return r;
  }

  private static long rcr(Cpu c, long a, int n, int size) {
    int bits = 8 * size;
    int k = n % (bits + 1);
    boolean carry = c.cf();
    long r = a;
    if (k != 0) {
      long in = carry ? 1L << bits - k : 0;
      long wrapped = k == 1 ? 0 : a << bits + 1 - k;
      r = a >>> k | in | wrapped;
      carry = bit(a, k - 1);
    }
    rotateFlags(c, carry, bit(r, bits - 1) != bit(r, bits - 2));
    return r;
  }

  // ---- double shifts ----

  static void shld(Cpu c, Insn i) {
    doubleShift(c, i, true);
  }

  static void shrd(Cpu c, Insn i) {
    doubleShift(c, i, false);
  }

  private static void doubleShift(Cpu c, Insn i, boolean left) {
    int size = i.size[0];
    int n = (int) c.read(i, 2) & (size == 8 ? 63 : 31);
    long b = c.readGpr(i.reg[1], size);
    long a;
    long r;
    if (i.kind[0] == Insn.REG) {
      a = c.readGpr(i.reg[0], size);
      r = doubleShifted(a, b, n, size, left);
      c.writeGpr(i.reg[0], size, r);
    } else {
      long la = c.address(i, size, true);
      c.checkWritable(la, size);
      a = c.load(la, size);
      r = doubleShifted(a, b, n, size, left);
      c.store(la, size, r);
    }
    if (n != 0) {
      int top = 8 * size - 1;
      boolean carry = doubleCarry(a, b, n, size, left);
      flags(c, r, size, carry, bit(r, top) != bit(a, top));
    }
  }

  /** 16-bit operands take counts up to 31: the bits shifted in are then a:b:a, as on Intel CPUs. */
  private static long doubleShifted(long a, long b, int n, int size, boolean left) {
    if (n == 0) {
      return a;
    }
    return switch (size) {
      case 2 -> {
        long v = a << 32 | b << 16 | a;
        yield (left ? v << n >>> 32 : v >>> n) & 0xFFFF;
      }
      case 4 -> left ? (a << 32 | b) << n >>> 32 : (b << 32 | a) >>> n & 0xFFFFFFFFL;
      default -> left ? a << n | b >>> 64 - n : a >>> n | b << 64 - n;
    };
  }

  private static boolean doubleCarry(long a, long b, int n, int size, boolean left) {
    if (size == 2) {
      long v = a << 32 | b << 16 | a;
      return left ? bit(v << n - 1, 47) : bit(v, n - 1);
    }
    return left ? bit(a, 8 * size - n) : bit(a, n - 1);
  }
}
