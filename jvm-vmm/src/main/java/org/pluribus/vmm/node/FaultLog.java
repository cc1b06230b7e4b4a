package org.pluribus.vmm.node;

import java.util.ArrayList;
import java.util.List;
import java.util.function.LongSupplier;
import org.pluribus.coherence.CoherenceMessage;
import org.pluribus.vmm.memory.GuestRamLayout;

/**
 * Times of a node's latest page faults, and of what it did for those of other nodes: see {@link
 * FaultRecords}. It costs the reading of a counter a few times per fault, and nothing when it is
 * off.
 *
 * <p>Threads: the holder of the node's duty token, but for {@link #now}.
 */
public final class FaultLog {
  /** Keeps nothing. */
  public static final FaultLog OFF = new FaultLog(false, () -> 0);

  /** Faults, and services, that are kept. A power of two. */
  static final int CAPACITY = 2048;

  /** How far back what belongs to a message is sought: more than can be under way at once. */
  private static final int LOOK_BACK = 64;

  private static final int NONE = -1;
  private static final long NANOS_PER_SECOND = 1_000_000_000L;

  private final boolean on;
  private final LongSupplier tsc;
  private final Ring faults;
  private final Ring services;

  /** A log that is on. @param tsc what the guest's RDTSC gives on this node; any thread */
  public FaultLog(LongSupplier tsc) {
    this(true, tsc);
  }

  private FaultLog(boolean on, LongSupplier tsc) {
    this.on = on;
    this.tsc = tsc;
    faults = new Ring(on ? CAPACITY : 0);
    services = new Ring(on ? CAPACITY : 0);
  }

  /** The latest entries, by their fields, in arrays: nothing is allocated per fault. */
  private static final class Ring {
    final long[] page;

    /** A TSC and when it was read, a little after the event. */
    final long[] tsc;

    final long[] tscNanos;
    final long[] event;
    final long[] sent;
    final long[] answered;
    final long[] install;
    final long[] installed;
    final int[] requester;
    final boolean[] write;

    /** Page bytes came, or went, or were asked for on the requester's behalf. */
    final boolean[] bytes;

    long next;

    Ring(int capacity) {
      page = new long[capacity];
      tsc = new long[capacity];
      tscNanos = new long[capacity];
      event = new long[capacity];
      sent = new long[capacity];
      answered = new long[capacity];
      install = new long[capacity];
      installed = new long[capacity];
      requester = new int[capacity];
      write = new boolean[capacity];
      bytes = new boolean[capacity];
    }

    int slot(long number) {
      return (int) number & CAPACITY - 1;
    }

    long oldest() {
      return Math.max(0, next - CAPACITY);
    }

    int add(long newPage, int newRequester, boolean newWrite, long now) {
      int i = slot(next++);
      page[i] = newPage;
      requester[i] = newRequester;
      write[i] = newWrite;
      event[i] = now;
      sent[i] = 0;
      answered[i] = 0;
      install[i] = 0;
      installed[i] = 0;
      bytes[i] = false;
      return i;
    }

    /** The newest unfinished entry for a page and a requester, or {@link #NONE}. */
    int find(long wanted, int wantedRequester) {
      long limit = Math.max(oldest(), next - LOOK_BACK);
      for (long n = next - 1; n >= limit; n--) {
        int i = slot(n);
        if (page[i] == wanted && requester[i] == wantedRequester && installed[i] == 0) {
          return i;
        }
      }
      return NONE;
    }
  }

  /** Whether times are kept. */
  boolean isOn() {
    return on;
  }

  /** The time, {@link System#nanoTime}, or 0 when off. Any thread. */
  long now() {
    return on ? System.nanoTime() : 0;
  }

  // ---- this node's faults

  /**
   * A fault is about to be served; a second one for the same page belongs to the first.
   *
   * @param event when the node learnt of it, as {@link #now} said
   */
  void began(long page, boolean write, long event) {
    if (on && faults.find(page, NONE) == NONE) {
      int i = faults.add(page, NONE, write, event);
      long before = now();
      faults.tsc[i] = tsc.getAsLong();
      faults.tscNanos[i] = before + (now() - before) / 2;
    }
  }

