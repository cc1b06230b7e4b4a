package org.pluribus.vmm.cli.litmus;

/**
 * What a CPU of a {@link LitmusTest} executes: one instruction, as far as memory is concerned.
 *
 * <p>Registers are numbered within the CPU, in the order of their operations; variables within the
 * test.
 */
sealed interface Operation {
  /** MFENCE. */
  record Fence() implements Operation {}

  /** What accesses a variable. */
  sealed interface Access extends Operation {
    int variable();
  }

  /** MOV to memory. */
  record Store(int variable, int value) implements Access {}

  /** What leaves a value in a register of its own: for the last three, what was there before. */
  sealed interface Reading extends Access {
    int register();
  }

  /** MOV from memory. */
  record Load(int register, int variable) implements Reading {}

  /** XCHG, which is locked by itself. */
  record Exchange(int register, int variable, int value) implements Reading {}

  /** LOCK XADD. */
  record Add(int register, int variable, int value) implements Reading {}

  /** LOCK CMPXCHG: stores if the expected value is there. */
  record CompareExchange(int register, int variable, int expected, int value) implements Reading {}
}
