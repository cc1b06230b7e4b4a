package org.pluribus.vmm.emulator;

/** Register values after RESET and INIT (SDM volume 3, table 10-1). */
final class CpuReset {
  private CpuReset() {}

  static void reset(Cpu cpu) {
    cpu.rip = 0xFFF0;
  }
}
