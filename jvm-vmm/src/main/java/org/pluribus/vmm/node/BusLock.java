package org.pluribus.vmm.node;

import java.util.Arrays;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BooleanSupplier;
import org.pluribus.vmm.emulator.CpuEnvironment;

/**
 * Stops the node's other vCPUs for the moment of a LOCKed access across two pages, as a bus lock
 * does ({@link CpuEnvironment#lockBus}). One per node.
 *
 * <p>A ticket lock: {@code serving} is the section under way when a ticket of that number is out.
 * Its owner waits until each other vCPU is quiet or has <em>stopped</em> for this very section. A
 * vCPU that has become running looks here before its next memory access; quiet ones therefore need
 * not be told. As in Dekker's algorithm, the vCPU says that it runs and then looks for a section,
 * the owner announces the section and then looks who runs, all volatile.
 *
 * <p>Nothing here can block for good. A stopped vCPU still counts as running, so that a page it was
 * just granted stays until it was used, and acknowledges shoot-downs only afterwards; likewise the
 * owner. What they wait for needs neither: a running vCPU reaches its next block boundary or goes
 * quiet by itself, and an owner fetches nothing. Sections follow in the order of their tickets, and
 * as stopping for one does not count for the next, each vCPU gets on between two of them.
 */
final class BusLock {
  /** Looks that only give the core away, before sleeping starts. */
  private static final int YIELDS = 100;

  private static final long MIN_PARK_NANOS = 20_000;
  private static final long MAX_PARK_NANOS = 200_000;

  private static final long NONE = -1;

  private final AtomicLong tickets = new AtomicLong();
  private volatile long serving;
  private volatile Member[] members = {};

  /**
   * Adds a vCPU. Before any of them runs.
   *
   * @param shootdowns tells whether the vCPU is running
   * @param askToLook makes it call {@link Member#pass} soon if it is
   * @param stopping whether the machine stops, which ends all waiting
   */
  Member join(ShootdownQueue shootdowns, Runnable askToLook, BooleanSupplier stopping) {
    Member m = new Member(shootdowns, askToLook, stopping);
    Member[] more = Arrays.copyOf(members, members.length + 1);
    more[members.length] = m;
    members = more;
    return m;
  }

  /** One vCPU's side of the lock; its methods are for that vCPU's thread. */
  final class Member {
    private final ShootdownQueue shootdowns;
    private final Runnable askToLook;
    private final BooleanSupplier stopping;
    private final IdleBackoff idle = new IdleBackoff(YIELDS, MIN_PARK_NANOS, MAX_PARK_NANOS);

    /** The last section this vCPU has stopped for. */
    private volatile long stoppedFor = NONE;

    private Member(ShootdownQueue shootdowns, Runnable askToLook, BooleanSupplier stopping) {
      this.shootdowns = shootdowns;
      this.askToLook = askToLook;
      this.stopping = stopping;
    }

    /**
     * Waits while another vCPU has the bus: between becoming running and the next memory access.
     *
     * @throws VcpuStopped when the machine stops first
     */
    void pass() {
      long section = serving;
      if (section != tickets.get()) {
        stopFor(section);
      }
    }

    /**
     * Takes the bus: on return no other vCPU accesses memory until {@link #unlock}. This vCPU is
     * running and stays so.
     *
     * @throws VcpuStopped when the machine stops first; nobody gets the bus any more
     */
    void lock() {
      long ticket = tickets.getAndIncrement();
      for (long section = serving; section != ticket; section = serving) {
        stopFor(section);
      }
      for (Member m : members) {
        if (m != this) {
          awaitStop(m, ticket);
        }
      }
    }

    /** Gives the bus to whoever is next. */
    void unlock() {
      serving = serving + 1; // nobody else writes it now
    }

    private void stopFor(long section) {
      stoppedFor = section;
      idle.reset();
      while (serving == section) {
        idle();
      }
    }

    private void awaitStop(Member m, long section) {
      if (m.hasStopped(section)) {
        return;
      }
      m.askToLook.run();
      idle.reset();
      while (!m.hasStopped(section)) {
        idle();
      }
    }

    private boolean hasStopped(long section) {
      return !shootdowns.isRunning() || stoppedFor == section;
    }

    private void idle() {
      if (stopping.getAsBoolean()) {
        throw VcpuStopped.INSTANCE;
      }
      idle.idle();
    }
  }
}
