package org.pluribus.vmm.emulator;

/**
 * Segment registers and descriptors (SDM volume 3, chapters 3 and 5): fetching descriptors, loading
 * segment registers with all checks, and keeping what follows from them (width of code and stack,
 * effective bases).
 */
final class Segments {
  /** Bits of an access word, see {@link CpuRegisters#segAccess}. */
  static final int ACCESSED = 1;

  /** Data: writable. Code: readable. */
  static final int WRITABLE = 1 << 1;

  static final int CONFORMING = 1 << 2;
  static final int CODE = 1 << 3;

  /** Code or data, as opposed to a system descriptor. */
  static final int CODE_OR_DATA = 1 << 4;

  static final int PRESENT = 1 << 7;
  static final int LONG = 1 << 13;
  static final int BIG = 1 << 14;
  static final int GRANULAR = 1 << 15;

  /** Types of system descriptors (SDM volume 3, table 3-2). */
  static final int TYPE_LDT = 2;

  static final int TYPE_TSS_16 = 1;
  static final int TYPE_TSS_AVAILABLE = 9;
  static final int TYPE_TSS_BUSY = 11;
  static final int TYPE_CALL_GATE_16 = 4;
  static final int TYPE_TASK_GATE = 5;
  static final int TYPE_CALL_GATE = 12;

  /** Present ring-0 data segment, read and write, accessed. */
  static final int FLAT_DATA = PRESENT | CODE_OR_DATA | WRITABLE | ACCESSED | BIG | GRANULAR;

  /** Present ring-0 code segment, execute and read, accessed; neither 32-bit nor 64-bit yet. */
  static final int FLAT_CODE = PRESENT | CODE_OR_DATA | CODE | WRITABLE | ACCESSED | GRANULAR;

  /** Present data segment of real mode: read and write, accessed, 16 bits. */
  static final int REAL_DATA = PRESENT | CODE_OR_DATA | WRITABLE | ACCESSED;

  /** Error codes hold a selector without its RPL. */
  static final int SELECTOR_MASK = 0xFFFC;

  private Segments() {}

  // ---- descriptors ----

  /**
   * The descriptor of {@code selector}, which is not null.
   *
   * @param vector exception when it lies outside its table: #GP or #TS
   * @param ext 1 while delivering an external event, else 0
   */
  static long descriptor(Cpu cpu, int selector, int vector, int ext) {
    return cpu.loadSystem(descriptorAddress(cpu, selector, 8, vector, ext), 8);
  }

  /** Linear address of a descriptor of {@code size} bytes, checked against the table's limit. */
  static long descriptorAddress(Cpu cpu, int selector, int size, int vector, int ext) {
    boolean local = (selector & 4) != 0;
    int last = (selector & 0xFFF8) + size - 1;
    long limit = local ? cpu.segLimit[CpuRegisters.LDTR] & 0xFFFFFFFFL : cpu.gdtLimit;
    if (last > limit || (local && (cpu.segAccess[CpuRegisters.LDTR] & PRESENT) == 0)) {
      throw cpu.fault(vector, selector & SELECTOR_MASK | ext);
    }
    long base = local ? cpu.segBase[CpuRegisters.LDTR] : cpu.gdtBase;
    return systemAddress(cpu, base + (selector & 0xFFF8));
  }

  /** A linear address of a system table: 32 bits wide outside long mode. */
  static long systemAddress(Cpu cpu, long la) {
    cpu.accessSeg = CpuRegisters.DS; // a non-canonical address raises #GP, not #SS
    return cpu.longModeActive() ? la : la & 0xFFFFFFFFL;
  }

  static long base(long descriptor) {
    return descriptor >>> 16 & 0xFFFFFF | descriptor >>> 32 & 0xFF000000L;
  }

  static int limit(long descriptor) {
    int raw = (int) (descriptor & 0xFFFF | descriptor >>> 32 & 0xF0000);
    return (access(descriptor) & GRANULAR) != 0 ? raw << 12 | 0xFFF : raw;
  }

