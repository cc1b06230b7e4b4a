package org.pluribus.vmm.time;

import java.util.concurrent.atomic.AtomicLong;

/** A clock whose hands are turned by hand, for tests and simulations. Thread-safe. */
public final class ManualClock implements GuestClock {

  private final AtomicLong nanos = new AtomicLong();

  @Override
  public long nanos() {
    return nanos.get();
  }

  /** Moves time on by {@code nanos}, which must not be negative. */
  public void advance(long nanos) {
    if (nanos < 0) {
      throw new IllegalArgumentException("time does not go back: " + nanos + " ns");
    }
    this.nanos.addAndGet(nanos);
  }
}
