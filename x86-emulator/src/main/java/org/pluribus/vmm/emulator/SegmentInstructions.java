package org.pluribus.vmm.emulator;

import static org.pluribus.vmm.emulator.CpuRegisters.FLAG_ZF;
import static org.pluribus.vmm.emulator.CpuRegisters.LDTR;
import static org.pluribus.vmm.emulator.CpuRegisters.SS;
import static org.pluribus.vmm.emulator.CpuRegisters.TR;

/** Handlers of the instructions that load, store and test segments and system tables. */
final class SegmentInstructions {
  private SegmentInstructions() {}

  // ---- segment registers ----

  static void movFromSegment(Cpu cpu, Insn i) {
    storeSelector(cpu, i, cpu.segSelector[i.reg[1]]);
  }

  /** Registers get the selector zero-extended to the operand size; memory always 16 bits. */
  private static void storeSelector(Cpu cpu, Insn i, int selector) {
    if (i.isMem(0)) {
      cpu.store16(cpu.address(i, 2, true), selector);
    } else {
      cpu.writeGpr(i.reg[0], i.opSize, selector);
    }
  }

  static void movToSegment(Cpu cpu, Insn i) {
    Segments.load(cpu, i.reg[0], (int) cpu.read(i, 1) & 0xFFFF);
  }

  static void movToStackSegment(Cpu cpu, Insn i) {
    movToSegment(cpu, i);
    holdOffInterrupts(cpu);
  }

  /** SDM volume 3, section 6.8.3: SS and SP can be loaded without an interrupt between. */
  private static void holdOffInterrupts(Cpu cpu) {
    cpu.interruptShadow = true;
    cpu.trapSuppressed = true;
  }

  static void push(Cpu cpu, Insn i) {
    cpu.push(cpu.segSelector[i.reg[0]], i.opSize);
  }

  static void pop(Cpu cpu, Insn i) {
    int selector = (int) cpu.peek(i.opSize) & 0xFFFF;
    long sp = cpu.movedSp(i.opSize);
    Segments.load(cpu, i.reg[0], selector);
    cpu.gpr[CpuRegisters.RSP] = sp;
    if (i.reg[0] == SS) {
      holdOffInterrupts(cpu);
    }
  }

  /** LES, LDS, LSS, LFS, LGS. */
  static Handler loadFarPointer(int seg) {
    return (cpu, i) -> {
      long la = cpu.address(i, i.opSize + 2, false);
      long offset = cpu.load(la, i.opSize);
      int selector = (int) cpu.load16(la + i.opSize);
      Segments.load(cpu, seg, selector);
      cpu.writeGpr(i.reg[0], i.opSize, offset);
    };
  }

  // ---- descriptor tables ----

  static void sgdt(Cpu cpu, Insn i) {
    storeTable(cpu, i, cpu.gdtLimit, cpu.gdtBase);
  }

  static void sidt(Cpu cpu, Insn i) {
    storeTable(cpu, i, cpu.idtLimit, cpu.idtBase);
  }

  private static void storeTable(Cpu cpu, Insn i, int limit, long base) {
    checkUserMayLook(cpu);
    int size = cpu.code64() ? 8 : 4;
    long la = cpu.address(i, size + 2, true);
    cpu.checkWritable(la, size + 2);
    cpu.store16(la, limit);
    cpu.store(la + 2, size, base);
  }

  /** CR4.UMIP forbids SGDT, SIDT, SLDT, SMSW and STR above CPL 0. */
  static void checkUserMayLook(Cpu cpu) {
    if (cpu.cpl != 0 && (cpu.cr4 & CpuRegisters.CR4_UMIP) != 0) {
      throw cpu.gp(0);
    }
  }

  static void lgdt(Cpu cpu, Insn i) {
    Privileges.requireRing0(cpu);
    long la = cpu.address(i, cpu.code64() ? 10 : 6, false);
    int limit = (int) cpu.load16(la);
    cpu.gdtBase = tableBase(cpu, i, la);
    cpu.gdtLimit = limit;
  }

  static void lidt(Cpu cpu, Insn i) {
    Privileges.requireRing0(cpu);
    long la = cpu.address(i, cpu.code64() ? 10 : 6, false);
    int limit = (int) cpu.load16(la);
    cpu.idtBase = tableBase(cpu, i, la);
    cpu.idtLimit = limit;
  }

  private static long tableBase(Cpu cpu, Insn i, long la) {
    if (!cpu.code64()) {
      long base = cpu.load32(la + 2);
      return i.opSize == 2 ? base & 0xFFFFFF : base;
    }
    long base = cpu.load64(la + 2);
    if (!Segments.canonical(base)) {
      throw cpu.gp(0);
    }
    return base;
  }

  static void sldt(Cpu cpu, Insn i) {
    requireProtected(cpu);
    checkUserMayLook(cpu);
    storeSelector(cpu, i, cpu.segSelector[LDTR]);
  }

  static void str(Cpu cpu, Insn i) {
    requireProtected(cpu);
    checkUserMayLook(cpu);
    storeSelector(cpu, i, cpu.segSelector[TR]);
  }

  private static void requireProtected(Cpu cpu) {
    if (!cpu.protectedMode()) {
      throw cpu.ud();
    }
  }

  static void lldt(Cpu cpu, Insn i) {
    requireProtected(cpu);
    Privileges.requireRing0(cpu);
    int selector = (int) cpu.read(i, 0) & 0xFFFF;
    if (Segments.isNull(selector)) {
      Segments.set(cpu, LDTR, selector, 0);
      return;
    }
    loadSystemSegment(cpu, LDTR, selector, 1 << Segments.TYPE_LDT);
  }