  /** The access word as {@link CpuRegisters#segAccess} holds it. */
  static int access(long descriptor) {
    return (int) (descriptor >>> 40) & 0xF0FF;
  }

  static int dpl(int access) {
    return access >> 5 & 3;
  }

  static int type(int access) {
    return access & 15;
  }

  static boolean isCode(int access) {
    return (access & (CODE_OR_DATA | CODE)) == (CODE_OR_DATA | CODE);
  }

  static boolean isWritableData(int access) {
    return (access & (CODE_OR_DATA | CODE | WRITABLE)) == (CODE_OR_DATA | WRITABLE);
  }

  static boolean isNull(int selector) {
    return (selector & SELECTOR_MASK) == 0;
  }

  static boolean canonical(long la) {
    return la << 16 >> 16 == la;
  }

  /** Sets the accessed bit of a code or data descriptor in memory if it is clear. */
  static void markAccessed(Cpu cpu, int selector, long descriptor) {
    if ((access(descriptor) & ACCESSED) == 0) {
      long at = descriptorAddress(cpu, selector, 8, GuestFault.GP, 0);
      cpu.storeSystem(at + 5, 1, access(descriptor) & 0xFF | ACCESSED);
    }
  }

  // ---- loading registers ----

  /** Loads ES, SS, DS, FS or GS as MOV, POP and LDS do. */
  static void load(Cpu cpu, int seg, int selector) {
    if (!cpu.protectedMode()) {
      setReal(cpu, seg, selector);
    } else if (seg == CpuRegisters.SS) {
      loadStack(cpu, selector);
    } else {
      loadData(cpu, seg, selector);
    }
  }

  /** Real mode changes selector and base; the limit stays what it was ("unreal" mode). */
  static void setReal(Cpu cpu, int seg, int selector) {
    cpu.segSelector[seg] = selector & 0xFFFF;
    cpu.segBase[seg] = (long) (selector & 0xFFFF) << 4;
    cpu.segAccess[seg] = REAL_DATA | cpu.segAccess[seg] & (BIG | GRANULAR);
    refresh(cpu);
  }

  private static void loadStack(Cpu cpu, int selector) {
    int rpl = selector & 3;
    if (isNull(selector)) {
      if (!cpu.code64() || cpu.cpl == 3 || rpl != cpu.cpl) {
        throw cpu.gp(0);
      }
      setNullStack(cpu, rpl);
      return;
    }
    long d = checkedStack(cpu, selector, cpu.cpl, GuestFault.GP, 0);
    markAccessed(cpu, selector, d);
    set(cpu, CpuRegisters.SS, selector, d);
    refresh(cpu);
  }

  /**
   * The descriptor of a stack segment for privilege level {@code level}, all checks done.
   *
   * @param vector what most violations raise: #GP for loads and returns, #TS for stack switches
   */
  static long checkedStack(Cpu cpu, int selector, int level, int vector, int ext) {
    long d = descriptor(cpu, selector, vector, ext);
    int access = access(d);
    if ((selector & 3) != level || !isWritableData(access) || dpl(access) != level) {
      throw cpu.fault(vector, selector & SELECTOR_MASK | ext);
    }
    if ((access & PRESENT) == 0) {
      throw cpu.fault(GuestFault.SS, selector & SELECTOR_MASK | ext);
    }
    return d;
  }

  /** The null SS that long mode allows below CPL 3. */
  static void setNullStack(Cpu cpu, int rpl) {
    cpu.segSelector[CpuRegisters.SS] = rpl;
    cpu.segBase[CpuRegisters.SS] = 0;
    cpu.segLimit[CpuRegisters.SS] = 0;
    cpu.segAccess[CpuRegisters.SS] = rpl << 5;
    refresh(cpu);
  }

