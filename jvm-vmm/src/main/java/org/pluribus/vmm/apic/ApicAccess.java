package org.pluribus.vmm.apic;

import org.pluribus.vmm.memory.AddressMap;

/**
 * The guest's side of a local APIC: register page (xAPIC) and MSRs (x2APIC), what may be read and
 * written in which mode, and what an illegal access does. The vCPU's thread.
 */
final class ApicAccess {

  private final LocalApic apic;
  private final ApicTimer timer;

  private long msrValue;

  /** The ICR in x2APIC layout, as last written. */
  private long icr;

  ApicAccess(LocalApic apic, ApicTimer timer) {
    this.apic = apic;
    this.timer = timer;
  }

  void reset() {
    icr = 0;
  }

  // ---------------------------------------------------------------- xAPIC page

  long readMmio(long offset, int size) {
    int at = (int) offset & (int) (AddressMap.LAPIC_SIZE - 1);
    int within = at & (ApicRegister.STRIDE - 1);
    if (within >= Integer.BYTES || apic.address().mmioBase() < 0) {
      return 0;
    }
    return (read(at - within, false) & 0xFFFF_FFFFL) >>> within * Byte.SIZE;
  }

  /** Only aligned 32-bit writes count (SDM 3A, "The Local APIC Block Diagram"). */
  void writeMmio(long offset, int size, long value) {
    int at = (int) offset & (int) (AddressMap.LAPIC_SIZE - 1);
    if ((at & (ApicRegister.STRIDE - 1)) == 0
        && size == Integer.BYTES
        && apic.address().mmioBase() >= 0) {
      writeXapic(at, (int) value);
    }
  }

  private void writeXapic(int offset, int value) {
    switch (offset) {
      case ApicRegister.LOGICAL_DESTINATION -> apic.address().setLogicalId(value & 0xFF00_0000);
      case ApicRegister.DESTINATION_FORMAT ->
          apic.address().setDestinationFormat(value | ApicRegister.DFR_ONES);
      case ApicRegister.ICR_HIGH -> icr = icr & 0xFFFF_FFFFL | (long) (value >>> 24) << 32;
      case ApicRegister.ICR_LOW -> writeXapicIcr(value);
      case ApicRegister.SELF_IPI -> apic.inbox().error(ApicRegister.ERROR_ILLEGAL_REGISTER);
      default -> {
        if (!write(offset, value) && !xapicReadOnly(offset)) {
          apic.inbox().error(ApicRegister.ERROR_ILLEGAL_REGISTER);
        }
      }
    }
  }

  private void writeXapicIcr(int low) {
    long kept = low & 0xFFFF_FFFFL & ~(ApicRegister.ICR_RESERVED | ApicRegister.ICR_BUSY);
    icr = icr & 0xFFFF_FFFF_0000_0000L | kept;
    int destination = IpiMessage.widen((int) (icr >>> 32));
    apic.sendIpi(kept | (long) destination << 32);
  }

  /** Registers whose writes are ignored rather than errors. */
  private static boolean xapicReadOnly(int offset) {
    return switch (offset) {
      case ApicRegister.ID,
          ApicRegister.VERSION,
          ApicRegister.ARBITRATION_PRIORITY,
          ApicRegister.PPR,
          ApicRegister.REMOTE_READ,
          ApicRegister.CURRENT_COUNT ->
          true;
      default -> offset >= ApicRegister.ISR && offset < ApicRegister.ERROR_STATUS;
    };
  }

  // ---------------------------------------------------------------- MSRs

  long msrValue() {
    return msrValue;
  }

  boolean readMsr(int msr) {
    switch (msr) {
      case ApicRegister.MSR_APIC_BASE -> msrValue = apic.address().base();
      case ApicRegister.MSR_TSC_DEADLINE -> {
        apic.expireTimer();
        msrValue = timer.tscDeadline();
      }
      default -> {
        int offset = x2apicOffset(msr);
        if (!x2apicReadable(offset)) {
          return false;
        }
        msrValue = offset == ApicRegister.ICR_LOW ? icr : read(offset, true) & 0xFFFF_FFFFL;
      }
    }
    return true;
  }

  boolean writeMsr(int msr, long value) {
    switch (msr) {
      case ApicRegister.MSR_APIC_BASE -> {
        return writeBase(value);
      }
      case ApicRegister.MSR_TSC_DEADLINE -> {
        timer.writeTscDeadline(value);
        apic.expireTimer();
        return true;
      }
      default -> {
        int offset = x2apicOffset(msr);
        return offset >= 0 && writeX2apic(offset, value);
      }
    }
  }

  /** IA32_APIC_BASE; which mode may follow which: SDM 3A, "x2APIC State Transitions". */
  private boolean writeBase(long value) {
    long known =
        ApicRegister.BASE_ADDRESS
            | ApicRegister.BASE_ENABLED
            | ApicRegister.BASE_X2APIC
            | ApicRegister.BASE_BSP;
    boolean enabled = (value & ApicRegister.BASE_ENABLED) != 0;
    boolean x2apic = (value & ApicRegister.BASE_X2APIC) != 0;
    boolean wasEnabled = (apic.address().base() & ApicRegister.BASE_ENABLED) != 0;
    boolean wasX2apic = (apic.address().base() & ApicRegister.BASE_X2APIC) != 0;
    boolean disabledToX2apic = x2apic && !wasEnabled;
    boolean x2apicToXapic = wasX2apic && enabled && !x2apic;
    if ((value & ~known) != 0 || x2apic && !enabled || disabledToX2apic || x2apicToXapic) {
      return false;
    }
    apic.setBase(value);
    return true;
  }

