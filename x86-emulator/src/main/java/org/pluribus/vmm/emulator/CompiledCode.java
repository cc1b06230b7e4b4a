package org.pluribus.vmm.emulator;

/** Guest code compiled to JVM bytecode. */
interface CompiledCode {
  /**
   * Runs from {@code cpu.rip}, which is the entry it was compiled for, until it leaves the code it
   * knows or the CPU wants attention. On return {@code cpu.rip} is the next instruction's address.
   *
   * @throws GuestFault with {@code cpu.rip} at the faulting instruction and the state before it
   */
  void run(Cpu cpu);
}
