package org.pluribus.perf.ratio;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.pluribus.vmm.memory.GuestMemory;
import org.pluribus.vmm.memory.GuestRamLayout;

/**
 * Prints what two nodes allocate for a page fault of one whose page the other has, and fails if the
 * threads that serve faults allocate at all.
 */
public final class FaultAllocations implements AutoCloseable {
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

  private final List<Contestant> both = new ArrayList<>();
  private long nanos;

  private FaultAllocations(String image, String jvmFlags) throws IOException {
    Runtime.getRuntime().addShutdownHook(new Thread(() -> both.forEach(Contestant::kill)));
    Network network = Network.ofTwo();
    long first = GuestRamLayout.of(RAM, network.nodes()).rangesOf(1).getFirst().start();
    GuestImage.Work work =
        new GuestImage.Work(
            GuestImage.Kind.PAGES, PAGES, first, first + PAGES * GuestMemory.PAGE_SIZE);
    for (int id = 0; id < network.nodes(); id++) {
      List<String> arguments = MeasuredNode.arguments(image, work, RAM, id, network);
      both.add(Contestant.java("node " + id, jvmFlags, MeasuredNode.class, arguments));
    }
    both.forEach(Contestant::awaitReady);
  }

  /**
   * @param args faults; the folder of what the script has built; file with the JVM's flags
   */
  public static void main(String[] args) throws IOException, InterruptedException {
    int code = 0;
    String image = Path.of(args[1]).resolve("guest.bin").toString();
    try (FaultAllocations measurement = new FaultAllocations(image, args[2])) {
      measurement.run((Long.parseLong(args[0]) + PAGES - 1) / PAGES);
    } catch (IllegalStateException e) {
      System.err.println("perf/fault-allocations: " + e.getMessage());
      code = 1;
    }
    System.exit(code); // the shutdown hook ends whoever is left
  }

  private void run(long rounds) throws IOException {
    rounds(WARM_UP_ROUNDS);
    List<Allocations> before = ask();
    nanos = 0;
    rounds(rounds);
    List<Allocations> after = ask();
    long faults = rounds * PAGES;
    System.out.printf(
        Locale.ROOT,
        "%d remote faults in %.1f s, %.0f a second%n%n",
        faults,
        nanos / NANOS_PER_SECOND,
        faults / (nanos / NANOS_PER_SECOND));
    System.out.printf("%-32s %14s %14s%n", "", "node 0 (guest)", "node 1 (home)");
    Allocations guest = after.get(0).since(before.get(0));
    Allocations home = after.get(1).since(before.get(1));
    row("pages moved", guest.pages(), home.pages());
    row("bytes, threads serving faults", guest.serving(), home.serving());
    row("bytes, all threads", guest.all(), home.all());
    perFault("a fault, threads serving faults", faults, guest.serving(), home.serving());
    perFault("a fault, all threads", faults, guest.all(), home.all());
    row("garbage collections", guest.collections(), home.collections());
    // Each page comes to the guest and is taken back.
    check(0, guest, faults);
    check(1, home, faults);
    System.out.printf(Locale.ROOT, "%nbelow %.0f byte a fault: met%n", TOO_MANY);
  }

  /** The guest stores to pages that the other node has taken back. */
  private void rounds(long count) throws IOException {
    for (long i = 0; i < count; i++) {
      both.get(1).round();
      nanos += both.get(0).round();
    }
  }

  private List<Allocations> ask() throws IOException {
    List<Allocations> answers = new ArrayList<>();
    for (Contestant c : both) {
      answers.add(Allocations.of(c.ask(MeasuredNode.ALLOCATIONS)));
    }
    return answers;
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

  @Override
  public void close() throws IOException, InterruptedException {
    for (Contestant c : both) {
      c.finish();
    }
    for (Contestant c : both) {
      c.close();
    }
  }
}
