package org.pluribus.vmm.emulator;

/**
 * A stack that is pushed to before SS, RSP and CPL say so: entries to handlers and call gates write
 * their frame first and change registers only when nothing can fault any more. One per CPU, reused.
 */
final class PendingStack {
  /** Offset of the last value pushed; the new RSP in the end. */
  long sp;

  /** Selector of the new SS; meaningful when {@link #switched}. */
  int selector;

  /** Descriptor of the new SS; 0 with a null selector (long mode). */
  long descriptor;

  /** Whether SS changes (a change of privilege level). */
  boolean switched;

  private boolean flat;
  private boolean system;
  private long base;
  private long limit;
  private long mask;
  private int overflowCode;

  /** Pushes to the current stack at the current privilege level. */
  void useCurrent(Cpu cpu, int ext) {
    switched = false;
    sp = cpu.gpr[CpuRegisters.RSP];
    system = false;
    flat = cpu.stackBits == 64;
    base = cpu.segBase[CpuRegisters.SS];
    limit = cpu.segLimit[CpuRegisters.SS] & 0xFFFFFFFFL;
    mask = cpu.stackBits == 64 ? -1L : cpu.stackBits == 32 ? 0xFFFFFFFFL : 0xFFFF;
    if ((cpu.segAccess[CpuRegisters.SS] & (Segments.CODE | Segments.CONFORMING))
        == Segments.CONFORMING) {
      limit = mask; // expand-down: only its lower bound lies elsewhere, which paging has to guard
    }
    overflowCode = ext;
  }

  /**
   * The flat stack of 64-bit mode at {@code rsp}, with SS as it is.
   *
   * @param supervisor whether to write with supervisor rights whatever CPL still is
   */
  void useFlat(long rsp, boolean supervisor, int ext) {
    switched = false;
    sp = rsp;
    system = supervisor;
    flat = true;
    mask = -1L;
    overflowCode = ext;
  }

  /** Switches to the null SS of privilege level {@code level} at {@code rsp} (long mode). */
  void switchTo64(int level, long rsp, int ext) {
    useFlat(rsp, true, ext);
    switchTo(level, true);
  }

  /** Whether SS becomes the null selector of privilege level {@code level}. */
  void switchTo(int level, boolean switches) {
    switched = switches;
    selector = level;
    descriptor = 0;
  }

  /** Switches to {@code newSs:esp}, checked by {@link Segments#checkedStack}. */
  void switchTo32(int newSs, long newDescriptor, long esp, int ext) {
    switched = true;
    selector = newSs;
    descriptor = newDescriptor;
    sp = esp;
    system = true;
    flat = false;
    base = Segments.base(newDescriptor);
    int access = Segments.access(newDescriptor);
    mask = (access & Segments.BIG) != 0 ? 0xFFFFFFFFL : 0xFFFF;
    limit =
        (access & Segments.CONFORMING) != 0 ? mask : Segments.limit(newDescriptor) & 0xFFFFFFFFL;
    overflowCode = newSs & Segments.SELECTOR_MASK | ext;
  }

  /**
   * Pushes {@code size} bytes.
   *
   * @throws GuestFault #SS outside the segment or canonical range, #PF
   */
  void push(Cpu cpu, long v, int size) {
    long next = sp & ~mask | sp - size & mask;
    long offset = next & mask;
    cpu.accessSeg = CpuRegisters.SS;
    long la;
    if (flat) {
      la = next;
      if (!Segments.canonical(la)) {
        throw cpu.fault(GuestFault.SS, overflowCode);
      }
    } else {
      if (offset + size - 1 > limit) {
        throw cpu.fault(GuestFault.SS, overflowCode);
      }
      la = base + offset & 0xFFFFFFFFL;
    }
    if (system) {
      cpu.storeSystem(la, size, v);
    } else {
      cpu.store(la, size, v);
    }
    sp = next;
  }

  /** Makes this stack the current one, for code at privilege level {@code level}. */
  void commit(Cpu cpu, int level) {
    Segments.setCpl(cpu, level);
    if (switched) {
      if (descriptor == 0) {
        Segments.setNullStack(cpu, level);
      } else {
        Segments.set(cpu, CpuRegisters.SS, selector, descriptor);
      }
    }
    cpu.gpr[CpuRegisters.RSP] = sp;
  }
}
