package org.pluribus.vmm.emulator;

/**
 * Executes one decoded instruction.
 *
 * <p>On entry {@code cpu.rip} is the address of this instruction and {@code cpu.nextRip} the
 * address of the one after it; a branch stores its target to {@code cpu.nextRip}. A handler that
 * throws {@link GuestFault} must have changed nothing yet (string instructions, which are
 * restartable, keep what their finished iterations did).
 */
@FunctionalInterface
public interface Handler {
  /**
   * Executes {@code insn} on {@code cpu}. vCPU thread only.
   *
   * @throws GuestFault when the instruction raises an exception in the guest
   */
  void exec(Cpu cpu, Insn insn);
}