  /** The bytes that just came are about to be copied to the mirror. */
  void copying(long page) {
    int i = on ? faults.find(page, NONE) : NONE;
    if (i != NONE) {
      faults.install[i] = now();
    }
  }

  /** The page is about to be given to the guest. */
  void installing(long page) {
    int i = on ? faults.find(page, NONE) : NONE;
    if (i != NONE && faults.install[i] == 0) {
      faults.install[i] = now();
    }
  }

  /** The guest has the page; its vCPU may still sleep. Only the first call for a fault counts. */
  void installed(long page) {
    int i = on ? faults.find(page, NONE) : NONE;
    if (i != NONE) {
      faults.installed[i] = now();
    }
  }

  // ---- messages

  /** The transport has taken a message to another node. */
  void sent(CoherenceMessage m) {
    if (!on) {
      return;
    }
    boolean own = m.requester == m.from;
    switch (m.type) {
      case GET_S, GET_M, UPGRADE, FWD_GET_S, FWD_GET_M, INV -> {
        int i = own ? faults.find(m.page, NONE) : services.find(m.page, m.requester);
        if (i != NONE && own) {
          faults.sent[i] = faults.sent[i] == 0 ? now() : faults.sent[i];
        } else if (i != NONE) {
          services.sent[i] = now();
          services.bytes[i] = true;
        }
      }
      case DATA, DATA_DELTA, DATA_SPARSE, GRANT, INV_ACK -> {
        int i = services.find(m.page, m.requester);
        if (i != NONE) {
          services.sent[i] = now();
          services.bytes[i] |= m.carriesBytes();
        }
      }
      case UNBLOCK, PUT, PUT_ACK, PUT_NACK -> {}
    }
  }

  /** The transport delivers a message of another node. */
  void received(CoherenceMessage m) {
    if (!on) {
      return;
    }
    switch (m.type) {
      case GET_S, GET_M, UPGRADE, FWD_GET_S, FWD_GET_M, INV ->
          services.add(m.page, m.requester, false, now());
      case DATA, DATA_DELTA, DATA_SPARSE, GRANT, INV_ACK -> {
        int i = faults.find(m.page, NONE);
        if (i != NONE) {
          faults.answered[i] = now();
          faults.install[i] = 0; // what comes after the last answer counts
          faults.bytes[i] |= m.carriesBytes();
        }
      }
      case UNBLOCK, PUT, PUT_ACK, PUT_NACK -> {}
    }
  }

  // ---- the report

  /**
   * What has been kept: faults that another node answered with the page's bytes, and services that
   * passed such a request on or sent them. When the vCPUs have stopped.
   */
  public FaultRecords records(GuestRamLayout layout, long ticksPerSecond) {
    List<FaultRecords.Fault> own = new ArrayList<>();
    for (long n = faults.oldest(); n < faults.next; n++) {
      int i = faults.slot(n);
      if (faults.installed[i] != 0 && faults.sent[i] != 0 && faults.bytes[i]) {
        long later = faults.tscNanos[i] - faults.event[i];
        own.add(
            new FaultRecords.Fault(
                layout.gpaOfPage(faults.page[i]),
                faults.write[i],
                faults.tsc[i] - Math.round((double) later * ticksPerSecond / NANOS_PER_SECOND),
                faults.event[i],
                faults.sent[i],
                faults.answered[i],
                faults.install[i],
                faults.installed[i]));
      }
    }
    List<FaultRecords.Service> served = new ArrayList<>();
    for (long n = services.oldest(); n < services.next; n++) {
      int i = services.slot(n);
      if (services.bytes[i]) {
        served.add(
            new FaultRecords.Service(
                layout.gpaOfPage(services.page[i]),
                services.requester[i],
                services.event[i],
                services.sent[i]));
      }
    }
    return new FaultRecords(ticksPerSecond, own, served);
  }
}
