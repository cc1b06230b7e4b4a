package org.pluribus.vmm.time;

import java.util.Arrays;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A node's timers: a binary heap of {@link Timer}s by deadline, and one daemon thread that parks
 * until the earliest.
 *
 * <p>The heap has room for every timer ever made, and a timer is in it at most once: arming never
 * allocates and never fails. The lock is held for one heap operation at a time, never while a
 * callback runs and never across nodes.
 */
public final class TimerQueue implements AutoCloseable {

  /** What {@link #runDue} returns when nothing is armed. */
  public static final long NEVER = Long.MAX_VALUE;

  /**
   * The longest the thread sleeps in one go. The clock may step forward while it sleeps (see {@link
   * HostClock#adjust}); this bounds how late a timer can be for that reason.
   */
  private static final long MAX_PARK_NANOS = 100_000_000L;

  private static final Logger LOG = LoggerFactory.getLogger(TimerQueue.class);

  private final GuestClock clock;
  private @Nullable Timer[] heap = new Timer[16];
  private int armed;
  private int made;
  private volatile @Nullable Thread thread;

  /** An empty queue without a thread; {@link #start} gives it one. */
  public TimerQueue(GuestClock clock) {
    this.clock = clock;
  }

  /** The clock whose time the deadlines are in. */
  public GuestClock clock() {
    return clock;
  }

  /** Makes a timer, not armed. For when a device is built, not for each use. */
  public synchronized Timer newTimer(Runnable callback) {
    made++;
    if (made > heap.length) {
      heap = Arrays.copyOf(heap, heap.length * 2);
    }
    return new Timer(this, callback);
  }

  /** Starts the thread that fires the timers. */
  public synchronized void start(String threadName) {
    if (thread != null) {
      throw new IllegalStateException("the timer thread is already running");
    }
    Thread started = new Thread(this::run, threadName);
    started.setDaemon(true);
    thread = started;
    started.start();
  }

  /** Stops the thread after the callback under way, if any. Armed timers no longer fire. */
  @Override
  public void close() {
    Thread running = thread;
    thread = null;
    LockSupport.unpark(running);
  }

  /**
   * Fires what is due now, each timer at most once a call.
   *
   * @return the next deadline, or {@link #NEVER}
   */
  public long runDue() {
    long now = clock.nanos();
    int bound;
    synchronized (this) {
      bound = made;
    }
    for (int i = 0; i < bound; i++) {
      Timer due = pollDue(now);
      if (due == null) {
        break;
      }
      fire(due);
    }
    return nextDeadline();
  }

  private void run() {
    Thread self = Thread.currentThread();
    while (thread == self) {
      long waitNanos = runDue() - clock.nanos();
      if (waitNanos > 0) {
        // A timer armed since runDue has left an unpark permit: this returns at once then.
        LockSupport.parkNanos(this, Math.min(waitNanos, MAX_PARK_NANOS));
      }
    }
  }

  private static void fire(Timer timer) {
    try {
      timer.callback.run();
    } catch (RuntimeException e) {
      LOG.error("a timer's callback failed; the other timers go on", e);
    }
  }

  void schedule(Timer timer, long deadlineNanos) {
    boolean first;
    synchronized (this) {
      timer.deadlineNanos = deadlineNanos;
      if (timer.heapIndex == Timer.NOT_ARMED) {
        place(timer, armed++);
      }
      siftUp(timer);
      siftDown(timer);
      first = timer.heapIndex == 0;
    }
    if (first) {
      LockSupport.unpark(thread);
    }
  }

  synchronized void cancel(Timer timer) {
    if (timer.heapIndex != Timer.NOT_ARMED) {
      remove(timer);
    }
  }

  private synchronized long nextDeadline() {
    return armed == 0 ? NEVER : at(0).deadlineNanos;
  }

  private synchronized @Nullable Timer pollDue(long now) {
    if (armed == 0 || at(0).deadlineNanos > now) {
      return null;
    }
    Timer due = at(0);
    remove(due);
    return due;
  }

  private void remove(Timer timer) {
    int hole = timer.heapIndex;
    timer.heapIndex = Timer.NOT_ARMED;
    armed--;
    Timer last = at(armed);
    heap[armed] = null;
    if (last != timer) {
      place(last, hole);
      siftUp(last);
      siftDown(last);
    }
  }

  private void siftUp(Timer timer) {
    while (timer.heapIndex > 0) {
      int index = timer.heapIndex;
      Timer parent = at((index - 1) / 2);
      if (parent.deadlineNanos <= timer.deadlineNanos) {
        return;
      }
      place(timer, parent.heapIndex);
      place(parent, index);
    }
  }

  private void siftDown(Timer timer) {
    while (2 * timer.heapIndex + 1 < armed) {
      int index = timer.heapIndex;
      Timer child = at(2 * index + 1);
      if (2 * index + 2 < armed && at(2 * index + 2).deadlineNanos < child.deadlineNanos) {
        child = at(2 * index + 2);
      }
      if (timer.deadlineNanos <= child.deadlineNanos) {
        return;
      }
      place(timer, child.heapIndex);
      place(child, index);
    }
  }

  private void place(Timer timer, int index) {
    heap[index] = timer;
    timer.heapIndex = index;
  }

  private Timer at(int index) {
    Timer timer = heap[index];
    if (timer == null) {
      throw new IllegalStateException("the timer heap has a hole at " + index);
    }
    return timer;
  }
}
