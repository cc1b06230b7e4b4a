package org.pluribus.perf.ratio;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Locale;

/**
 * Prints what two nodes allocate for a page fault of one whose page the other has, and fails if the
 * threads that serve faults allocate at all.
 */
public final class FaultAllocations {
  /**
   * Bytes a fault at which it fails. The smallest object has 16; heartbeats and the like, which go
   * by time, are below this even if a fault takes a hundred times as long as it should.
   */
  private static final double TOO_MANY = 1;

  /** In a round: many enough that what a round itself allocates doesn't count. */
  private static final long PAGES = 5_000;

  private static final int WARM_UP_ROUNDS = 2;
  private static final long RAM = 256L << 20;
  private static final double NANOS_PER_SECOND = 1e9;

  private final Contestant guest;
  private final Contestant home;
  private final long pages;
  private long nanos;

  /**
   * @param guest node 0, ready
   * @param home node 1, ready
   * @param pages that both work on in a round
   */
  FaultAllocations(Contestant guest, Contestant home, long pages) {
    this.guest = guest;
    this.home = home;
    this.pages = pages;
  }

  /**
   * @param args faults; the folder of what the script has built; file with the JVM's flags
   */
  public static void main(String[] args) throws IOException, InterruptedException {
    int code = 0;
    try (Contestants contestants = new Contestants(Path.of(args[1]), args[2])) {
      Network two = Network.ofTwo();
      GuestImage.Work work = GuestImage.Work.farPages(PAGES, RAM);
      Contestant guest = contestants.node("node 0", work, RAM, 0, two);
      Contestant home = contestants.node("node 1", work, RAM, 1, two);
      guest.awaitReady();
      home.awaitReady();
      new FaultAllocations(guest, home, PAGES).run(Long.parseLong(args[0]));
    } catch (IllegalStateException e) {
      System.err.println("perf/fault-allocations: " + e.getMessage());
      code = 1;
    }
    System.exit(code); // the shutdown hook ends whoever is left
  }

  /**
   * Prints what so many faults take, rounded up to whole rounds.
   *
   * @throws IllegalStateException if it is too much
   */
  void run(long atLeast) throws IOException {
    rounds(WARM_UP_ROUNDS);
    Allocations[] before = ask();
    nanos = 0;
    long rounds = (atLeast + pages - 1) / pages;
    rounds(rounds);
    Allocations[] after = ask();
    print(rounds * pages, after[0].since(before[0]), after[1].since(before[1]));
  }

  private void print(long faults, Allocations ofGuest, Allocations ofHome) {
    System.out.printf(
        Locale.ROOT,
        "%d remote faults in %.1f s, %.0f a second%n%n",
        faults,
        nanos / NANOS_PER_SECOND,
        faults / (nanos / NANOS_PER_SECOND));
    System.out.printf("%-32s %14s %14s%n", "", "node 0 (guest)", "node 1 (home)");
    row("pages moved", ofGuest.pages(), ofHome.pages());
    row("bytes, threads serving faults", ofGuest.serving(), ofHome.serving());
    row("bytes, all threads", ofGuest.all(), ofHome.all());
    perFault("a fault, threads serving faults", faults, ofGuest.serving(), ofHome.serving());
    perFault("a fault, all threads", faults, ofGuest.all(), ofHome.all());
    row("garbage collections", ofGuest.collections(), ofHome.collections());
    if (ofGuest.faults() < faults) {
      throw new IllegalStateException(
          "the guest waited for %d pages, not %d".formatted(ofGuest.faults(), faults));
    }
    // Each page comes to the guest and is taken back.
    check(0, ofGuest, faults);
    check(1, ofHome, faults);
    System.out.printf(Locale.ROOT, "%nbelow %.0f byte a fault: met%n", TOO_MANY);
  }

  /** The guest stores to pages that the other node has taken back. */
  private void rounds(long count) throws IOException {
    for (long i = 0; i < count; i++) {
      home.round();
      nanos += guest.round();
    }
  }

  private Allocations[] ask() throws IOException {
    return new Allocations[] {
      Allocations.of(guest.ask(MeasuredNode.ALLOCATIONS)),
      Allocations.of(home.ask(MeasuredNode.ALLOCATIONS))
    };
  }

  private static void row(String what, long guest, long home) {
    System.out.printf(Locale.ROOT, "%-32s %14d %14d%n", what, guest, home);
  }

  private static void perFault(String what, long faults, long guest, long home) {
    System.out.printf(
        Locale.ROOT,
        "%-32s %14.4f %14.4f%n",
        what,
        guest / (double) faults,
        home / (double) faults);
  }

  private static void check(int node, Allocations allocations, long faults) {
    if (allocations.pages() < 2 * faults) {
      throw new IllegalStateException(
          "node %d moved %d pages, not %d: the faults were not remote ones"
              .formatted(node, allocations.pages(), 2 * faults));
    }
    double bytes = allocations.serving() / (double) faults;
    if (bytes >= TOO_MANY) {
      throw new IllegalStateException(
          String.format(
              Locale.ROOT,
              "node %d's threads that serve faults allocated %.2f bytes a fault: must be below %.0f",
              node,
              bytes,
              TOO_MANY));
    }
  }
}
