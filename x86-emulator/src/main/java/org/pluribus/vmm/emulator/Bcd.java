package org.pluribus.vmm.emulator;

/** Decimal adjustment (SDM volume 2; not in 64-bit mode). */
final class Bcd {
  private static final int AH = 16;

  private Bcd() {}

  static void daa(Cpu c, Insn i) {
    adjustPacked(c, 1);
  }

  static void das(Cpu c, Insn i) {
    adjustPacked(c, -1);
  }

  private static void adjustPacked(Cpu c, int sign) {
    int al = (int) c.readGpr(CpuRegisters.RAX, 1);
    boolean carry = c.cf();
    int v = al;
    boolean newCarry = false;
    boolean adjust = (al & 15) > 9 || c.af();
    if (adjust) {
      v += sign * 6;
      newCarry = carry || (v & ~0xFF) != 0;
    }
    if (al > 0x99 || carry) {
      v += sign * 0x60;
      newCarry = true;
    }
    v &= 0xFF;
    c.writeGpr(CpuRegisters.RAX, 1, v);
    c.setLogicFlags(v, 1);
    c.setArithmeticFlags(
        c.arithmeticFlags()
            | (newCarry ? CpuRegisters.FLAG_CF : 0)
            | (adjust ? CpuRegisters.FLAG_AF : 0));
  }

  static void aaa(Cpu c, Insn i) {
    adjustUnpacked(c, 1);
  }

  static void aas(Cpu c, Insn i) {
    adjustUnpacked(c, -1);
  }

  private static void adjustUnpacked(Cpu c, int sign) {
    long ax = c.readGpr(CpuRegisters.RAX, 2);
    boolean adjust = (ax & 15) > 9 || c.af();
    if (adjust) {
      ax += sign * 0x106;
    }
    c.writeGpr(CpuRegisters.RAX, 2, ax & 0xFF0F);
    c.setLogicFlags(ax & 15, 1);
    c.setArithmeticFlags(
        c.arithmeticFlags() | (adjust ? CpuRegisters.FLAG_CF | CpuRegisters.FLAG_AF : 0));
  }

  static void aam(Cpu c, Insn i) {
    int base = (int) i.imm & 0xFF;
    if (base == 0) {
      throw c.fault(GuestFault.DE);
    }
    int al = (int) c.readGpr(CpuRegisters.RAX, 1);
    c.writeGpr(AH, 1, al / base);
    c.writeGpr(CpuRegisters.RAX, 1, al % base);
    c.setLogicFlags(al % base, 1);
  }

  static void aad(Cpu c, Insn i) {
    long v = c.readGpr(CpuRegisters.RAX, 1) + c.readGpr(AH, 1) * (i.imm & 0xFF);
    c.writeGpr(CpuRegisters.RAX, 2, v & 0xFF);
    c.setLogicFlags(v, 1);
  }
}
