package org.pluribus.vmm.emulator;

/** System instructions of the opcode table. */
final class SystemRows {
  private SystemRows() {}

  static void addTo(OpcodeTable t) {}
}
