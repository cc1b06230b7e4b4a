package org.pluribus.vmm.node;

import org.pluribus.hw.HostProfile;
import org.pluribus.posix.Epoll;

/**
 * How a node's duty thread waits for something to do: first it only gives the core away, then it
 * sleeps until the guest faults, a message comes, or a time is up.
 *
 * <p>Threads: the duty thread, but for the constructor.
 */
final class DutyWait implements AutoCloseable {
  /** Longest sleep: the transport has timers of its own (heartbeats, retransmission). */
  private static final long MAX_SLEEP_NANOS = 10_000_000;

  private static final long NANOS_PER_MICRO = 1_000;

  private final Epoll epoll;
  private final int yields;
  private final long maxSleepNanos;
  private int idleTurns;

  /**
   * @param faults descriptor that becomes readable when the guest faults
   * @param messages descriptors that do when messages come; none if the transport has to be asked
   */
  DutyWait(HostProfile profile, int faults, int[] messages) {
    // Who yields on an only core is asked again before those he waits for got anywhere.
    yields = Runtime.getRuntime().availableProcessors() == 1 ? 0 : profile.faultYields();
    maxSleepNanos =
        messages.length == 0 ? profile.faultMaxSleepMicros() * NANOS_PER_MICRO : MAX_SLEEP_NANOS;
    epoll = Epoll.create(1);
    epoll.add(faults, Epoll.IN, faults);
    for (int fd : messages) {
      epoll.add(fd, Epoll.IN, fd);
    }
  }

  /** Whether it never merely gives the core away. */
  boolean sleepsAtOnce() {
    return yields == 0;
  }

  /** There was work: the next idle phase starts anew. */
  void reset() {
    idleTurns = 0;
  }

  /**
   * A turn is over.
   *
   * @param deadlineNanos when there will be, at the latest ({@link System#nanoTime}); {@link
   *     Long#MAX_VALUE} for nothing known
   */
  void idle(long deadlineNanos) {
    if (++idleTurns <= yields) {
      Thread.yield();
      return;
    }
    long nanos =
        deadlineNanos == Long.MAX_VALUE
            ? maxSleepNanos
            : Math.min(maxSleepNanos, deadlineNanos - System.nanoTime());
    // What is ready, or due, may belong to the turn that another thread is at.
    if (nanos <= 0 || epoll.awaitNanos(nanos) > 0) {
      Thread.yield();
    }
  }

  @Override
  public void close() {
    epoll.close();
  }
}
