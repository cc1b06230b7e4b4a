package org.pluribus.vmm.emulator;

import static org.pluribus.vmm.emulator.CpuRegisters.CS;
import static org.pluribus.vmm.emulator.CpuRegisters.RSP;
import static org.pluribus.vmm.emulator.CpuRegisters.SS;

/**
 * Far JMP, CALL and RET (SDM volume 2, volume 3 section 5.8). A TSS or task gate as the target
 * raises #GP with its selector, as in IA-32e mode, which has no task switches (section 8.7); this
 * CPU answers so in the other modes, too.
 */
final class FarTransfers {
  private FarTransfers() {}

  // ---- handlers ----

  static void jumpDirect(Cpu cpu, Insn i) {
    jump(cpu, i.imm2, i.imm);
  }

  static void callDirect(Cpu cpu, Insn i) {
    call(cpu, i.imm2, i.imm, i.opSize);
  }

  static void jumpIndirect(Cpu cpu, Insn i) {
    long la = cpu.address(i, i.opSize + 2, false);
    long offset = cpu.load(la, i.opSize);
    jump(cpu, (int) cpu.load16(la + i.opSize), offset);
  }

  static void callIndirect(Cpu cpu, Insn i) {
    long la = cpu.address(i, i.opSize + 2, false);
    long offset = cpu.load(la, i.opSize);
    call(cpu, (int) cpu.load16(la + i.opSize), offset, i.opSize);
  }

  static void ret(Cpu cpu, Insn i) {
    ret(cpu, i.opSize, 0);
  }

  static void retImmediate(Cpu cpu, Insn i) {
    ret(cpu, i.opSize, (int) i.imm & 0xFFFF);
  }

  // ---- jumps ----

  private static void jump(Cpu cpu, int selector, long offset) {
    if (!cpu.protectedMode()) {
      jumpReal(cpu, selector, offset);
      return;
    }
    long d = target(cpu, selector);
    int access = Segments.access(d);
    if (!Segments.isCode(access)) {
      CallGate gate = CallGate.read(cpu, selector, d);
      long code = gateTarget(cpu, gate);
      int codeAccess = Segments.access(code);
      boolean conforming = (codeAccess & Segments.CONFORMING) != 0;
      if (!conforming && Segments.dpl(codeAccess) != cpu.cpl) {
        throw cpu.gp(gate.selector() & Segments.SELECTOR_MASK);
      }
      enterSameLevel(cpu, gate.selector(), code, gate.offset());
      return;
    }
    checkDirect(cpu, selector, access);
    enterSameLevel(cpu, selector, d, offset);
  }

  private static void jumpReal(Cpu cpu, int selector, long offset) {
    if (offset > (cpu.segLimit[CS] & 0xFFFFFFFFL)) {
      throw cpu.gp(0);
    }
    Segments.setReal(cpu, CS, selector);
    cpu.nextRip = offset;
  }

  private static long target(Cpu cpu, int selector) {
    if (Segments.isNull(selector)) {
      throw cpu.gp(0);
    }
    return Segments.descriptor(cpu, selector, GuestFault.GP, 0);
  }

  /** Rights to jump to or call a code segment without a gate. */
  private static void checkDirect(Cpu cpu, int selector, int access) {
    int dpl = Segments.dpl(access);
    boolean ok =
        (access & Segments.CONFORMING) != 0
            ? dpl <= cpu.cpl
            : (selector & 3) <= cpu.cpl && dpl == cpu.cpl;
    if (!ok) {
      throw cpu.gp(selector & Segments.SELECTOR_MASK);
    }
    checkPresent(cpu, selector, access);
  }

  private static void checkPresent(Cpu cpu, int selector, int access) {
    if ((access & Segments.PRESENT) == 0) {
      throw cpu.fault(GuestFault.NP, selector & Segments.SELECTOR_MASK);
    }
    int both = Segments.LONG | Segments.BIG;
    if (cpu.longModeActive() && (access & both) == both) {
      throw cpu.gp(selector & Segments.SELECTOR_MASK);
    }
  }

  /** Whether {@code offset} can be executed in the code segment {@code d}. */
  static void checkOffset(Cpu cpu, long d, long offset) {
    boolean code64 = cpu.longModeActive() && (Segments.access(d) & Segments.LONG) != 0;
    boolean ok =
        code64
            ? Segments.canonical(offset)
            : Long.compareUnsigned(offset, Segments.limit(d) & 0xFFFFFFFFL) <= 0;
    if (!ok) {
      throw cpu.gp(0);
    }
  }

  private static void enterSameLevel(Cpu cpu, int selector, long d, long offset) {
    checkOffset(cpu, d, offset);
    Segments.markAccessed(cpu, selector, d);
    Segments.setCode(cpu, selector, d, cpu.cpl);
    cpu.nextRip = cpu.code64() ? offset : offset & 0xFFFFFFFFL;
  }

  // ---- calls ----

  private static void call(Cpu cpu, int selector, long offset, int size) {
    PendingStack stack = cpu.pendingStack;
    if (!cpu.protectedMode()) {
      stack.useCurrent(cpu, 0);
      pushReturn(cpu, stack, size);
      jumpReal(cpu, selector, offset);
      cpu.gpr[RSP] = stack.sp;
      return;
    }
    long d = target(cpu, selector);
    int access = Segments.access(d);
    if (!Segments.isCode(access)) {
      callGate(cpu, CallGate.read(cpu, selector, d));
      return;
    }
    checkDirect(cpu, selector, access);
    checkOffset(cpu, d, offset);
    stack.useCurrent(cpu, 0);
    pushReturn(cpu, stack, size);
    enterSameLevel(cpu, selector, d, offset);
    cpu.gpr[RSP] = stack.sp;
  }

