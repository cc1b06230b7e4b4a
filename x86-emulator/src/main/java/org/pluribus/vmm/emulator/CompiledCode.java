package org.pluribus.vmm.emulator;

/**
 * One entry into guest code compiled to JVM bytecode. A class rather than an interface: a virtual
 * call costs less than an interface call, and there is one per run of a region.
 */
abstract class CompiledCode {
  /** {@link #entry} of an object whose {@link #run} does nothing. */
  static final int NO_ENTRY = -1;

  /** Which of its region's entries this is. */
  final int entry;

  CompiledCode(int entry) {
    this.entry = entry;
  }

  /**
   * Runs from {@code cpu.rip}, which is the entry it was compiled for, until it leaves the code it
   * knows or the CPU wants attention. On return {@code cpu.rip} is the next instruction's address.
   * vCPU thread.
   *
   * @return true when the next block may run right away; false when the CPU's loop must first look
   *     at what the last instruction may have changed (interrupt shadow, debug registers, halt)
   * @throws GuestFault with {@code cpu.rip} at the faulting instruction and the state before it
   */
  abstract boolean run(Cpu cpu);
}
