package org.pluribus.vmm.emulator;

import java.security.SecureRandom;

/** Bit tests, scans and counts, CRC32, RDRAND. */
final class BitOps {
  /** Castagnoli's polynomial 0x11EDC6F41, bit-reflected (SDM volume 2, CRC32). */
  private static final int CRC32C_REFLECTED = 0x82F63B78;

  private static final int[] CRC32C_TABLE = crcTable();

  private BitOps() {}

  private static int[] crcTable() {
    int[] t = new int[256];
    for (int n = 0; n < 256; n++) {
      int v = n;
      for (int k = 0; k < 8; k++) {
        v = (v & 1) != 0 ? v >>> 1 ^ CRC32C_REFLECTED : v >>> 1;
      }
      t[n] = v;
    }
    return t;
  }

  // ---- BT, BTS, BTR, BTC ----

  static void bt(Cpu c, Insn i) {
    int size = i.size[0];
    long offset = c.read(i, 1);
    long v = i.kind[0] == Insn.REG ? c.readGpr(i.reg[0], size) : loadAt(c, i, offset);
    c.setCarry((v >>> (offset & 8 * size - 1) & 1) != 0);
  }

  static void bts(Cpu c, Insn i) {
    modify(c, i, MemoryUpdate.OR);
  }

  static void btr(Cpu c, Insn i) {
    modify(c, i, MemoryUpdate.AND);
  }

  static void btc(Cpu c, Insn i) {
    modify(c, i, MemoryUpdate.XOR);
  }

  private static void modify(Cpu c, Insn i, int op) {
    int size = i.size[0];
    long offset = c.read(i, 1);
    long bit = 1L << (offset & 8 * size - 1);
    long b = op == MemoryUpdate.AND ? ~bit : bit;
    long old;
    if (i.kind[0] == Insn.REG) {
      old = c.readGpr(i.reg[0], size);
      c.writeGpr(i.reg[0], size, MemoryUpdate.compute(op, old, b, 0));
    } else {
      long la = c.linear(i.seg, bitAddress(c, i, offset), size, true);
      old = MemoryUpdate.at(c, la, size, i.lock, op, b, 0);
    }
    c.setCarry((old & bit) != 0);
  }

  private static long loadAt(Cpu c, Insn i, long offset) {
    int size = i.size[0];
    return c.load(c.linear(i.seg, bitAddress(c, i, offset), size, false), size);
  }

  /** A bit offset in a register is signed and reaches beyond the operand; an immediate is not. */
  private static long bitAddress(Cpu c, Insn i, long offset) {
    long ea = c.effectiveAddress(i);
    if (i.kind[1] == Insn.IMM) {
      return ea;
    }
    int size = i.size[0];
    int shift = 64 - 8 * size;
    long signed = offset << shift >> shift;
    ea += (signed >> 3) & -size;
    return i.addrSize == 8 ? ea : i.addrSize == 4 ? ea & 0xFFFFFFFFL : ea & 0xFFFF;
  }

  // ---- scans ----

  static void bsf(Cpu c, Insn i) {
    long v = c.read(i, 1);
    scanned(c, i, v, Long.numberOfTrailingZeros(v));
  }

  static void bsr(Cpu c, Insn i) {
    long v = c.read(i, 1);
    scanned(c, i, v, 63 - Long.numberOfLeadingZeros(v));
  }

  /** A source of 0 leaves the whole destination register, as CPUs do. */
  private static void scanned(Cpu c, Insn i, long v, int found) {
    int size = i.size[0];
    if (v != 0) {
      c.writeGpr(i.reg[0], size, found);
    }
    c.setLogicFlags(v, size);
  }

  static void popcnt(Cpu c, Insn i) {
    long v = c.read(i, 1);
    c.writeGpr(i.reg[0], i.size[0], Long.bitCount(v));
    c.setArithmeticFlags(v == 0 ? CpuRegisters.FLAG_ZF : 0);
  }

  static void bswap(Cpu c, Insn i) {
    long v = c.gpr[i.reg[0]];
    long swapped =
        switch (i.opSize) {
          case 8 -> Long.reverseBytes(v);
          case 4 -> Integer.reverseBytes((int) v);
          default -> 0; // undefined; what CPUs give
        };
    c.writeGpr(i.reg[0], i.opSize, swapped);
  }

  static void crc32(Cpu c, Insn i) {
    long data = c.read(i, 1);
    int crc = (int) c.gpr[i.reg[0]];
    for (int k = 0; k < i.size[1]; k++) {
      crc = crc >>> 8 ^ CRC32C_TABLE[(crc ^ (int) data) & 0xFF];
      data >>>= 8;
    }
    c.gpr[i.reg[0]] = crc & 0xFFFFFFFFL;
  }

  /** Made when a guest first asks: most test guests never do. */
  private static final class Entropy {
    static final SecureRandom SOURCE = new SecureRandom();
  }

  /** Always succeeds: CF = 1, the other arithmetic flags 0. */
  static void rdrand(Cpu c, Insn i) {
    c.writeGpr(i.reg[0], i.size[0], Entropy.SOURCE.nextLong());
    c.setArithmeticFlags(CpuRegisters.FLAG_CF);
  }
}