  private static void pushReturn(Cpu cpu, PendingStack stack, int size) {
    stack.push(cpu, cpu.segSelector[CS], size);
    stack.push(cpu, cpu.nextRip, size);
  }

  /** The code segment a gate leads to, with the checks JMP and CALL share. */
  private static long gateTarget(Cpu cpu, CallGate gate) {
    int selector = gate.selector();
    long code = target(cpu, selector);
    int access = Segments.access(code);
    boolean wide = (access & (Segments.LONG | Segments.BIG)) == Segments.LONG;
    if (!Segments.isCode(access)
        || Segments.dpl(access) > cpu.cpl
        || (cpu.longModeActive() && !wide)) {
      throw cpu.gp(selector & Segments.SELECTOR_MASK);
    }
    checkPresent(cpu, selector, access);
    return code;
  }

  private static void callGate(Cpu cpu, CallGate gate) {
    long code = gateTarget(cpu, gate);
    int access = Segments.access(code);
    int dpl = Segments.dpl(access);
    boolean inner = (access & Segments.CONFORMING) == 0 && dpl < cpu.cpl;
    checkOffset(cpu, code, gate.offset());
    PendingStack stack = cpu.pendingStack;
    int size = gate.size();
    if (inner) {
      TaskState.innerStack(cpu, dpl, cpu.longModeActive(), 0, stack);
      stack.push(cpu, cpu.segSelector[SS], size);
      stack.push(cpu, cpu.gpr[RSP], size);
      for (int k = gate.parameters() - 1; k >= 0; k--) {
        stack.push(
            cpu, cpu.load(cpu.stackAddress(cpu.gpr[RSP] + k * size, size, false), size), size);
      }
    } else {
      stack.useCurrent(cpu, 0);
    }
    pushReturn(cpu, stack, size);
    Segments.markAccessed(cpu, gate.selector(), code);
    int level = inner ? dpl : cpu.cpl;
    stack.commit(cpu, level);
    Segments.setCode(cpu, gate.selector(), code, level);
    cpu.nextRip = gate.offset();
  }

  // ---- returns ----

  private static void ret(Cpu cpu, int size, int release) {
    long sp = cpu.gpr[RSP];
    long offset = cpu.load(cpu.stackAddress(sp, size, false), size);
    int selector = (int) cpu.load(cpu.stackAddress(sp + size, size, false), size) & 0xFFFF;
    if (!cpu.protectedMode()) {
      jumpReal(cpu, selector, offset);
      cpu.gpr[RSP] = cpu.movedSp(2L * size + release);
      return;
    }
    long d = returnTarget(cpu, selector);
    checkOffset(cpu, d, offset);
    int level = selector & 3;
    if (level == cpu.cpl) {
      Segments.markAccessed(cpu, selector, d);
      cpu.gpr[RSP] = cpu.movedSp(2L * size + release);
      Segments.setCode(cpu, selector, d, level);
    } else {
      long at = sp + 2L * size + release;
      long newSp = cpu.load(cpu.stackAddress(at, size, false), size);
      int newSs = (int) cpu.load(cpu.stackAddress(at + size, size, false), size) & 0xFFFF;
      toOuterLevel(cpu, selector, d, newSs, newSp, release);
    }
    cpu.nextRip = cpu.code64() ? offset : offset & 0xFFFFFFFFL;
  }

  /** The code segment a far return or IRET goes to, checked. */
  static long returnTarget(Cpu cpu, int selector) {
    long d = target(cpu, selector);
    int access = Segments.access(d);
    int level = selector & 3;
    int dpl = Segments.dpl(access);
    boolean conforming = (access & Segments.CONFORMING) != 0;
    if (level < cpu.cpl || !Segments.isCode(access) || (conforming ? dpl > level : dpl != level)) {
      throw cpu.gp(selector & Segments.SELECTOR_MASK);
    }
    checkPresent(cpu, selector, access);
    return d;
  }

  /** The stack segment a return to {@code level} loads; 0 for a null selector that is allowed. */
  static long returnStack(Cpu cpu, int selector, int level, boolean toCode64) {
    if (Segments.isNull(selector)) {
      if (!toCode64 || level == 3 || (selector & 3) != level) {
        throw cpu.gp(0);
      }
      return 0;
    }
    return Segments.checkedStack(cpu, selector, level, GuestFault.GP, 0);
  }

  /** Completes a return that loads CS and SS: everything that can fault comes first. */
  static void toOuterLevel(Cpu cpu, int selector, long d, int newSs, long newSp, int release) {
    int level = selector & 3;
    boolean toCode64 = cpu.longModeActive() && (Segments.access(d) & Segments.LONG) != 0;
    long stack = returnStack(cpu, newSs, level, toCode64);
    Segments.markAccessed(cpu, selector, d);
    if (stack != 0) {
      Segments.markAccessed(cpu, newSs, stack);
    }
    boolean outer = level > cpu.cpl;
    Segments.setCode(cpu, selector, d, level);
    if (stack != 0) {
      Segments.set(cpu, SS, newSs, stack);
      Segments.refresh(cpu);
    } else {
      Segments.setNullStack(cpu, level);
    }
    setStackPointer(cpu, newSp + release);
    if (outer) {
      Segments.dropInnerDataSegments(cpu);
    }
  }

  /** A 16-bit stack keeps the upper bits of ESP, as IRET does on real CPUs. */
  private static void setStackPointer(Cpu cpu, long sp) {
    cpu.gpr[RSP] =
        switch (cpu.stackBits) {
          case 64 -> sp;
          case 32 -> sp & 0xFFFFFFFFL;
          default -> cpu.gpr[RSP] & ~0xFFFFL | sp & 0xFFFF;
        };
  }
}