  static void ltr(Cpu cpu, Insn i) {
    requireProtected(cpu);
    Privileges.requireRing0(cpu);
    int selector = (int) cpu.read(i, 0) & 0xFFFF;
    if (Segments.isNull(selector)) {
      throw cpu.gp(0);
    }
    int types = 1 << Segments.TYPE_TSS_AVAILABLE;
    if (!cpu.longModeActive()) {
      types |= 1 << Segments.TYPE_TSS_16;
    }
    loadSystemSegment(cpu, TR, selector, types);
    long at = Segments.descriptorAddress(cpu, selector, 8, GuestFault.GP, 0);
    int busy = cpu.segAccess[TR] & 0xFF | 2;
    cpu.storeSystem(at + 5, 1, busy);
    cpu.segAccess[TR] |= 2;
  }

  private static void loadSystemSegment(Cpu cpu, int register, int selector, int types) {
    int code = selector & Segments.SELECTOR_MASK;
    if ((selector & 4) != 0) {
      throw cpu.gp(code);
    }
    boolean wide = cpu.longModeActive();
    long at = Segments.descriptorAddress(cpu, selector, wide ? 16 : 8, GuestFault.GP, 0);
    long d = cpu.loadSystem(at, 8);
    int access = Segments.access(d);
    if ((access & Segments.CODE_OR_DATA) != 0 || (types >> Segments.type(access) & 1) == 0) {
      throw cpu.gp(code);
    }
    if ((access & Segments.PRESENT) == 0) {
      throw cpu.fault(GuestFault.NP, code);
    }
    long base = Segments.base(d);
    if (wide) {
      base |= cpu.loadSystem(at + 8, 4) << 32;
      if (!Segments.canonical(base)) {
        throw cpu.gp(code);
      }
    }
    cpu.segSelector[register] = selector;
    cpu.segBase[register] = base;
    cpu.segLimit[register] = Segments.limit(d);
    cpu.segAccess[register] = access;
  }

  // ---- tests of selectors ----

  /** System types that LAR shows and LSL measures, by mode, as bit sets. */
  private static final int LAR_TYPES = bits(1, 2, 3, 4, 5, 9, 11, 12);

  private static final int LAR_TYPES_64 = bits(2, 9, 11, 12);
  private static final int LSL_TYPES = bits(1, 2, 3, 9, 11);
  private static final int LSL_TYPES_64 = bits(2, 9, 11);

  private static int bits(int... types) {
    int set = 0;
    for (int t : types) {
      set |= 1 << t;
    }
    return set;
  }

  static void lar(Cpu cpu, Insn i) {
    requireProtected(cpu);
    int selector = (int) cpu.read(i, 1) & 0xFFFF;
    long d = visible(cpu, selector, cpu.longModeActive() ? LAR_TYPES_64 : LAR_TYPES);
    setZero(cpu, d != 0);
    if (d != 0) {
      cpu.writeGpr(i.reg[0], i.opSize, d >>> 32 & 0x00FFFF00L);
    }
  }

  static void lsl(Cpu cpu, Insn i) {
    requireProtected(cpu);
    int selector = (int) cpu.read(i, 1) & 0xFFFF;
    long d = visible(cpu, selector, cpu.longModeActive() ? LSL_TYPES_64 : LSL_TYPES);
    setZero(cpu, d != 0);
    if (d != 0) {
      cpu.writeGpr(i.reg[0], i.opSize, Segments.limit(d) & 0xFFFFFFFFL);
    }
  }

  /** The descriptor if this privilege level may see it and its type is in {@code types}; else 0. */
  private static long visible(Cpu cpu, int selector, int types) {
    long d = descriptorOrZero(cpu, selector);
    int access = Segments.access(d);
    boolean plain = (access & Segments.CODE_OR_DATA) != 0;
    boolean conforming =
        plain
            && (access & (Segments.CODE | Segments.CONFORMING))
                == (Segments.CODE | Segments.CONFORMING);
    boolean typeOk = plain || (types >> Segments.type(access) & 1) != 0;
    boolean levelOk = conforming || Segments.dpl(access) >= Math.max(cpu.cpl, selector & 3);
    return d != 0 && typeOk && levelOk ? d : 0;
  }

  private static long descriptorOrZero(Cpu cpu, int selector) {
    boolean local = (selector & 4) != 0;
    boolean usable = !local || (cpu.segAccess[LDTR] & Segments.PRESENT) != 0;
    long limit = local ? cpu.segLimit[LDTR] & 0xFFFFFFFFL : cpu.gdtLimit;
    if (Segments.isNull(selector) || !usable || (selector | 7) > limit) {
      return 0;
    }
    return Segments.descriptor(cpu, selector, GuestFault.GP, 0);
  }

  static void verr(Cpu cpu, Insn i) {
    requireProtected(cpu);
    int access = Segments.access(visible(cpu, (int) cpu.read(i, 0) & 0xFFFF, 0));
    boolean data = (access & Segments.CODE) == 0;
    setZero(cpu, access != 0 && (data || (access & Segments.WRITABLE) != 0));
  }

  static void verw(Cpu cpu, Insn i) {
    requireProtected(cpu);
    int access = Segments.access(visible(cpu, (int) cpu.read(i, 0) & 0xFFFF, 0));
    setZero(cpu, access != 0 && Segments.isWritableData(access));
  }

  private static void setZero(Cpu cpu, boolean zero) {
    int flags = cpu.arithmeticFlags() & ~FLAG_ZF;
    cpu.setArithmeticFlags(zero ? flags | FLAG_ZF : flags);
  }
}
