package org.pluribus.vmm.devices;

import org.pluribus.vmm.bus.BusDevice;

/**
 * The chipset's reset control register, port 0xCF9 (Intel ICH data sheets, RST_CNT): bit 2 going
 * from 0 to 1 resets, bit 1 says hard or soft, which are the same to us. The FADT's reset register.
 */
public final class ResetControl implements BusDevice {

  /** What to write to reset: RST_CPU and SYS_RST. */
  public static final int RESET_VALUE = 0x06;

  private static final int RESET_CPU = 0x04;

  /** Bits that hold what is written: SYS_RST, RST_CPU, FULL_RST. */
  private static final int WRITABLE = 0x0E;

  private final MachineControl machine;
  private int value;

  public ResetControl(MachineControl machine) {
    this.machine = machine;
  }

  @Override
  public synchronized long read(long offset, int size) {
    return value;
  }

  @Override
  public void write(long offset, int size, long newValue) {
    boolean reset;
    synchronized (this) {
      reset = (newValue & ~value & RESET_CPU) != 0;
      value = (int) newValue & WRITABLE;
    }
    if (reset) {
      machine.reset();
    }
  }
}
