package org.pluribus.vmm.node;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.LongSupplier;
import org.agrona.concurrent.ManyToOneConcurrentArrayQueue;
import org.pluribus.vmm.emulator.CodeCache;
import org.pluribus.vmm.memory.GuestRamLayout;

/**
 * The rights this node has to each page of guest RAM, as its emulated vCPUs consult them when they
 * fill their soft TLBs, and the shoot-downs that take rights out of those TLBs again. Written by
 * the token's holder, read by vCPU threads.
 *
 * <p>A vCPU may read a right just before it is taken away: it then is running, and the taker waits
 * for its acknowledgement (see {@link ShootdownQueue}).
 */
final class SoftMmuPageRights implements PageRights {
  private static final VarHandle CELL = MethodHandles.arrayElementVarHandle(byte[].class);
  private static final byte NONE = 0;
  private static final byte SHARED = 1;
  private static final byte EXCLUSIVE = 2;

  /** Completed shoot-downs that can wait for the token's holder; vCPUs x pages in flight. */
  private static final int COMPLETED_CAPACITY = 4096;

  /** A page that bounces is looked at again so much later: a vCPU may spin by then. */
  static final long STEP_NANOS = 20_000;

  private final GuestRamLayout layout;
  private final CodeCache codeCache;
  private final BounceHolds bounces;
  private final LongSupplier clock;
  private final byte[] rights;
  private final ManyToOneConcurrentArrayQueue<Shootdown> completed =
      new ManyToOneConcurrentArrayQueue<>(COMPLETED_CAPACITY);
  private final List<Shootdown> free = new ArrayList<>();
  private Target[] vcpus = {};

  /** Whoever uses host addresses that it looked up: a vCPU. */
  interface Target {
    /** Posts a shoot-down; true when it is complete. Token holder. */
    boolean post(Shootdown s, boolean writeOnly);

    /** How often it has begun to wait for somebody so far, or a little less. Any thread. */
    long waits();
  }

  /**
   * @param codeCache decoded code, which goes stale with its page
   * @param bounceNanos for how long a page that comes and goes all the time stays; see {@link
   *     BounceHolds}
   * @param clock of the node, nanoseconds
   */
  SoftMmuPageRights(
      GuestRamLayout layout, CodeCache codeCache, long bounceNanos, LongSupplier clock) {
    this.layout = layout;
    this.codeCache = codeCache;
    this.clock = clock;
    bounces = new BounceHolds(bounceNanos);
    rights = new byte[Math.toIntExact(layout.pageCount())];
  }

  /** Adds a vCPU that shoot-downs go to. Before the machine starts. */
  void add(Target vcpu) {
    vcpus = Arrays.copyOf(vcpus, vcpus.length + 1);
    vcpus[vcpus.length - 1] = vcpu;
  }

  @Override
  public boolean suffices(long page, boolean write) {
    return (byte) CELL.getAcquire(rights, (int) page) >= (write ? EXCLUSIVE : SHARED);
  }

  @Override
  public void grantShared(long page) {
    CELL.setRelease(rights, (int) page, SHARED);
    came(page);
  }

  @Override
  public void grantExclusive(long page) {
    CELL.setRelease(rights, (int) page, EXCLUSIVE);
    came(page);
  }

  private void came(long page) {
    bounces.came(page, waits(), clock.getAsLong());
  }

  private long waits() {
    long sum = 0;
    for (Target v : vcpus) {
      sum += v.waits();
    }
    return sum;
  }

  @Override
  public boolean downgrade(long page) {
    CELL.setVolatile(rights, (int) page, SHARED);
    bounces.left(page, clock.getAsLong());
    return shootDown(page, Shootdown.Purpose.DOWNGRADE);
  }

  @Override
  public boolean revoke(long page) {
    CELL.setVolatile(rights, (int) page, NONE);
    bounces.left(page, clock.getAsLong());
    changed(page);
    return shootDown(page, Shootdown.Purpose.REVOKE);
  }

  @Override
  public long holdLonger(long page, long since, boolean firstOfEqual, long nowNanos) {
    // A vCPU that waited acknowledges a shoot-down only after its access (see PageWaiter), so none
    // needs more time to get on at all.
    return bounces.stays(page, waits(), nowNanos) ? STEP_NANOS : 0;
  }

  @Override
  public void fresh(long page) {
    // Nothing depends on it here.
  }

  @Override
  public long waitingSince(long page) {
    // It needs no two pages at once, so nobody has to give in to it.
    return Long.MAX_VALUE;
  }

  @Override
  public void changed(long page) {
    codeCache.markStale(layout.gpaOfPage(page) >>> 12);
  }

  // ---- shoot-downs

  private boolean shootDown(long page, Shootdown.Purpose purpose) {
    if (vcpus.length == 0) {
      return true;
    }
    Shootdown s = free.isEmpty() ? new Shootdown() : free.removeLast();
    s.begin(page, purpose, vcpus.length);
    if (!post(s, purpose != Shootdown.Purpose.REVOKE)) {
      return false;
    }
    free.add(s);
    return true;
  }

  /** Posts to all vCPUs; true when the last acknowledgement came on the spot. */
  private boolean post(Shootdown s, boolean writeOnly) {
    boolean done = false;
    for (Target v : vcpus) {
      done |= v.post(s, writeOnly);
    }
    return done;
  }

  /** The last vCPU has acknowledged. Any thread. */
  void completed(Shootdown s) {
    if (s.purpose != Shootdown.Purpose.CODE && !completed.offer(s)) {
      throw new IllegalStateException("more than " + COMPLETED_CAPACITY + " shoot-downs under way");
    }
  }

  @Override
  public int poll(Completions to) {
    int work = 0;
    Shootdown s;
    while ((s = completed.poll()) != null) {
      long page = s.page;
      boolean all = s.purpose == Shootdown.Purpose.REVOKE;
      free.add(s);
      if (all) {
        to.revoked(page);
      } else {
        to.downgraded(page);
      }
      work++;
    }
    return work;
  }

  /**
   * Makes all other vCPUs drop their right to write a page; returns when they have. A vCPU thread
   * that is quiet and does not have the token.
   */
  void dropWriteMappings(PluribusNode node, long page) {
    if (vcpus.length == 1) {
      return;
    }
    node.token().take();
    // Not from the pool, and never in it: a late reader may still look at it.
    Shootdown s = new Shootdown();
    boolean done;
    try {
      s.begin(page, Shootdown.Purpose.CODE, vcpus.length);
      done = post(s, true);
    } finally {
      node.token().release();
    }
    while (!done && !s.done()) {
      if (node.stopping()) {
        throw VcpuStopped.INSTANCE;
      }
      node.tryDuty();
      Thread.yield();
    }
  }
}
