package org.pluribus.vmm.emulator;

/**
 * What a CPU needs of the machine around it: guest-physical pages with rights, MMIO, ports,
 * interrupts, the APIC's MSRs and time. The node implements it; tests use a plain one.
 *
 * <p>All methods are called on the vCPU's thread. The page methods may block until the page arrives
 * from another node; while they wait they serve shoot-downs for this CPU (they call {@link
 * CpuMemory#dropPhysicalPage}), so a host address got earlier is void after any of them: look it
 * up, use it, forget it.
 */
public interface CpuEnvironment {
  /**
   * Host address of guest-physical page {@code page} (GPA {@code >>> 12}), valid for reading until
   * the next call of a page method or {@link #safepoint}; 0 when the page is not RAM (MMIO).
   */
  long pageForRead(Cpu cpu, long page);

  /** As {@link #pageForRead}, with the right to write: no other node has a valid copy. */
  long pageForWrite(Cpu cpu, long page);

  /** Whether this node may write {@code page} without asking any other node. Never blocks. */
  boolean isWritable(long page);

  /**
   * Makes every other CPU of this node drop its write mapping of {@code page}, and returns when
   * they have: called before the page's bytes are decoded as code, so that later writes are
   * noticed.
   */
  void dropWriteMappings(Cpu cpu, long page);

  /**
   * Stops every other CPU of this node between two memory accesses, until {@link #unlockBus}: for a
   * LOCKed access across two pages. The caller keeps the pages it has; between the two calls it
   * calls nothing else here.
   */
  void lockBus(Cpu cpu);

  /** Lets the other CPUs go on. */
  void unlockBus(Cpu cpu);

  /**
   * Leaves this CPU's pages to other nodes for a random while that grows with {@code attempt}: for
   * an instruction that needs two pages at once and has lost one while it got the other. Two nodes
   * in step would take them from each other for ever. Where there are no other nodes, nothing.
   */
  default void backOff(Cpu cpu, int attempt) {}

  /** Reads {@code size} (1, 2, 4 or 8) bytes at {@code gpa}, which is not RAM. */
  long mmioRead(Cpu cpu, long gpa, int size);

  /** Writes the low {@code size} (1, 2, 4 or 8) bytes of {@code value} at {@code gpa}. */
  void mmioWrite(Cpu cpu, long gpa, int size, long value);

  /** IN: {@code size} is 1, 2 or 4. */
  long portRead(Cpu cpu, int port, int size);

  /** OUT: {@code size} is 1, 2 or 4. */
  void portWrite(Cpu cpu, int port, int size, long value);

  /**
   * Reads an MSR the CPU does not keep itself (the APIC's: IA32_APIC_BASE, IA32_TSC_DEADLINE,
   * 0x800-0x8FF) into {@link Cpu#msrValue}.
   *
   * @return false when the access is illegal (the CPU raises #GP(0))
   */
  boolean readMsr(Cpu cpu, int msr);

  /** Writes an MSR the CPU does not keep itself; false when illegal (#GP(0)). */
  boolean writeMsr(Cpu cpu, int msr, long value);

  /** The task priority as CR8 shows it (bits 7:4 of the APIC's TPR). */
  int readCr8(Cpu cpu);

  /** Sets the task priority; {@code value} is 0 to 15. */
  void writeCr8(Cpu cpu, int value);

  /** Whether an interrupt of any kind waits for delivery (the CPU has IF = 1). */
  boolean interruptPending(Cpu cpu);

  /** Acknowledges the highest pending interrupt; its vector, or -1 when there is none any more. */
  int acknowledgeInterrupt(Cpu cpu);

  /** Takes a pending NMI: true once per NMI. */
  boolean takeNmi(Cpu cpu);

  /** Nanoseconds-based TSC of the machine before the CPU's own offset, in ticks. */
  long tsc(Cpu cpu);

  /**
   * Serves the attention bits: shoot-downs, INIT/SIPI, stop requests, transport polling. Called
   * between instructions, with {@code cpu.rip} up to date.
   *
   * @return false when {@link Cpu#run} shall return
   */
  boolean safepoint(Cpu cpu);

  /**
   * The CPU has executed HLT (or MWAIT) and nothing is pending. Waits until {@link
   * Cpu#raiseAttention} or until an interrupt is pending, serving shoot-downs meanwhile.
   *
   * @return false when {@link Cpu#run} shall return
   */
  boolean halt(Cpu cpu);

  /** The guest has triple-faulted; the CPU stops. */
  void tripleFault(Cpu cpu);

  /** An instruction that this CPU does not implement raised #UD; bytes for the report. */
  void unknownInstruction(Cpu cpu, long rip, byte[] bytes, int length);
}
