package org.pluribus.vmm.emulator;

/** The checks that begin most system instructions. */
final class Privileges {
  private Privileges() {}

  /**
   * @throws GuestFault #GP(0) above CPL 0
   */
  static void requireRing0(Cpu cpu) {
    if (cpu.cpl != 0) {
      throw cpu.gp(0);
    }
  }

  /** CLI, STI, and flags that IOPL guards: #GP(0) when CPL is above IOPL. */
  static void requireIopl(Cpu cpu) {
    if (cpu.protectedMode() && cpu.cpl > (cpu.flagsSystem & CpuRegisters.FLAG_IOPL) >> 12) {
      throw cpu.gp(0);
    }
  }
}
