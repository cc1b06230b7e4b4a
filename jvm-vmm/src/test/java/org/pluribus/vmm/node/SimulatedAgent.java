package org.pluribus.vmm.node;

import java.util.Random;
import org.jspecify.annotations.Nullable;

/** A thread of a {@link SimulatedNode} that uses guest memory, again and again. */
abstract class SimulatedAgent {
  /** First pause between two looks for a page, and the longest. */
  private static final int MIN_LOOK = 500;

  private static final int MAX_LOOK = 64_000;

  /** A node is asked for a page that nobody waits for at one operation of so many. */
  private static final int OPERATIONS_PER_STRAY = 16;

  final SimulatedCluster cluster;
  final SimulatedNode home;
  final Random random;
  private final PageWaiter waiter;
  private int left;
  private int look;
  private String waitsFor = "";

  SimulatedAgent(SimulatedCluster cluster, SimulatedNode home, @Nullable ShootdownQueue vcpu) {
    this.cluster = cluster;
    this.home = home;
    random = cluster.random();
    waiter = new PageWaiter(vcpu, SimulatedNode.PROFILE);
    home.node.add(waiter);
    left = cluster.shape().operations();
  }

  /** Starts an operation, which ends in {@link #done}. */
  abstract void begin();

  /** All is done. */
  void rest() {}

  /** The next operation, unless it was the last. */
  final void next() {
    if (left > 0) {
      home.after(1 + random.nextInt(cluster.shape().maxBlock()), this::disturbAndBegin);
    } else {
      home.after(0, this::rest);
    }
  }

  private void disturbAndBegin() {
    if (random.nextInt(OPERATIONS_PER_STRAY) == 0) {
      switch (random.nextInt(3)) {
        case 0 -> home.sendEoi();
        case 1 -> stray(() -> home.node.fault(cluster.randomPage(), random.nextBoolean()));
        default -> stray(() -> home.node.prefetch(cluster.randomPage(), random.nextBoolean()));
      }
    }
    begin();
  }

  /** As the thread that serves faults under KVM does, which waits for nothing. */
  private void stray(Runnable asking) {
    home.node.token().take();
    try {
      asking.run();
    } finally {
      home.node.token().release();
    }
  }

  /** An operation is done, and right. */
  final void done() {
    left--;
    cluster.operationDone();
    next();
  }

  /** Waits for a right as {@link PluribusNode#acquire} does. */
  final void await(long page, boolean write, Runnable then) {
    waiter.begin(page, write);
    look = MIN_LOOK;
    waitsFor = ", waits to " + (write ? "write" : "read") + " page " + page;
    lookAgain(page, write, then);
  }

  private void lookAgain(long page, boolean write, Runnable then) {
    int work = waiter.granted() ? 1 : home.node.turnFor(waiter, page, write, 0);
    if (waiter.granted()) {
      waiter.end();
      waitsFor = "";
      // The thread goes on when it has a core; who runs the duty cycle may be another.
      home.after(random.nextInt(look), then);
    } else {
      look = work > 0 ? MIN_LOOK : Math.min(2 * look, MAX_LOOK);
      home.after(1 + random.nextInt(look), () -> lookAgain(page, write, then));
    }
  }

  @Override
  public String toString() {
    return getClass().getSimpleName() + ": " + left + " left" + waitsFor;
  }
}
