package org.pluribus.vmm.apic;

import org.pluribus.vmm.time.GuestClock;
import org.pluribus.vmm.time.Timer;
import org.pluribus.vmm.time.TimerQueue;

/**
 * The local APIC's timer: one-shot, periodic and TSC-deadline (SDM 3A, "APIC Timer").
 *
 * <p>The timer counts a bus clock that runs at the TSC's frequency, divided by the divide
 * configuration: one count is as many ticks as the divisor. Belongs to the vCPU's thread; the
 * {@link TimerQueue} only makes that thread call {@link #expire}, which decides by the clock.
 */
final class ApicTimer {

  /**
   * The shortest period between interrupts in periodic mode. A guest that asks for less would do
   * nothing else; current hosts cannot deliver it either.
   */
  static final long MIN_PERIOD_NANOS = 20_000;

  private static final long KILO = 1_000;

  private final long minPeriodTicks;

  private final GuestClock clock;
  private final Timer timer;

  private int mode = ApicRegister.LVT_TIMER_ONE_SHOT;
  private int initialCount;
  private int divideConfiguration;

  /** When the count was at {@link #initialCount}. */
  private long startTicks;

  private boolean running;
  private long deadlineTicks;

  /** The guest's IA32_TSC_DEADLINE; 0 = disarmed. */
  private long tscDeadline;

  private long tscOffset;

  ApicTimer(TimerQueue timers, Runnable onDue) {
    this.clock = timers.clock();
    minPeriodTicks =
        MIN_PERIOD_NANOS * (clock.tscHz() / KILO) / (GuestClock.NANOS_PER_SECOND / KILO);
    this.timer = timers.newTimer(onDue);
  }

  void reset() {
    disarm();
    mode = ApicRegister.LVT_TIMER_ONE_SHOT;
    divideConfiguration = 0;
  }

  /** Follows the LVT's mode bits. Between counting and TSC-deadline mode the timer is disarmed. */
  void setMode(int lvtTimer) {
    int newMode = lvtTimer & ApicRegister.LVT_TIMER_MODE;
    boolean wasDeadline = deadlineMode();
    mode = newMode;
    if (wasDeadline != deadlineMode()) {
      disarm();
    }
  }

  int initialCount() {
    return initialCount;
  }

  void writeInitialCount(int count) {
    if (deadlineMode()) {
      return;
    }
    disarm();
    initialCount = count;
    if (count != 0) {
      startTicks = clock.tsc();
      arm(startTicks + periodTicks());
    }
  }

  int divideConfiguration() {
    return divideConfiguration;
  }

  /** Changes the divisor; a count under way goes on from where it is. */
  void writeDivideConfiguration(int value) {
    long remaining = currentCount() & 0xFFFF_FFFFL;
    divideConfiguration = value & ApicRegister.DIVIDE_WRITABLE;
    if (running && !deadlineMode()) {
      long now = clock.tsc();
      startTicks = now - (initial() - remaining) * divisor();
      arm(now + remaining * divisor());
    }
  }

  int currentCount() {
    if (deadlineMode() || initialCount == 0) {
      return 0;
    }
    long passed = (clock.tsc() - startTicks) / divisor();
    if (mode == ApicRegister.LVT_TIMER_PERIODIC) {
      return (int) (initial() - passed % initial());
    }
    return (int) Math.max(0, initial() - passed);
  }

  long tscDeadline() {
    return tscDeadline;
  }

  /** A deadline in the guest's TSC; 0 disarms. A deadline already past is due at once. */
  void writeTscDeadline(long deadline) {
    if (!deadlineMode()) {
      return;
    }
    disarm();
    if (deadline == 0) {
      return;
    }
    tscDeadline = deadline;
    // Above 2^63 lies nearly three centuries away.
    arm(deadline < 0 ? TimerQueue.NEVER : deadline - tscOffset);
  }

  /** What the guest's TSC is ahead of the machine's, in ticks. */
  void setTscOffset(long ticks) {
    tscOffset = ticks;
    if (tscDeadline != 0) {
      writeTscDeadline(tscDeadline);
    }
  }

  /**
   * Looks whether the timer has run out, and starts the next period if it is periodic. Periods
   * missed altogether are one expiry.
   *
   * @return true if it has, once for each time
   */
  boolean expire() {
    if (!running) {
      return false;
    }
    long now = clock.tsc();
    if (now < deadlineTicks) {
      schedule();
      return false;
    }
    if (mode == ApicRegister.LVT_TIMER_PERIODIC) {
      long period = periodTicks();
      arm(deadlineTicks + ((now - deadlineTicks) / period + 1) * period);
    } else {
      running = false;
      tscDeadline = 0;
    }
    return true;
  }

  private boolean deadlineMode() {
    return (mode & ApicRegister.LVT_TIMER_TSC_DEADLINE) != 0;
  }

  private long initial() {
    return initialCount & 0xFFFF_FFFFL;
  }

  private long periodTicks() {
    long period = initial() * divisor();
    return mode == ApicRegister.LVT_TIMER_PERIODIC ? Math.max(period, minPeriodTicks) : period;
  }

  /**
   * Bits 0, 1 and 3 of the divide configuration: 000 = by 2, 001 = by 4 ... 110 = by 128, 111 = 1.
   */
  private long divisor() {
    int code = divideConfiguration & 3 | (divideConfiguration & 8) >> 1;
    return code == 7 ? 1 : 2L << code;
  }

  private void arm(long deadline) {
    deadlineTicks = deadline;
    running = true;
    schedule();
  }

  private void schedule() {
    timer.schedule(
        deadlineTicks == TimerQueue.NEVER ? TimerQueue.NEVER : clock.nanosAtTsc(deadlineTicks));
  }

  private void disarm() {
    if (running) {
      running = false;
      timer.cancel();
    }
    initialCount = 0;
    tscDeadline = 0;
  }
}
