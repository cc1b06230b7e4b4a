package org.pluribus.vmm.emulator;

import static org.pluribus.vmm.emulator.CpuRegisters.CS;
import static org.pluribus.vmm.emulator.CpuRegisters.GS;
import static org.pluribus.vmm.emulator.CpuRegisters.RCX;
import static org.pluribus.vmm.emulator.CpuRegisters.RDX;
import static org.pluribus.vmm.emulator.CpuRegisters.RSP;
import static org.pluribus.vmm.emulator.CpuRegisters.SS;

/** SYSCALL, SYSRET, SYSENTER, SYSEXIT, SWAPGS and the FS and GS base instructions. */
final class FastCalls {
  /** RFLAGS bits that SYSRET takes from R11: all but VM, RF and reserved ones. */
  private static final int SYSRET_FLAGS = 0x3C7FD7;

  private static final int R11 = 11;

  private FastCalls() {}

  private static void setFlatCode(Cpu cpu, int selector, int width, int level) {
    int bits = width == 64 ? Segments.LONG : Segments.BIG;
    Segments.setFlat(cpu, CS, selector | level, Segments.FLAT_CODE | bits | level << 5);
  }

  private static void setFlatStack(Cpu cpu, int selector, int level) {
    Segments.setFlat(cpu, SS, selector | level, Segments.FLAT_DATA | level << 5);
  }

  private static void enterLevel(Cpu cpu, int level) {
    Segments.setCpl(cpu, level);
    Segments.refresh(cpu);
  }

  static void syscall(Cpu cpu, Insn i) {
    if ((cpu.efer & CpuRegisters.EFER_SCE) == 0) {
      throw cpu.ud();
    }
    int flags = cpu.eflags();
    cpu.gpr[RCX] = cpu.nextRip;
    cpu.gpr[R11] = flags & ~CpuRegisters.FLAG_RF & 0xFFFFFFFFL;
    setFlags(cpu, flags & ~(int) cpu.sfmask & ~CpuRegisters.FLAG_RF);
    int selector = (int) (cpu.star >>> 32) & Segments.SELECTOR_MASK;
    setFlatCode(cpu, selector, 64, 0);
    setFlatStack(cpu, selector + 8, 0);
    cpu.cpl = 0;
    cpu.accessModeChanged(); // AC may have changed too
    Segments.refresh(cpu);
    cpu.nextRip = cpu.lstar;
    cpu.trapSuppressed = (cpu.flagsSystem & CpuRegisters.FLAG_TF) == 0;
  }

  private static void setFlags(Cpu cpu, int flags) {
    cpu.setArithmeticFlags(flags);
    cpu.flagsSystem = flags & ~CpuRegisters.ARITHMETIC_FLAGS | 2;
  }

  static void sysret(Cpu cpu, Insn i) {
    if ((cpu.efer & CpuRegisters.EFER_SCE) == 0) {
      throw cpu.ud();
    }
    Privileges.requireRing0(cpu);
    boolean to64 = i.opSize == 8;
    long target = to64 ? cpu.gpr[RCX] : cpu.gpr[RCX] & 0xFFFFFFFFL;
    if (!Segments.canonical(target)) {
      throw cpu.gp(0);
    }
    int selector = (int) (cpu.star >>> 48) & Segments.SELECTOR_MASK;
    setFlags(cpu, (int) cpu.gpr[R11] & SYSRET_FLAGS);
    setFlatCode(cpu, to64 ? selector + 16 : selector, to64 ? 64 : 32, 3);
    setFlatStack(cpu, selector + 8, 3);
    enterLevel(cpu, 3);
    cpu.nextRip = target;
    cpu.interruptsMayBeEnabled();
  }

  static void sysenter(Cpu cpu, Insn i) {
    int selector = (int) cpu.sysenterCs & Segments.SELECTOR_MASK;
    if (!cpu.protectedMode() || selector == 0) {
      throw cpu.gp(0);
    }
    boolean to64 = cpu.longModeActive();
    cpu.flagsSystem &= ~(CpuRegisters.FLAG_VM | CpuRegisters.FLAG_IF | CpuRegisters.FLAG_RF);
    setFlatCode(cpu, selector, to64 ? 64 : 32, 0);
    setFlatStack(cpu, selector + 8, 0);
    enterLevel(cpu, 0);
    cpu.gpr[RSP] = to64 ? cpu.sysenterEsp : cpu.sysenterEsp & 0xFFFFFFFFL;
    cpu.nextRip = to64 ? cpu.sysenterEip : cpu.sysenterEip & 0xFFFFFFFFL;
  }

  static void sysexit(Cpu cpu, Insn i) {
    int selector = (int) cpu.sysenterCs & Segments.SELECTOR_MASK;
    if (!cpu.protectedMode() || selector == 0 || cpu.cpl != 0) {
      throw cpu.gp(0);
    }
    boolean to64 = i.opSize == 8;
    long target = cpu.gpr[RDX];
    long stack = cpu.gpr[RCX];
    if (to64 && (!Segments.canonical(target) || !Segments.canonical(stack))) {
      throw cpu.gp(0);
    }
    setFlatCode(cpu, selector + (to64 ? 32 : 16), to64 ? 64 : 32, 3);
    setFlatStack(cpu, selector + (to64 ? 40 : 24), 3);
    enterLevel(cpu, 3);
    cpu.gpr[RSP] = to64 ? stack : stack & 0xFFFFFFFFL;
    cpu.nextRip = to64 ? target : target & 0xFFFFFFFFL;
  }

  static void swapgs(Cpu cpu, Insn i) {
    Privileges.requireRing0(cpu);
    long old = cpu.segBase[GS];
    setBase(cpu, GS, cpu.kernelGsBase);
    cpu.kernelGsBase = old;
  }

  /** Changes the base of FS or GS only, as the MSRs and WRFSBASE do. */
  static void setBase(Cpu cpu, int seg, long base) {
    cpu.segBase[seg] = base;
    cpu.effectiveBase[seg] = base;
  }

  static Handler readBase(int seg) {
    return (cpu, i) -> {
      requireFsGsBase(cpu);
      cpu.writeGpr(i.reg[0], i.size[0], cpu.segBase[seg]);
    };
  }

  static Handler writeBase(int seg) {
    return (cpu, i) -> {
      requireFsGsBase(cpu);
      long base = cpu.readGpr(i.reg[0], i.size[0]);
      if (!Segments.canonical(base)) {
        throw cpu.gp(0);
      }
      setBase(cpu, seg, base);
    };
  }

  private static void requireFsGsBase(Cpu cpu) {
    if ((cpu.cr4 & CpuRegisters.CR4_FSGSBASE) == 0) {
      throw cpu.ud();
    }
  }
}
