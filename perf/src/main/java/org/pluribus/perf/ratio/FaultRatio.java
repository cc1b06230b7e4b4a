package org.pluribus.perf.ratio;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/**
 * Prints three ratios: our exit round trip and our service of a local page fault against the same
 * in C, and a page fault served by another node against the transport's round trip plus a local
 * fault.
 */
public final class FaultRatio {
  /** Host profile of all contestants. */
  static final String PROFILE = "single-host";

  // What is asked for (issue: real KVM, "Done when").
  private static final double EXIT_TARGET = 1.15;
  static final double LOCAL_TARGET = 1.25;
  private static final double REMOTE_TARGET = 1.5;

  private static final int WARM_UP_ROUNDS = 4;

  /** Exits in a count of the guest's. */
  private static final long EXITS = 16;

  // A round's work: a tenth of a second or two each on software KVM.
  private static final long EXIT_COUNT = 1_000;
  private static final long LOCAL_PAGES = 1_500;
  private static final long REMOTE_PAGES = 1_000;
  private static final long ROUND_TRIPS = 5_000;

  private static final long RAM = 512L << 20;

  /** Above the image. */
  private static final long FIRST_LOCAL = 16L << 20;

  /** A local page faults once only, so RAM bounds the rounds. */
  static final int MAX_ROUNDS =
      (int) ((RAM - FIRST_LOCAL) / GuestImage.STEP / LOCAL_PAGES) - WARM_UP_ROUNDS;

  private final Contestants contestants;
  private final List<Contestant> all;
  private final Contestant exitsInC;
  private final Contestant exitsHere;
  private final Contestant localInC;
  private final Contestant localHere;
  private final Contestant asker;
  private final Contestant answerer;
  private final Contestant remote;
  private final Contestant home;
  private final Samples roundTrips = new Samples();
  private final Samples takenBack = new Samples();
  private final Ratio exit = new Ratio("exit round trip", EXIT_TARGET);
  private final Ratio local = new Ratio("local userfault service", LOCAL_TARGET);
  private final Ratio far = new Ratio("remote fault service", REMOTE_TARGET);

  private FaultRatio(Contestants contestants) throws IOException {
    this.contestants = contestants;
    GuestImage.Work exits = new GuestImage.Work(GuestImage.Kind.EXITS, EXIT_COUNT, 0, 0);
    GuestImage.Work pages =
        new GuestImage.Work(GuestImage.Kind.PAGES, LOCAL_PAGES, FIRST_LOCAL, RAM);
    exitsInC = contestants.inC("exits in C", exits, RAM);
    exitsHere = contestants.node("exits of a node", exits, RAM, 0, Network.none());
    localInC = contestants.inC("faults in C", pages, RAM);
    localHere = contestants.node("faults of a node", pages, RAM, 0, Network.none());
    Network echo = Network.ofTwo();
    asker = echo("round trips", 0, echo);
    answerer = echo("round trips' other end", 1, echo);
    // Before ports are looked for again.
    List.of(exitsInC, exitsHere, localInC, localHere, asker, answerer)
        .forEach(Contestant::awaitReady);
    Network two = Network.ofTwo();
    GuestImage.Work farPages = GuestImage.Work.farPages(REMOTE_PAGES, RAM);
    remote = contestants.node("node 0 of two", farPages, RAM, 0, two);
    home = contestants.node("node 1 of two", farPages, RAM, 1, two);
    remote.awaitReady();
    home.awaitReady();
    all = List.of(exitsInC, exitsHere, localInC, localHere, asker, answerer, remote, home);
  }

  /**
   * @param args rounds; the folder of what the script has built; file with the JVM's flags
   */
  public static void main(String[] args) throws IOException, InterruptedException {
    int rounds = Integer.parseInt(args[0]);
    if (rounds < 1 || rounds > MAX_ROUNDS) {
      System.err.printf("perf/fault-ratio: %d rounds: give 1 to %d%n", rounds, MAX_ROUNDS);
      System.exit(2);
    }
    int code = 0;
    try (Contestants contestants = new Contestants(Path.of(args[1]), args[2])) {
      new FaultRatio(contestants).run(rounds);
    } catch (IllegalStateException e) {
      System.err.println("perf/fault-ratio: " + e.getMessage());
      code = 1;
    }
    System.exit(code); // the shutdown hook ends whoever is left
  }

  private Contestant echo(String name, int self, Network network) throws IOException {
    Stream<String> numbers = Contestants.numbers(ROUND_TRIPS, self).stream();
    return contestants.java(
        name, PageEcho.class, Stream.concat(numbers, network.arguments().stream()).toList());
  }

  // ---- rounds

  private void run(int rounds) throws IOException, InterruptedException {
    for (Contestant c : all) {
      c.stop();
    }
    for (int i = 0; i < WARM_UP_ROUNDS + rounds; i++) {
      round(i >= WARM_UP_ROUNDS);
    }
    System.out.println(Ratio.HEADING);
    System.out.println(exit);
    System.out.println(local);
    System.out.println(far);
    System.out.printf(
        Locale.ROOT,
        "remote is against a page's round trip of %.0f ns plus the local service;"
            + " its home takes a page back in %.0f ns%n",
        roundTrips.median(),
        takenBack.median());
  }

  private void round(boolean counts) throws IOException, InterruptedException {
    double exitC = Contestants.turn(exitsInC) / (double) (EXIT_COUNT * EXITS);
    double exitJava = Contestants.turn(exitsHere) / (double) (EXIT_COUNT * EXITS);
    double localC = Contestants.turn(localInC) / (double) LOCAL_PAGES;
    double localJava = Contestants.turn(localHere) / (double) LOCAL_PAGES;
    double trip = Contestants.turn(asker, answerer) / (double) ROUND_TRIPS;
    home.resume();
    remote.resume();
    double back = home.round() / (double) REMOTE_PAGES;
    double remoteJava = remote.round() / (double) REMOTE_PAGES;
    home.stop();
    remote.stop();
    if (counts) {
      exit.add(exitJava, exitC);
      local.add(localJava, localC);
      far.add(remoteJava, trip + localJava);
      roundTrips.add(trip);
      takenBack.add(back);
    }
  }
}
