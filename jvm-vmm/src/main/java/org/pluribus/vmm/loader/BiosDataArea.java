package org.pluribus.vmm.loader;

import org.pluribus.vmm.devices.PortMap;
import org.pluribus.vmm.memory.AddressMap;
import org.pluribus.vmm.memory.GuestMemory;

/**
 * The few words a PC BIOS leaves in low memory and kernels read without asking: Linux to find out
 * which conventional memory is the firmware's (arch/x86/kernel/ebda.c), Xen to place its trampoline
 * below it (xen/arch/x86/boot/head.S).
 */
final class BiosDataArea {

  /** I/O port of the first serial port. */
  private static final long COM1_PORT = 0x400;

  /** Real-mode segment of the extended BIOS data area. */
  private static final long EBDA_SEGMENT = 0x40E;

  /** Conventional memory below it, in KiB. */
  private static final long BASE_MEMORY_KIB = 0x413;

  private BiosDataArea() {}

  static void write(GuestMemory memory) {
    memory.writeShort(COM1_PORT, (short) PortMap.COM1);
    memory.writeShort(EBDA_SEGMENT, (short) (AddressMap.EBDA_START >> 4));
    memory.writeShort(BASE_MEMORY_KIB, (short) (AddressMap.EBDA_START >> 10));
    // The area's first byte is its own size in KiB.
    long size = AddressMap.LEGACY_HOLE_START - AddressMap.EBDA_START;
    memory.writeByte(AddressMap.EBDA_START, (byte) (size >> 10));
  }
}