  private static void loadData(Cpu cpu, int seg, int selector) {
    if (isNull(selector)) {
      setUnusable(cpu, seg, selector);
      return;
    }
    long d = descriptor(cpu, selector, GuestFault.GP, 0);
    int access = access(d);
    boolean readable =
        (access & CODE_OR_DATA) != 0 && ((access & CODE) == 0 || (access & WRITABLE) != 0);
    boolean conforming = (access & (CODE | CONFORMING)) == (CODE | CONFORMING);
    int level = Math.max(selector & 3, cpu.cpl);
    if (!readable || (!conforming && level > dpl(access))) {
      throw cpu.gp(selector & SELECTOR_MASK);
    }
    if ((access & PRESENT) == 0) {
      throw cpu.fault(GuestFault.NP, selector & SELECTOR_MASK);
    }
    markAccessed(cpu, selector, d);
    set(cpu, seg, selector, d);
    refreshBase(cpu, seg);
  }

  /**
   * A null selector: any use outside 64-bit mode faults. The base becomes 0, as on Intel's CPUs.
   */
  static void setUnusable(Cpu cpu, int seg, int selector) {
    cpu.segSelector[seg] = selector & 0xFFFF;
    cpu.segBase[seg] = 0;
    cpu.segLimit[seg] = 0;
    cpu.segAccess[seg] = 0;
    refreshBase(cpu, seg);
  }

  /** Fills a register from a descriptor without any check; {@link #refresh} is the caller's. */
  static void set(Cpu cpu, int seg, int selector, long descriptor) {
    cpu.segSelector[seg] = selector & 0xFFFF;
    cpu.segBase[seg] = base(descriptor);
    cpu.segLimit[seg] = limit(descriptor);
    cpu.segAccess[seg] = access(descriptor) | ACCESSED;
  }

  /** A flat segment (base 0, limit 4 GiB) with the given access word. */
  static void setFlat(Cpu cpu, int seg, int selector, int access) {
    cpu.segSelector[seg] = selector & 0xFFFF;
    cpu.segBase[seg] = 0;
    cpu.segLimit[seg] = -1;
    cpu.segAccess[seg] = access;
  }

  /** Loads CS for code at privilege level {@code level}, which becomes CPL. Checks are done. */
  static void setCode(Cpu cpu, int selector, long descriptor, int level) {
    set(cpu, CpuRegisters.CS, selector & SELECTOR_MASK | level, descriptor);
    setCpl(cpu, level);
    refresh(cpu);
  }

  static void setCpl(Cpu cpu, int level) {
    if (cpu.cpl != level) {
      cpu.cpl = level;
      cpu.accessModeChanged();
    }
  }

  /**
   * After a return to an outer level, data segments that level may not use become null (SDM volume
   * 3, section 5.8.6).
   */
  static void dropInnerDataSegments(Cpu cpu) {
    dropIfInner(cpu, CpuRegisters.ES);
    dropIfInner(cpu, CpuRegisters.DS);
    dropIfInner(cpu, CpuRegisters.FS);
    dropIfInner(cpu, CpuRegisters.GS);
  }

  private static void dropIfInner(Cpu cpu, int seg) {
    int access = cpu.segAccess[seg];
    boolean conforming = (access & (CODE | CONFORMING)) == (CODE | CONFORMING);
    boolean loaded = (access & PRESENT) != 0 && !isNull(cpu.segSelector[seg]);
    if (loaded && !conforming && dpl(access) < cpu.cpl) {
      setUnusable(cpu, seg, 0);
    }
  }

  // ---- what follows from the registers ----

  /** Derives widths and effective bases after CS, SS or the mode changed. */
  static void refresh(Cpu cpu) {
    int cs = cpu.segAccess[CpuRegisters.CS];
    boolean code64 = cpu.longModeActive() && (cs & LONG) != 0;
    cpu.codeBits = code64 ? 64 : (cs & BIG) != 0 ? 32 : 16;
    cpu.stackBits = code64 ? 64 : (cpu.segAccess[CpuRegisters.SS] & BIG) != 0 ? 32 : 16;
    for (int seg = CpuRegisters.ES; seg <= CpuRegisters.GS; seg++) {
      refreshBase(cpu, seg);
    }
  }

  static void refreshBase(Cpu cpu, int seg) {
    boolean flat = cpu.codeBits == 64 && seg < CpuRegisters.FS;
    cpu.effectiveBase[seg] = flat ? 0 : cpu.segBase[seg];
  }
}
