package org.pluribus.vmm.emulator;

/** Delivery of exceptions and interrupts through the guest's IDT (SDM volume 3, chapter 6). */
final class Exceptions {
  private Exceptions() {}

  /** Delivers a fault raised by the instruction at {@code cpu.rip}. */
  static void deliverFault(Cpu cpu, int vector, int errorCode) {
    cpu.shutDown();
  }

  /** Delivers an external interrupt or NMI; {@code cpu.rip} is where the guest goes on later. */
  static void deliverInterrupt(Cpu cpu, int vector) {
    cpu.shutDown();
  }
}
