package org.pluribus.vmm.emulator;

/** SSE and MMX instructions of the opcode table. */
final class SseRows {
  private SseRows() {}

  static void addTo(OpcodeTable t) {}
}
