package org.pluribus.vmm.time;

/**
 * One alarm in a {@link TimerQueue}, made once and armed as often as wanted without allocating.
 *
 * <p>The callback runs on the queue's thread, outside the queue's lock, and must be short. It may
 * run once more, early or late, if {@link #schedule} or {@link #cancel} is called while it is on
 * its way: so it should look at the clock and at the state of its device, or leave that to the
 * device's own thread (as the local APIC does).
 */
public final class Timer {

  /** The value of {@link #heapIndex} while the timer is not armed. */
  static final int NOT_ARMED = -1;

  final Runnable callback;

  /** Nanoseconds since machine start; guarded by the queue. */
  long deadlineNanos;

  /** Place in the queue's heap or {@link #NOT_ARMED}; guarded by the queue. */
  int heapIndex = NOT_ARMED;

  private final TimerQueue queue;

  Timer(TimerQueue queue, Runnable callback) {
    this.queue = queue;
    this.callback = callback;
  }

  /**
   * Arms the timer, instead of any earlier arming. Any thread.
   *
   * @param deadlineNanos in {@link GuestClock#nanos} time; a time already past fires at once
   */
  public void schedule(long deadlineNanos) {
    queue.schedule(this, deadlineNanos);
  }

  /** Disarms the timer, if armed. Any thread. */
  public void cancel() {
    queue.cancel(this);
  }
}
