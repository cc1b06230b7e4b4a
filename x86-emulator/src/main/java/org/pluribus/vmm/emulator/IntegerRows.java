package org.pluribus.vmm.emulator;

/** Integer instructions of the opcode table. */
final class IntegerRows {
  private IntegerRows() {}

  static void addTo(OpcodeTable t) {}
}
