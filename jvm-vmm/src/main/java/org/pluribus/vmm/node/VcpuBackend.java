package org.pluribus.vmm.node;

import org.pluribus.vmm.loader.EntryState;

/**
 * What executes one vCPU's instructions: the seam between the machine (APICs, buses, devices, the
 * node) and the virtualisation underneath. {@link EmulatedVcpu} interprets and compiles in Java,
 * {@link KvmVcpu} lets the processor run the guest. Both live under the same {@link VcpuThread}, so
 * nodes of both kinds can share a machine.
 *
 * <p>Threads: the vCPU's own, but for {@link #kick}, {@link #instructions} and {@link #describe},
 * and for {@link #enter}, which comes before the thread starts.
 */
public interface VcpuBackend extends AutoCloseable {

  /** Sets the boot vCPU's registers. */
  void enter(EntryState state);

  /** Resets the registers as INIT does (SDM volume 3, table 10-1). */
  void init();

  /** Begins in real mode at physical address {@code page << 12}, as a start-up IPI asks. */
  void sipi(int page);

  /**
   * Executes guest instructions, with all the exits they cause, until the vCPU has to be looked at
   * from outside: the machine stops, or an INIT has come.
   */
  void run();

  /**
   * The thread is about to wait, or will not execute for a while: it uses nothing of guest RAM
   * until {@link #resume}.
   */
  void quiet();

  /** The wait begun with {@link #quiet} is over. */
  void resume();

  /**
   * All registers, with what is under way. The vCPU is outside {@link #run}: on its own thread, or
   * on another one after that has ended.
   */
  VcpuState capture();

  /**
   * Sets all registers: the next {@link #run} goes on where the vCPU of {@link #capture} stopped,
   * whatever kind that was. Guest RAM and the APIC have to be the same. Threads as for capture.
   *
   * @throws IllegalStateException or {@link org.pluribus.posix.PosixException} when what executes
   *     the vCPU does not take such a state
   */
  void restore(VcpuState state);

  /** Makes {@link #run} look at the APIC and at the machine's state soon. Any thread. */
  void kick();

  /** Instructions executed so far, roughly; 0 where nobody counts them. Any thread. */
  long instructions();

  /** Where the vCPU is, for the log; racy. Any thread. */
  String describe();

  /** Frees what belongs to the vCPU; its thread has ended. */
  @Override
  void close();
}
