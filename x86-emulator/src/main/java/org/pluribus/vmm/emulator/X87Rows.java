package org.pluribus.vmm.emulator;

/** x87 instructions of the opcode table. */
final class X87Rows {
  private X87Rows() {}

  static void addTo(OpcodeTable t) {}
}
