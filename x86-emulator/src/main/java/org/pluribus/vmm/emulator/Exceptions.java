package org.pluribus.vmm.emulator;

/** Delivery of exceptions and interrupts through the guest's IDT (SDM volume 3, chapter 6). */
final class Exceptions {
  /** Error-code bits: the event came from outside the program; the code names an IDT entry. */
  static final int EXT = 1;

  private static final int IDT = 2;

  /** Gate types (SDM volume 3, table 3-2); bit 0 tells a trap gate from an interrupt gate. */
  private static final int GATE_INTERRUPT_16 = 6;

  private static final int GATE_INTERRUPT_32 = 14;
  private static final int GATE_TRAP_BIT = 1;
  private static final int GATE_32_BIT = 8;

  /** Longest chain of faults met while delivering faults; any real one ends in a triple fault. */
  private static final int MAX_CHAIN = 8;

  /** Flags that any entry clears (SDM volume 3, section 6.12.1.3). */
  private static final int CLEARED_ON_ENTRY =
      CpuRegisters.FLAG_TF | CpuRegisters.FLAG_NT | CpuRegisters.FLAG_RF | CpuRegisters.FLAG_VM;

  private Exceptions() {}

  /** Delivers a fault raised by the instruction at {@code cpu.rip}. */
  static void deliverFault(Cpu cpu, int vector, int errorCode) {
    // Faults but for instruction breakpoints save RF = 1 (SDM volume 3, section 18.3.1.1).
    deliver(cpu, vector, errorCode, CpuRegisters.FLAG_RF);
  }

  /** Delivers an external interrupt or NMI; {@code cpu.rip} is where the guest goes on later. */
  static void deliverInterrupt(Cpu cpu, int vector) {
    deliver(cpu, vector, GuestFault.NO_ERROR_CODE, 0);
  }

  /** Delivers a debug trap or an instruction breakpoint at {@code cpu.rip}; DR6 is set already. */
  static void deliverDebug(Cpu cpu) {
    cpu.dr[7] &= ~Debug.DR7_GD;
    deliver(cpu, GuestFault.DB, GuestFault.NO_ERROR_CODE, 0);
  }

  /**
   * INT n, INT3, INTO and INT1: enters the handler, to return to the next instruction.
   *
   * @param privileged INT1: like an event from outside, no check of the gate's DPL
   * @throws GuestFault what the entry raises, at the instruction itself
   */
  static void softwareInterrupt(Cpu cpu, int vector, boolean privileged) {
    int flags = cpu.eflags();
    if (!cpu.protectedMode()) {
      enterReal(cpu, vector, flags, cpu.nextRip);
    } else {
      int ext = privileged ? EXT : 0;
      enter(cpu, vector, GuestFault.NO_ERROR_CODE, ext, !privileged, flags, cpu.nextRip);
    }
    cpu.trapSuppressed = true;
  }

  /** Delivers, and what delivering raises, up to the triple fault (SDM volume 3, table 6-5). */
  private static void deliver(Cpu cpu, int vector, int errorCode, int savedRf) {
    int v = vector;
    int code = errorCode;
    int flags = cpu.eflags() | savedRf;
    cpu.watchHits = 0;
    for (int k = 0; k < MAX_CHAIN; k++) {
      try {
        if (v == GuestFault.DB) {
          cpu.dr[7] &= ~Debug.DR7_GD;
        }
        if (cpu.protectedMode()) {
          enter(cpu, v, code, EXT, false, flags, cpu.rip);
        } else {
          enterReal(cpu, v, flags, cpu.rip);
        }
        cpu.halted = false;
        return;
      } catch (GuestFault f) {
        flags |= CpuRegisters.FLAG_RF;
        boolean second = isContributory(f.vector);
        boolean page = f.vector == GuestFault.PF;
        if (v == GuestFault.DF && (second || page)) {
          break;
        }
        if (isDouble(v, second, page)) {
          v = GuestFault.DF;
          code = 0;
        } else {
          v = f.vector;
          code = f.errorCode;
        }
      }
    }
    cpu.shutDown();
  }

  private static boolean isDouble(int first, boolean second, boolean secondPage) {
    return isContributory(first) ? second : first == GuestFault.PF && (second || secondPage);
  }

  private static boolean isContributory(int vector) {
    return vector == GuestFault.DE || (vector >= GuestFault.TS && vector <= GuestFault.GP);
  }

  // ---- real mode ----

  private static void enterReal(Cpu cpu, int vector, int flags, long returnRip) {
    int at = vector * 4;
    if (at + 3 > cpu.idtLimit) {
      throw cpu.gp(0);
    }
    long entry = cpu.loadSystem(Segments.systemAddress(cpu, cpu.idtBase + at), 4);
    PendingStack stack = cpu.pendingStack;
    stack.useCurrent(cpu, 0);
    stack.push(cpu, flags & 0xFFFF, 2);
    stack.push(cpu, cpu.segSelector[CpuRegisters.CS], 2);
    stack.push(cpu, returnRip, 2);
    cpu.gpr[CpuRegisters.RSP] = stack.sp;
    Segments.setReal(cpu, CpuRegisters.CS, (int) (entry >>> 16));
    cpu.flagsSystem &= ~(CLEARED_ON_ENTRY | CpuRegisters.FLAG_IF | CpuRegisters.FLAG_AC);
    goTo(cpu, entry & 0xFFFF);
  }

  // ---- protected and long mode ----

