package org.pluribus.vmm.devices;

import java.util.function.LongSupplier;
import org.pluribus.vmm.bus.BusDevice;
import org.pluribus.vmm.bus.InterruptLine;

/**
 * ACPI fixed hardware: PM1 event and control registers, and the PM timer (ACPI 6.5, 4.8).
 *
 * <p>The only sleep state is S5, which ends the machine. The machine is always in ACPI mode: there
 * is no firmware to hand it over. The timer's carry shows in TMR_STS when the status is read; it
 * raises no interrupt by itself, since no operating system that has another clock enables it.
 */
public final class AcpiPm implements BusDevice {

  /** PM timer frequency in Hz: three times NTSC's colour carrier (ACPI 6.5, 4.8.2.1). */
  public static final long TIMER_HZ = 3_579_545;

  /** SLP_TYP value that means S5; the DSDT's \_S5 package says the same. Free choice. */
  public static final int SLEEP_TYPE_S5 = 5;

  /** Offsets in the block; see {@link PortMap#ACPI_PM}. */
  private static final int STATUS = 0;

  private static final int ENABLE = 2;
  private static final int CONTROL = 4;
  private static final int TIMER = 8;

  /** PM1 status and enable bits (ACPI 6.5, tables 4.11 and 4.12). */
  private static final int TIMER_CARRY = 1;

  private static final int GLOBAL = 1 << 5;
  private static final int POWER_BUTTON = 1 << 8;
  private static final int RTC_ALARM = 1 << 10;
  private static final int ENABLE_MASK = TIMER_CARRY | GLOBAL | POWER_BUTTON | RTC_ALARM;

  /** PM1 control bits (ACPI 6.5, table 4.13). */
  private static final int SCI_ENABLE = 1;

  private static final int SLEEP_TYPE_SHIFT = 10;
  private static final int SLEEP_TYPE_MASK = 7;
  private static final int SLEEP_ENABLE = 1 << 13;

  /** The carry status is set whenever the timer's highest bit changes. */
  private static final int TIMER_HIGH_BIT = 31;

  private static final long NANOS_PER_SECOND = 1_000_000_000L;

  private final LongSupplier nanos;
  private final long startNanos;
  private final InterruptLine sci;
  private final MachineControl machine;

  private int status;
  private int enable;
  private int control = SCI_ENABLE;
  private long carriesSeen;

  /**
   * @param nanos a clock in nanoseconds that never goes back
   * @param sci the system control interrupt, level-triggered
   * @param machine told when the guest powers off
   */
  public AcpiPm(LongSupplier nanos, InterruptLine sci, MachineControl machine) {
    this.nanos = nanos;
    this.startNanos = nanos.getAsLong();
    this.sci = sci;
    this.machine = machine;
  }

  /** Presses the power button: the guest gets a system control interrupt, if it wants to know. */
  public synchronized void pressPowerButton() {
    status |= POWER_BUTTON;
    updateSci();
  }

  @Override
  public long read(long offset, int size) {
    if (offset == TIMER) {
      return timerTicks() & 0xFFFF_FFFFL;
    }
    synchronized (this) {
      noteCarry();
      long registers = (status & 0xFFFFL) | (long) enable << 16 | (long) control << 32;
      return offset < TIMER ? registers >>> offset * Byte.SIZE : -1;
    }
  }

  @Override
  public void write(long offset, int size, long value) {
    boolean off = false;
    synchronized (this) {
      // Byte by byte, as registers may be written in parts or as a pair.
      for (int i = 0; i < size; i++) {
        off |= writeByte((int) offset + i, (int) (value >>> i * Byte.SIZE) & 0xFF);
      }
      updateSci();
    }
    if (off) {
      machine.powerOff();
    }
  }

  /** Gives true if the byte makes the machine go to S5. */
  private boolean writeByte(int at, int value) {
    int shift = (at & 1) * Byte.SIZE;
    int keep = 0xFF00 >>> shift;
    int moved = value << shift;
    switch (at & ~1) {
      case STATUS -> {
        noteCarry();
        status &= ~moved;
      }
      case ENABLE -> enable = ((enable & keep) | moved) & ENABLE_MASK;
      case CONTROL -> {
        // SLP_EN is write-only; SCI_EN is ours to keep, as the mode never changes.
        control = ((control & keep) | moved | SCI_ENABLE) & ~SLEEP_ENABLE;
        int type = control >> SLEEP_TYPE_SHIFT & SLEEP_TYPE_MASK;
        return (moved & SLEEP_ENABLE) != 0 && type == SLEEP_TYPE_S5;
      }
      default -> {
        // The timer is read-only, and between it and control there is nothing.
      }
    }
    return false;
  }

  private long timerTicks() {
    long elapsed = nanos.getAsLong() - startNanos;
    // Split, so that the product doesn't overflow after half an hour.
    long seconds = elapsed / NANOS_PER_SECOND;
    return seconds * TIMER_HZ + elapsed % NANOS_PER_SECOND * TIMER_HZ / NANOS_PER_SECOND;
  }

  private void noteCarry() {
    long carries = timerTicks() >>> TIMER_HIGH_BIT;
    if (carries != carriesSeen) {
      carriesSeen = carries;
      status |= TIMER_CARRY;
    }
  }

  private void updateSci() {
    sci.set((status & enable & ENABLE_MASK) != 0);
  }
}
