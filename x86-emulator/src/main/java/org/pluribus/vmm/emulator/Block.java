package org.pluribus.vmm.emulator;

import org.jspecify.annotations.Nullable;

/** A run of instructions with one entry, all from one page (but for a last one that crosses). */
final class Block {
  final Insn[] insns;

  /** Length in bytes. */
  final int bytes;

  /**
   * When the (only) instruction crosses into the next page: the bytes it has there, compared before
   * each run, for the next page is another page's business. Null otherwise.
   */
  final byte @Nullable [] crossingBytes;

  /** False once the bytes were overwritten. Racy on purpose: a CPU looks between blocks. */
  boolean valid = true;

  /** Runs so far, until compiled; racy, only a hint. */
  int heat;

  /** The compiled form, or null. */
  @Nullable CompiledCode compiled;

  Block(Insn[] insns, int bytes, byte @Nullable [] crossingBytes) {
    this.insns = insns;
    this.bytes = bytes;
    this.crossingBytes = crossingBytes;
  }
}
