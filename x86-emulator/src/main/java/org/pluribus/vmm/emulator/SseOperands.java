package org.pluribus.vmm.emulator;

/**
 * What all SSE handlers share: the availability checks (SDM volume 1, section 11.6.10 and volume 2,
 * section 2.4) and access to 128-bit operands.
 *
 * <p>A source operand is named by its index in {@link CpuRegisters#xmm}: twice the register's
 * number, or {@link #SCRATCH} when it came from memory.
 */
final class SseOperands {
  /** Index in {@link CpuRegisters#xmm} where memory operands are loaded. */
  static final int SCRATCH = 32;

  private SseOperands() {}

  /**
   * Raises what any SSE instruction raises when it may not run now.
   *
   * @throws GuestFault #UD for CR0.EM = 1 or CR4.OSFXSR = 0, #NM for CR0.TS = 1
   */
  static void check(Cpu c) {
    if ((c.cr0 & (CpuRegisters.CR0_EM | CpuRegisters.CR0_TS)) != 0
        || (c.cr4 & CpuRegisters.CR4_OSFXSR) == 0) {
      throw unavailable(c);
    }
  }

  private static GuestFault unavailable(Cpu c) {
    if ((c.cr0 & CpuRegisters.CR0_EM) != 0 || (c.cr4 & CpuRegisters.CR4_OSFXSR) == 0) {
      return c.ud();
    }
    return c.fault(GuestFault.NM);
  }

  /** Index of register operand {@code n}. */
  static int register(Insn i, int n) {
    return i.reg[n] << 1;
  }

  /** Index of a 16-byte source; memory must be aligned, or it is #GP(0). */
  static int source(Cpu c, Insn i, int n) {
    if (i.kind[n] != Insn.MEM) {
      return i.reg[n] << 1;
    }
    return load128(c, alignedAddress(c, i, false));
  }

  /** Index of a 16-byte source that may lie anywhere. */
  static int sourceUnaligned(Cpu c, Insn i, int n) {
    if (i.kind[n] != Insn.MEM) {
      return i.reg[n] << 1;
    }
    return load128(c, c.address(i, 16, false));
  }

  /** Low quadword of an XMM source, or a quadword of memory. */
  static long source64(Cpu c, Insn i, int n) {
    return i.kind[n] != Insn.MEM ? c.xmm[i.reg[n] << 1] : c.load64(c.address(i, 8, false));
  }

  /** Low doubleword of an XMM source, or a doubleword of memory. */
  static int source32(Cpu c, Insn i, int n) {
    return i.kind[n] != Insn.MEM
        ? (int) c.xmm[i.reg[n] << 1]
        : (int) c.load32(c.address(i, 4, false));
  }

  private static int load128(Cpu c, long la) {
    long low = c.load64(la);
    c.xmm[SCRATCH + 1] = c.load64(la + 8);
    c.xmm[SCRATCH] = low;
    return SCRATCH;
  }

  /** Linear address of a 16-byte memory operand that has to be aligned. */
  static long alignedAddress(Cpu c, Insn i, boolean write) {
    long offset = c.effectiveAddress(i);
    if ((c.effectiveBase[i.seg] + offset & 15) != 0) {
      throw c.gp(0); // goes before the segment's limit
    }
    return c.linear(i.seg, offset, 16, write);
  }

  /** Stores 16 bytes at {@code la}, all or nothing. */
  static void store128(Cpu c, long la, long low, long high) {
    if ((la & ~CpuMemory.PAGE_MASK) > CpuMemory.PAGE_SIZE - 16) {
      c.checkWritable(la, 16);
    }
    c.store64(la, low);
    c.store64(la + 8, high);
  }

  /** Sets a whole XMM register. */
  static void set(Cpu c, int register, long low, long high) {
    c.xmm[register] = low;
    c.xmm[register + 1] = high;
  }
}
