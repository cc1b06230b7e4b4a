package org.pluribus.vmm.time;

/**
 * One counter of the {@link Pit8254}. What it shows follows from when it was started, so nothing
 * happens between accesses. Counts in binary; the BCD bit is kept for the read-back only. Guarded
 * by the {@link Pit8254}.
 */
final class PitChannel {

  /** {@link #nextRise}: OUT won't go from low to high by itself. */
  static final long NO_RISE = -1;

  private static final int ACCESS_LOW = 1;
  private static final int ACCESS_HIGH = 2;

  /** A count written as 0. */
  private static final int FULL_COUNT = 0x1_0000;

  private static final int STATUS_OUT = 1 << 7;
  private static final int STATUS_NULL_COUNT = 1 << 6;

  private int control;
  private int mode;
  private int access = ACCESS_LOW | ACCESS_HIGH;

  private boolean loaded;
  private int reload = FULL_COUNT;
  private long startNanos;

  private boolean gate;

  /** Ticks counted when the gate stopped the counter; negative while it runs. */
  private long heldTicks = -1;

  private int lowByteWritten;
  private boolean highByteNext;
  private boolean readHighNext;

  private int latchedCount;
  private int latchedBytes;
  private int latchedStatus = -1;

  PitChannel(boolean gate) {
    this.gate = gate;
  }

  /** A control word that selects this counter and is not a latch command. */
  void setControl(int word) {
    control = word & 0x3F;
    access = word >> 4 & 3;
    int field = word >> 1 & 7;
    // Modes 2 and 3 have a don't-care bit above.
    mode = field > 5 ? field - 4 : field;
    loaded = false;
    heldTicks = -1;
    highByteNext = false;
    readHighNext = false;
    latchedBytes = 0;
    latchedStatus = -1;
  }

  /** Writes a byte of the count; true if the count is complete and has been loaded. */
  boolean write(int value, long now) {
    int count;
    switch (access) {
      case ACCESS_LOW -> count = value;
      case ACCESS_HIGH -> count = value << 8;
      default -> {
        highByteNext = !highByteNext;
        if (highByteNext) {
          lowByteWritten = value;
          // In mode 0 the first byte stops the counter.
          loaded &= mode != 0;
          return false;
        }
        count = value << 8 | lowByteWritten;
      }
    }
    load(count == 0 ? FULL_COUNT : count, now);
    return true;
  }

  private void load(int count, long now) {
    reload = count;
    startNanos = now;
    loaded = true;
    boolean waitsForGate = mode == 1 || mode == 5;
    // Counters that wait for a trigger stand as if they had run out long ago.
    heldTicks = waitsForGate ? 2L * FULL_COUNT : gate ? -1 : 0;
  }

  /** Drives the gate: what a low level stops and a rising edge starts depends on the mode. */
  void setGate(boolean level, long now) {
    boolean rises = level && !gate;
    boolean pauses = mode == 0 || mode == 4;
    if (pauses && !level && gate) {
      heldTicks = ticks(now);
    } else if (pauses && rises && heldTicks >= 0) {
      startNanos = now - Pit8254.nanosAtTick(heldTicks);
      heldTicks = -1;
    } else if (!pauses && rises) {
      startNanos = now;
      heldTicks = -1;
    } else if (!pauses && !level && (mode == 2 || mode == 3)) {
      heldTicks = 0;
    }
    gate = level;
  }

  boolean gate() {
    return gate;
  }

  /** The OUT pin. */
  boolean out(long now) {
    if (!loaded) {
      return mode != 0;
    }
    long ticks = ticks(now);
    return switch (mode) {
      case 0, 1 -> ticks >= reload;
      case 2 -> ticks % reload != reload - 1;
      case 3 -> ticks % reload < (reload + 1) / 2;
      default -> ticks != reload;
    };
  }

  /**
   * When OUT next goes from low to high, in nanoseconds since machine start, or {@link #NO_RISE}.
   */
  long nextRise(long now) {
    if (!loaded || heldTicks >= 0) {
      return NO_RISE;
    }
    long ticks = ticks(now);
    long last = mode >= 4 ? reload + 1L : reload;
    boolean periodic = mode == 2 || mode == 3;
    long next = periodic ? (ticks / reload + 1) * reload : last;
    return next > ticks ? startNanos + Pit8254.nanosAtTick(next) : NO_RISE;
  }

  void latchCount(long now) {
    if (latchedBytes == 0) {
      latchedCount = count(now);
      latchedBytes = access == (ACCESS_LOW | ACCESS_HIGH) ? 2 : 1;
    }
  }

  void latchStatus(long now) {
    if (latchedStatus < 0) {
      latchedStatus = control | (out(now) ? STATUS_OUT : 0) | (loaded ? 0 : STATUS_NULL_COUNT);
    }
  }

  int read(long now) {
    if (latchedStatus >= 0) {
      int status = latchedStatus;
      latchedStatus = -1;
      return status;
    }
    int count = count(now);
    if (latchedBytes > 0) {
      latchedBytes--;
      count = latchedCount;
    }
    boolean high = access == ACCESS_HIGH;
    if (access == (ACCESS_LOW | ACCESS_HIGH)) {
      high = readHighNext;
      readHighNext = !readHighNext;
    }
    return (high ? count >> 8 : count) & 0xFF;
  }

  private int count(long now) {
    if (!loaded) {
      return reload & 0xFFFF;
    }
    long ticks = ticks(now);
    long count =
        switch (mode) {
          case 2 -> reload - ticks % reload;
          case 3 -> reload - 2 * ticks % reload;
          default -> reload - ticks;
        };
    return (int) count & 0xFFFF;
  }

  private long ticks(long now) {
    return heldTicks >= 0 ? heldTicks : Pit8254.ticksIn(now - startNanos);
  }
}