  /** The register behind an x2APIC MSR, or -1 if there is none now. */
  private int x2apicOffset(int msr) {
    boolean x2apic = (apic.address().base() & ApicRegister.BASE_X2APIC) != 0;
    int index = msr - ApicRegister.X2APIC_MSR_FIRST;
    return x2apic && index >= 0 && index <= ApicRegister.SELF_IPI / ApicRegister.STRIDE
        ? index * ApicRegister.STRIDE
        : -1;
  }

  private static boolean x2apicReadable(int offset) {
    return switch (offset) {
      case ApicRegister.ID,
          ApicRegister.VERSION,
          ApicRegister.TPR,
          ApicRegister.PPR,
          ApicRegister.LOGICAL_DESTINATION,
          ApicRegister.SPURIOUS,
          ApicRegister.ERROR_STATUS,
          ApicRegister.ICR_LOW,
          ApicRegister.INITIAL_COUNT,
          ApicRegister.CURRENT_COUNT,
          ApicRegister.DIVIDE_CONFIGURATION ->
          true;
      default ->
          ApicRegister.isLvt(offset)
              || offset >= ApicRegister.ISR && offset < ApicRegister.ERROR_STATUS;
    };
  }

  /** Bits that may be set in a write (SDM 3A, "x2APIC Register Address Space"); 0 = none. */
  private static long x2apicWritable(int offset) {
    return switch (offset) {
      case ApicRegister.TPR, ApicRegister.SELF_IPI -> 0xFF;
      case ApicRegister.SPURIOUS -> ApicRegister.SPURIOUS_WRITABLE;
      case ApicRegister.ICR_LOW -> ~ApicRegister.ICR_RESERVED;
      case ApicRegister.INITIAL_COUNT -> 0xFFFF_FFFFL;
      case ApicRegister.DIVIDE_CONFIGURATION -> ApicRegister.DIVIDE_WRITABLE;
      default ->
          ApicRegister.isLvt(offset)
              ? ApicRegister.lvtWritable(offset) | ApicRegister.lvtReadOnly(offset)
              : 0;
    };
  }

  private boolean writeX2apic(int offset, long value) {
    if ((value & ~x2apicWritable(offset)) != 0) {
      return false;
    }
    switch (offset) {
      case ApicRegister.ICR_LOW -> {
        icr = value & ~ApicRegister.ICR_BUSY;
        apic.sendIpi(icr);
      }
      case ApicRegister.SELF_IPI ->
          apic.sendIpi(IpiMessage.of(IpiMessage.FIXED, (int) value, false, apic.id(), false));
      default -> {
        return write(offset, (int) value);
      }
    }
    return true;
  }

  // ---------------------------------------------------------------- both

  private int read(int offset, boolean x2apic) {
    return switch (offset) {
      case ApicRegister.ID -> x2apic ? apic.id() : apic.id() << 24;
      case ApicRegister.VERSION -> ApicRegister.VERSION_VALUE;
      case ApicRegister.TPR -> apic.taskPriority();
      case ApicRegister.ARBITRATION_PRIORITY, ApicRegister.PPR -> apic.processorPriority();
      case ApicRegister.EOI, ApicRegister.REMOTE_READ -> 0;
      case ApicRegister.LOGICAL_DESTINATION -> apic.address().logicalId();
      case ApicRegister.DESTINATION_FORMAT -> apic.address().destinationFormat();
      case ApicRegister.SPURIOUS -> apic.spurious();
      case ApicRegister.ERROR_STATUS -> apic.errorStatus();
      case ApicRegister.ICR_LOW -> (int) icr;
      case ApicRegister.ICR_HIGH -> (int) (icr >>> 32) << 24;
      case ApicRegister.INITIAL_COUNT -> timer.initialCount();
      case ApicRegister.CURRENT_COUNT -> timer.currentCount();
      case ApicRegister.DIVIDE_CONFIGURATION -> timer.divideConfiguration();
      default -> readRange(offset);
    };
  }

  private int readRange(int offset) {
    if (ApicRegister.isLvt(offset)) {
      return apic.lvt(offset);
    }
    if (offset >= ApicRegister.ISR && offset < ApicRegister.ERROR_STATUS) {
      apic.expireTimer();
      int word = (offset & 0x70) / ApicRegister.STRIDE;
      VectorSet set =
          switch (offset & ~0x7F) {
            case ApicRegister.ISR -> apic.inService();
            case ApicRegister.TMR -> apic.inbox().levelTriggered();
            default -> apic.inbox().requested();
          };
      return set.register(word);
    }
    apic.inbox().error(ApicRegister.ERROR_ILLEGAL_REGISTER);
    return 0;
  }

  /** Writes a register that both modes have; false if there is none to write at this offset. */
  private boolean write(int offset, int value) {
    switch (offset) {
      case ApicRegister.TPR -> apic.setTaskPriority(value & 0xFF);
      case ApicRegister.EOI -> apic.endOfInterrupt();
      case ApicRegister.SPURIOUS -> apic.setSpurious(value & ApicRegister.SPURIOUS_WRITABLE);
      case ApicRegister.ERROR_STATUS -> apic.latchErrors();
      case ApicRegister.INITIAL_COUNT -> {
        timer.writeInitialCount(value);
        apic.expireTimer();
      }
      case ApicRegister.DIVIDE_CONFIGURATION -> timer.writeDivideConfiguration(value);
      default -> {
        if (!ApicRegister.isLvt(offset)) {
          return false;
        }
        apic.setLvt(offset, value);
      }
    }
    return true;
  }
}