  private static void enter(
      Cpu cpu, int vector, int errorCode, int ext, boolean software, int flags, long returnRip) {
    boolean longMode = cpu.longModeActive();
    int gateSize = longMode ? 16 : 8;
    int at = vector * gateSize;
    int idtCode = vector << 3 | IDT | ext;
    if (at + gateSize - 1 > cpu.idtLimit) {
      throw cpu.gp(idtCode);
    }
    long la = Segments.systemAddress(cpu, cpu.idtBase + at);
    long gate = cpu.loadSystem(la, 8);
    int access = Segments.access(gate);
    checkGate(cpu, access, idtCode, longMode, software);

    int selector = (int) (gate >>> 16) & 0xFFFF;
    long target = gate & 0xFFFF | gate >>> 32 & 0xFFFF0000L;
    int size = longMode ? 8 : (access & GATE_32_BIT) != 0 ? 4 : 2;
    if (longMode) {
      target |= cpu.loadSystem(Segments.systemAddress(cpu, la + 8), 4) << 32;
    } else if (size == 2) {
      target &= 0xFFFF;
    }
    long code = handlerCode(cpu, selector, ext, longMode);
    int codeAccess = Segments.access(code);
    boolean conforming = (codeAccess & Segments.CONFORMING) != 0;
    int level = conforming ? cpu.cpl : Segments.dpl(codeAccess);
    checkTarget(cpu, target, code, longMode, ext);

    PendingStack stack = cpu.pendingStack;
    chooseStack(cpu, stack, level, longMode ? (int) (gate >>> 32) & 7 : 0, longMode, ext);
    pushFrame(cpu, stack, size, longMode, flags, returnRip, errorCode);
    Segments.markAccessed(cpu, selector, code);

    int cleared = CLEARED_ON_ENTRY | ((access & GATE_TRAP_BIT) == 0 ? CpuRegisters.FLAG_IF : 0);
    cpu.flagsSystem &= ~cleared;
    stack.commit(cpu, level);
    Segments.setCode(cpu, selector, code, level);
    goTo(cpu, target);
  }

  private static void checkGate(
      Cpu cpu, int access, int idtCode, boolean longMode, boolean software) {
    int kind = access & 0x1F & ~GATE_TRAP_BIT; // with the S bit, which must be 0
    if (kind != GATE_INTERRUPT_32 && (longMode || kind != GATE_INTERRUPT_16)) {
      throw cpu.gp(idtCode);
    }
    if (software && Segments.dpl(access) < cpu.cpl) {
      throw cpu.gp(idtCode);
    }
    if ((access & Segments.PRESENT) == 0) {
      throw cpu.fault(GuestFault.NP, idtCode);
    }
  }

  private static long handlerCode(Cpu cpu, int selector, int ext, boolean longMode) {
    if (Segments.isNull(selector)) {
      throw cpu.gp(ext);
    }
    long code = Segments.descriptor(cpu, selector, GuestFault.GP, ext);
    int access = Segments.access(code);
    boolean wide = (access & (Segments.LONG | Segments.BIG)) == Segments.LONG;
    int selectorCode = selector & Segments.SELECTOR_MASK | ext;
    if (!Segments.isCode(access) || Segments.dpl(access) > cpu.cpl || (longMode && !wide)) {
      throw cpu.gp(selectorCode);
    }
    if ((access & Segments.PRESENT) == 0) {
      throw cpu.fault(GuestFault.NP, selectorCode);
    }
    return code;
  }

  private static void checkTarget(Cpu cpu, long target, long code, boolean longMode, int ext) {
    boolean ok =
        longMode
            ? Segments.canonical(target)
            : Long.compareUnsigned(target, Segments.limit(code) & 0xFFFFFFFFL) <= 0;
    if (!ok) {
      throw cpu.gp(ext);
    }
  }

  private static void chooseStack(
      Cpu cpu, PendingStack stack, int level, int ist, boolean longMode, int ext) {
    if (longMode) {
      if (ist != 0) {
        stack.useFlat(TaskState.interruptStack(cpu, ist, ext), true, ext);
        stack.switchTo(level, level < cpu.cpl);
      } else if (level < cpu.cpl) {
        TaskState.innerStack(cpu, level, true, ext, stack);
      } else {
        stack.useFlat(cpu.gpr[CpuRegisters.RSP], false, ext);
      }
      stack.sp &= -16L;
    } else if (level < cpu.cpl) {
      TaskState.innerStack(cpu, level, false, ext, stack);
    } else {
      stack.useCurrent(cpu, ext);
    }
  }

  private static void pushFrame(
      Cpu cpu,
      PendingStack stack,
      int size,
      boolean longMode,
      int flags,
      long returnRip,
      int errorCode) {
    if (longMode || stack.switched) {
      stack.push(cpu, cpu.segSelector[CpuRegisters.SS], size);
      stack.push(cpu, cpu.gpr[CpuRegisters.RSP], size);
    }
    stack.push(cpu, flags, size);
    stack.push(cpu, cpu.segSelector[CpuRegisters.CS], size);
    stack.push(cpu, returnRip, size);
    if (errorCode != GuestFault.NO_ERROR_CODE) {
      stack.push(cpu, errorCode, size);
    }
  }

  /** Both ways: delivery happens between instructions and, for INT n, inside one. */
  private static void goTo(Cpu cpu, long target) {
    cpu.rip = target;
    cpu.nextRip = target;
  }
}
