package org.pluribus.vmm.devices;

import org.pluribus.vmm.bus.BusDevice;

/** The POST code display: remembers the last byte. Takes Linux's writes that only pass time. */
public final class PostCode implements BusDevice {

  private volatile int last;

  /** The last code written, 0 to 255; tells how far a silent kernel came. */
  public int last() {
    return last;
  }

  @Override
  public long read(long offset, int size) {
    return last;
  }

  @Override
  public void write(long offset, int size, long value) {
    last = (int) value & 0xFF;
  }
}
