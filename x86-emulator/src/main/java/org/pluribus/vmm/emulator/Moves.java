package org.pluribus.vmm.emulator;

import java.lang.invoke.VarHandle;

/** Data movement without flags: MOV and its kin, CMOVcc, SETcc, fences and hints. */
final class Moves {
  /**
   * A guest that spins lets other threads of the host have the core after so many PAUSEs, as
   * processors leave the guest then (SDM volume 3, "Controls for PAUSE-Loop Exiting"): it may well
   * wait for one of them.
   */
  private static final int PAUSES = 64;

  private Moves() {}

  /** MOV between any two operands. */
  static void mov(Cpu c, Insn i) {
    c.write(i, 0, c.read(i, 1));
  }

  /** MOV r, r/m: the source decides, the destination is a register. */
  static void movToReg(Cpu c, Insn i) {
    int size = i.size[0];
    long v =
        i.kind[1] == Insn.REG ? c.readGpr(i.reg[1], size) : c.load(c.address(i, size, false), size);
    c.writeGpr(i.reg[0], size, v);
  }

  /** MOV r/m, r. */
  static void movFromReg(Cpu c, Insn i) {
    int size = i.size[0];
    long v = c.readGpr(i.reg[1], size);
    if (i.kind[0] == Insn.REG) {
      c.writeGpr(i.reg[0], size, v);
    } else {
      c.store(c.address(i, size, true), size, v);
    }
  }

  /** MOV r, imm (B0 to BF). */
  static void movImmediate(Cpu c, Insn i) {
    c.writeGpr(i.reg[0], i.size[0], i.imm);
  }

  static void movzx(Cpu c, Insn i) {
    c.writeGpr(i.reg[0], i.size[0], c.read(i, 1));
  }

  static void movsx(Cpu c, Insn i) {
    int shift = 64 - 8 * i.size[1];
    c.writeGpr(i.reg[0], i.size[0], c.read(i, 1) << shift >> shift);
  }

  static void lea(Cpu c, Insn i) {
    c.writeGpr(i.reg[0], i.size[0], c.effectiveAddress(i));
  }

  /** The source is read whatever the condition; a 32-bit destination is zero-extended always. */
  static void cmov(Cpu c, Insn i) {
    int size = i.size[0];
    long v = c.read(i, 1);
    c.writeGpr(i.reg[0], size, c.condition(i.opcode & 15) ? v : c.readGpr(i.reg[0], size));
  }

  static void setcc(Cpu c, Insn i) {
    c.write(i, 0, c.condition(i.opcode & 15) ? 1 : 0);
  }

  static void xlat(Cpu c, Insn i) {
    long ea = c.gpr[CpuRegisters.RBX] + (c.gpr[CpuRegisters.RAX] & 0xFF);
    ea = i.addrSize == 8 ? ea : i.addrSize == 4 ? ea & 0xFFFFFFFFL : ea & 0xFFFF;
    int seg = i.segOverride >= 0 ? i.segOverride : CpuRegisters.DS;
    c.writeGpr(CpuRegisters.RAX, 1, c.load8(c.linear(seg, ea, 1, false)));
  }

  static void nop(Cpu c, Insn i) {}

  static void pause(Cpu c, Insn i) {
    if (i.reg[0] != CpuRegisters.RAX) {
      Arithmetic.xchg(c, i);
    } else {
      c.countWait();
      if (c.waits() % PAUSES == 0) {
        Thread.yield();
      } else {
        Thread.onSpinWait();
      }
    }
  }

  static void undefined(Cpu c, Insn i) {
    throw c.ud();
  }

  static void mfence(Cpu c, Insn i) {
    VarHandle.fullFence();
  }

  static void lfence(Cpu c, Insn i) {
    VarHandle.acquireFence();
  }

  static void sfence(Cpu c, Insn i) {
    VarHandle.releaseFence();
  }

  /** CLFLUSH checks the address as a one-byte load does; caches are the host's business. */
  static void clflush(Cpu c, Insn i) {
    c.load8(c.address(i, 1, false));
  }

  /** BOUND: raises #BR when a signed index is outside the pair of bounds in memory. */
  static void bound(Cpu c, Insn i) {
    int size = i.opSize;
    int shift = 64 - 8 * size;
    long la = c.address(i, 2 * size, false);
    long low = c.load(la, size) << shift >> shift;
    long high = c.load(la + size, size) << shift >> shift;
    long index = c.readGpr(i.reg[0], size) << shift >> shift;
    if (index < low || index > high) {
      throw c.fault(GuestFault.BR);
    }
  }

  /** ARPL: raises the RPL of a selector to that of another; protected mode only. */
  static void arpl(Cpu c, Insn i) {
    if (!c.protectedMode() || c.virtual8086()) {
      throw c.ud();
    }
    long b = c.read(i, 1) & 3;
    long a = c.read(i, 0);
    boolean raise = (a & 3) < b;
    if (raise) {
      c.write(i, 0, (a & ~3L) | b);
    }
    WideExchange.setZero(c, raise);
  }
}
