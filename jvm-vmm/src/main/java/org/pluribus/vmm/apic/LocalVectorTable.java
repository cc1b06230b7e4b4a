package org.pluribus.vmm.apic;

import java.util.Arrays;

/**
 * The local vector table: what the APIC's own interrupt sources become (SDM 3A, "Local Vector
 * Table"). The vCPU's thread. Entries are named by their register's offset.
 */
final class LocalVectorTable {

  private final int[] entries = new int[ApicRegister.LVT_ENTRIES];

  /**
   * All masked. The boot processor's LINT0 passes the 8259's interrupts and its LINT1 is NMI, which
   * is how firmware hands it to a kernel ("virtual wire mode", MultiProcessor Specification
   * 3.6.2.2).
   */
  void reset(boolean bsp) {
    maskAllOf(0);
    if (bsp) {
      entries[ApicRegister.lvtIndex(ApicRegister.LVT_LINT0)] =
          IpiMessage.EXTINT << ApicRegister.LVT_MODE_SHIFT;
      entries[ApicRegister.lvtIndex(ApicRegister.LVT_LINT1)] =
          IpiMessage.NMI << ApicRegister.LVT_MODE_SHIFT;
    }
  }

  /** Masks every entry, as when software disables the APIC. */
  void maskAll() {
    maskAllOf(~0);
  }

  private void maskAllOf(int kept) {
    Arrays.setAll(entries, i -> entries[i] & kept | ApicRegister.LVT_MASKED);
  }

  int get(int offset) {
    return entries[ApicRegister.lvtIndex(offset)];
  }

  /** Writes an entry; in an APIC disabled by software it stays masked. */
  void set(int offset, int value, boolean softwareEnabled) {
    int masked = softwareEnabled ? 0 : ApicRegister.LVT_MASKED;
    entries[ApicRegister.lvtIndex(offset)] = value & ApicRegister.lvtWritable(offset) | masked;
  }

  /** Whether the 8259's interrupts come through LINT0. */
  boolean passesExtInt() {
    int lint0 = get(ApicRegister.LVT_LINT0);
    return (lint0 & ApicRegister.LVT_MASKED) == 0 && mode(lint0) == IpiMessage.EXTINT;
  }

  /** Gives the APIC what the entry says: a vector, an NMI, an INIT or nothing. */
  void deliver(int offset, LocalApic apic) {
    int entry = get(offset);
    if ((entry & ApicRegister.LVT_MASKED) != 0) {
      return;
    }
    boolean fixedOnly = offset == ApicRegister.LVT_TIMER || offset == ApicRegister.LVT_ERROR;
    int mode = fixedOnly ? IpiMessage.FIXED : mode(entry);
    int vector = entry & 0xFF;
    if (offset == ApicRegister.LVT_ERROR && vector < ApicRegister.FIRST_LEGAL_VECTOR) {
      return; // An error about the error's vector would come round for ever.
    }
    if (mode == IpiMessage.FIXED || mode == IpiMessage.NMI || mode == IpiMessage.INIT) {
      apic.accept(mode, vector, false);
    }
  }

  private static int mode(int entry) {
    return entry >> ApicRegister.LVT_MODE_SHIFT & 7;
  }
}
