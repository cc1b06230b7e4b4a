package org.pluribus.vmm.apic;

/**
 * The local APIC's registers: offsets in the xAPIC page (SDM 3A, "Local APIC Register Address
 * Map"), and their bits. The x2APIC MSR of a register is {@link #X2APIC_MSR_FIRST} + offset / 16.
 */
final class ApicRegister {

  static final int ID = 0x020;
  static final int VERSION = 0x030;
  static final int TPR = 0x080;
  static final int ARBITRATION_PRIORITY = 0x090;
  static final int PPR = 0x0A0;
  static final int EOI = 0x0B0;
  static final int REMOTE_READ = 0x0C0;
  static final int LOGICAL_DESTINATION = 0x0D0;
  static final int DESTINATION_FORMAT = 0x0E0;
  static final int SPURIOUS = 0x0F0;
  static final int ISR = 0x100;
  static final int TMR = 0x180;
  static final int IRR = 0x200;
  static final int ERROR_STATUS = 0x280;
  static final int ICR_LOW = 0x300;
  static final int ICR_HIGH = 0x310;
  static final int LVT_TIMER = 0x320;
  static final int LVT_THERMAL = 0x330;
  static final int LVT_PERFORMANCE = 0x340;
  static final int LVT_LINT0 = 0x350;
  static final int LVT_LINT1 = 0x360;
  static final int LVT_ERROR = 0x370;
  static final int INITIAL_COUNT = 0x380;
  static final int CURRENT_COUNT = 0x390;
  static final int DIVIDE_CONFIGURATION = 0x3E0;
  static final int SELF_IPI = 0x3F0;

  /** Bytes from one register to the next. */
  static final int STRIDE = 0x10;

  static final int LVT_ENTRIES = 6;

  /**
   * Version 0x14 (an integrated APIC with xAPIC features), {@link #LVT_ENTRIES} - 1 in bits 16..23,
   * bit 24: suppression of EOI broadcasts is supported.
   */
  static final int VERSION_VALUE = 1 << 24 | (LVT_ENTRIES - 1) << 16 | 0x14;

  /** SVR: vector, software enable, focus checking (ignored), EOI broadcast suppression. */
  static final int SPURIOUS_WRITABLE = 0x13FF;

  static final int SPURIOUS_ENABLED = 1 << 8;
  static final int SPURIOUS_SUPPRESS_EOI = 1 << 12;
  static final int SPURIOUS_RESET = 0xFF;

  static final int LVT_MASKED = 1 << 16;
  static final int LVT_DELIVERY_STATUS = 1 << 12;
  static final int LVT_REMOTE_IRR = 1 << 14;
  static final int LVT_MODE_SHIFT = 8;

  /** Timer mode, bits 17..18 of the LVT's timer entry. */
  static final int LVT_TIMER_MODE = 3 << 17;

  static final int LVT_TIMER_ONE_SHOT = 0;
  static final int LVT_TIMER_PERIODIC = 1 << 17;
  static final int LVT_TIMER_TSC_DEADLINE = 2 << 17;

  /** ESR bits (SDM 3A, "Error Handling"). */
  static final int ERROR_SEND_ILLEGAL_VECTOR = 1 << 5;

  static final int ERROR_RECEIVE_ILLEGAL_VECTOR = 1 << 6;
  static final int ERROR_ILLEGAL_REGISTER = 1 << 7;

  /** Vectors below this belong to exceptions; sending one is an error. */
  static final int FIRST_LEGAL_VECTOR = 16;

  static final int DFR_FLAT = 0xFFFF_FFFF;

  /** DFR bits that always read as one. */
  static final int DFR_ONES = 0x0FFF_FFFF;

  static final int DIVIDE_WRITABLE = 0b1011;

  /** ICR bits that must be zero in x2APIC mode: 13, 16, 17 and 20 to 31. */
  static final long ICR_RESERVED = 0xFFF3_2000L;

  /** ICR delivery status: always idle here. */
  static final long ICR_BUSY = 1L << 12;

  static final int MSR_APIC_BASE = 0x1B;
  static final int MSR_TSC_DEADLINE = 0x6E0;
  static final int X2APIC_MSR_FIRST = 0x800;
  static final int X2APIC_MSR_LAST = 0x8FF;

  static final long BASE_BSP = 1L << 8;
  static final long BASE_X2APIC = 1L << 10;
  static final long BASE_ENABLED = 1L << 11;

  /** IA32_APIC_BASE bits 12 to 51: the page's address. */
  static final long BASE_ADDRESS = 0x000F_FFFF_FFFF_F000L;

  private ApicRegister() {}

  static boolean isLvt(int offset) {
    return offset >= LVT_TIMER && offset <= LVT_ERROR;
  }

  static int lvtIndex(int offset) {
    return (offset - LVT_TIMER) / STRIDE;
  }

  /** Bits of an LVT entry that software may write (SDM 3A, figure "Local Vector Table"). */
  static int lvtWritable(int offset) {
    return switch (offset) {
      case LVT_TIMER -> LVT_TIMER_MODE | LVT_MASKED | 0xFF;
      case LVT_LINT0, LVT_LINT1 -> LVT_MASKED | 1 << 15 | 1 << 13 | 0x7FF;
      case LVT_ERROR -> LVT_MASKED | 0xFF;
      default -> LVT_MASKED | 0x7FF;
    };
  }

  /** Bits of an LVT entry that exist, though software may not change them. */
  static int lvtReadOnly(int offset) {
    boolean lint = offset == LVT_LINT0 || offset == LVT_LINT1;
    return LVT_DELIVERY_STATUS | (lint ? LVT_REMOTE_IRR : 0);
  }
}
