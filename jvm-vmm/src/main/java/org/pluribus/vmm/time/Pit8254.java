package org.pluribus.vmm.time;

import org.pluribus.vmm.bus.BusDevice;
import org.pluribus.vmm.bus.InterruptLine;

/**
 * The 8254 programmable interval timer (Intel 8254 data sheet) with the PC's wiring: OUT of channel
 * 0 is ISA IRQ 0, channel 2 has its gate and OUT in port 0x61. Linux measures its TSC by channel 2.
 *
 * <p>The guest may touch it from any vCPU thread; channel 0's interrupts come from the timer
 * thread.
 */
public final class Pit8254 {

  /** Input frequency: the PC's 14.31818 MHz crystal divided by 12. */
  public static final long HZ = 1_193_182;

  /** Most often that channel 0 may interrupt; see {@code ApicTimer} for the same bound. */
  private static final long MIN_PERIOD_NANOS = 20_000;

  private static final int CONTROL_PORT = 3;
  private static final int READ_BACK = 3;
  private static final int READ_BACK_NO_COUNT = 1 << 5;
  private static final int READ_BACK_NO_STATUS = 1 << 4;

  // Port 0x61, "system control port B" of the PC/AT.
  private static final int GATE2 = 1;
  private static final int CONTROL_B_WRITABLE = 0x0F;
  private static final int REFRESH_TOGGLE = 1 << 4;
  private static final int OUT2 = 1 << 5;

  /** The memory refresh of a PC/AT toggles its bit this often. */
  private static final long REFRESH_NANOS = 15_085;

  private final GuestClock clock;
  private final Timer timer;
  private final InterruptLine irq0;
  private final PitChannel[] channels = {
    new PitChannel(true), new PitChannel(true), new PitChannel(false)
  };

  /** When channel 0's OUT rises next, or {@link PitChannel#NO_RISE}. */
  private long riseNanos = PitChannel.NO_RISE;

  private int controlB;

  /** A PIT whose channels have not been programmed. */
  public Pit8254(TimerQueue timers, InterruptLine irq0) {
    this.clock = timers.clock();
    this.irq0 = irq0;
    this.timer = timers.newTimer(this::onTimer);
  }

  /** The four ports of the chip (0x40 to 0x43). */
  public BusDevice ports() {
    return new BusDevice() {
      @Override
      public long read(long offset, int size) {
        return offset < CONTROL_PORT ? readChannel((int) offset) : -1;
      }

      @Override
      public void write(long offset, int size, long value) {
        if (offset == CONTROL_PORT) {
          writeControl((int) value & 0xFF);
        } else {
          writeChannel((int) offset, (int) value & 0xFF);
        }
      }
    };
  }

  /** Port 0x61: gate and OUT of channel 2, speaker enable, refresh toggle. */
  public BusDevice systemControlPort() {
    return new BusDevice() {
      @Override
      public long read(long offset, int size) {
        return readControlB();
      }

      @Override
      public void write(long offset, int size, long value) {
        writeControlB((int) value);
      }
    };
  }

  /** Whole ticks in a span of nanoseconds. */
  static long ticksIn(long nanos) {
    long seconds = nanos / GuestClock.NANOS_PER_SECOND;
    long rest = nanos % GuestClock.NANOS_PER_SECOND;
    return seconds * HZ + rest * HZ / GuestClock.NANOS_PER_SECOND;
  }

  /** The shortest span of nanoseconds that has {@code ticks} whole ticks. */
  static long nanosAtTick(long ticks) {
    long seconds = ticks / HZ;
    long rest = ticks % HZ;
    return seconds * GuestClock.NANOS_PER_SECOND
        + (rest * GuestClock.NANOS_PER_SECOND + HZ - 1) / HZ;
  }

  private synchronized long readChannel(int channel) {
    return channels[channel].read(clock.nanos());
  }

  private synchronized void writeChannel(int channel, int value) {
    boolean loaded = channels[channel].write(value, clock.nanos());
    if (channel == 0) {
      followChannel0(loaded);
    }
  }

  private synchronized void writeControl(int word) {
    int select = word >> 6;
    if (select == READ_BACK) {
      readBack(word);
    } else if ((word >> 4 & 3) == 0) {
      channels[select].latchCount(clock.nanos());
    } else {
      channels[select].setControl(word);
      if (select == 0) {
        followChannel0(true);
      }
    }
  }

  private void readBack(int word) {
    long now = clock.nanos();
    for (int i = 0; i < channels.length; i++) {
      if ((word & 2 << i) == 0) {
        continue;
      }
      if ((word & READ_BACK_NO_COUNT) == 0) {
        channels[i].latchCount(now);
      }
      if ((word & READ_BACK_NO_STATUS) == 0) {
        channels[i].latchStatus(now);
      }
    }
  }

  /** Channel 0 was written: its OUT may have changed, and so has its future. */
  private void followChannel0(boolean outMayChange) {
    long now = clock.nanos();
    if (outMayChange) {
      irq0.set(channels[0].out(now));
    }
    scheduleRise(now);
  }

  private void scheduleRise(long now) {
    riseNanos = channels[0].nextRise(now);
    if (riseNanos == PitChannel.NO_RISE) {
      timer.cancel();
    } else {
      timer.schedule(riseNanos);
    }
  }

  /** OUT of channel 0 rises. Rises that were missed altogether are one. */
  private synchronized void onTimer() {
    long now = clock.nanos();
    if (riseNanos == PitChannel.NO_RISE || now < riseNanos) {
      return;
    }
    irq0.set(false);
    irq0.set(true);
    long earliest = now + MIN_PERIOD_NANOS;
    scheduleRise(now);
    if (riseNanos != PitChannel.NO_RISE && riseNanos < earliest) {
      scheduleRise(earliest);
    }
  }

  private synchronized int readControlB() {
    long now = clock.nanos();
    boolean refresh = (now / REFRESH_NANOS & 1) != 0;
    return controlB | (refresh ? REFRESH_TOGGLE : 0) | (channels[2].out(now) ? OUT2 : 0);
  }

  private synchronized void writeControlB(int value) {
    controlB = value & CONTROL_B_WRITABLE;
    channels[2].setGate((value & GATE2) != 0, clock.nanos());
  }
}
