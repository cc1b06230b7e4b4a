package org.pluribus.vmm.devices;

import org.pluribus.vmm.bus.BusDevice;

/** Port 0xE9 of Bochs and QEMU: prints what is written; reads 0xE9, so that guests find it. */
public final class DebugConsole implements BusDevice {

  private static final int PRESENT = 0xE9;

  private final ByteOutput output;

  public DebugConsole(ByteOutput output) {
    this.output = output;
  }

  @Override
  public long read(long offset, int size) {
    return PRESENT;
  }

  @Override
  public synchronized void write(long offset, int size, long value) {
    output.accept((byte) value);
  }
}
