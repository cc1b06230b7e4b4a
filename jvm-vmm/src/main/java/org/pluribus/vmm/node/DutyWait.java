package org.pluribus.vmm.node;

import java.util.concurrent.locks.LockSupport;
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

  /**
   * How long to sleep when another thread has the token. It may need this very core to get through,
   * and this thread, which goes before all others, would get it back from a mere yield.
   */
  private static final long OTHERS_TURN_NANOS = 50_000;

  private final Epoll epoll;
  private final int faults;
  private final int yields;
  private final long maxSleepNanos;
  private int idleTurns;

  /** What was ready at the last look was none of our turns' work since. */
  private boolean readyInVain;

  /** The guest may have faulted since the last look. */
  private boolean faultsReady = true;

  /**
   * @param faults descriptor that becomes readable when the guest faults
   * @param messages descriptors that do when messages come; none if the transport has to be asked
   */
  DutyWait(HostProfile profile, int faults, int[] messages) {
    // Who yields on an only core is asked again before those he waits for got anywhere.
    yields = Runtime.getRuntime().availableProcessors() == 1 ? 0 : profile.faultYields();
    maxSleepNanos =
        messages.length == 0 ? profile.faultMaxSleepMicros() * NANOS_PER_MICRO : MAX_SLEEP_NANOS;
    this.faults = faults;
    epoll = Epoll.create(1 + messages.length);
    epoll.add(faults, Epoll.IN, faults);
    for (int fd : messages) {
      epoll.add(fd, Epoll.IN, fd);
    }
  }

  /** Whether it never merely gives the core away. */
  boolean sleepsAtOnce() {
    return yields == 0;
  }

  /**
   * Whether to ask for faults: who sleeps before each turn was told of them, and need not make a
   * system call to see that there are none.
   */
  boolean maybeFaults() {
    return faultsReady;
  }

  /** There was work: the next idle phase starts anew. */
  void reset() {
    idleTurns = 0;
    readyInVain = false;
  }

  /**
   * A turn is over.
   *
   * @param deadlineNanos when there will be, at the latest ({@link System#nanoTime}); {@link
   *     Long#MAX_VALUE} for nothing known
   * @return whether there is something to do that a turn of this thread did not do: another thread
   *     is at it, see {@link #letOthers}
   */
  boolean idle(long deadlineNanos) {
    if (++idleTurns <= yields) {
      Thread.yield();
      return false;
    }
    long nanos =
        deadlineNanos == Long.MAX_VALUE
            ? maxSleepNanos
            : Math.min(maxSleepNanos, deadlineNanos - System.nanoTime());
    boolean ready = true;
    if (nanos > 0) {
      ready = sleep(nanos) > 0;
    } else {
      faultsReady = true; // nobody looked
    }
    boolean again = ready && readyInVain;
    readyInVain = ready;
    return again;
  }

  private int sleep(long nanos) {
    int ready = epoll.awaitNanos(nanos);
    faultsReady = yields > 0;
    for (int i = 0; i < ready; i++) {
      faultsReady |= epoll.token(i) == faults;
    }
    return ready;
  }

  /** Sleeps until another thread should be through with its turn. */
  void letOthers() {
    LockSupport.parkNanos(this, OTHERS_TURN_NANOS);
  }

  @Override
  public void close() {
    epoll.close();
  }
}
