package org.pluribus.vmm.emulator;

/** Single-stepping and hardware breakpoints (SDM volume 3, chapter 18). */
final class Debug {
  private Debug() {}

  static void checkInstructionBreakpoint(Cpu cpu) {}

  static void afterInstruction(Cpu cpu, boolean trap) {}
}
