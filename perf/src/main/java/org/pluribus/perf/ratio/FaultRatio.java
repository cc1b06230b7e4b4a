package org.pluribus.perf.ratio;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.openjdk.jmh.util.ListStatistics;
import org.pluribus.hw.HostProfile;
import org.pluribus.vmm.memory.GuestMemory;
import org.pluribus.vmm.memory.GuestRamLayout;

/**
 * Prints three ratios: our exit round trip and our service of a local page fault against the same
 * in C, and a page fault served by another node against the transport's round trip plus a local
 * fault.
 */
public final class FaultRatio implements AutoCloseable {
  /** Host profile of all contestants. */
  static final String PROFILE = "single-host";

  // What is asked for (issue: real KVM, "Done when").
  private static final double EXIT_TARGET = 1.15;
  private static final double LOCAL_TARGET = 1.25;
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
      (int) ((RAM - FIRST_LOCAL) / GuestMemory.PAGE_SIZE / LOCAL_PAGES) - WARM_UP_ROUNDS;

  private static final long NANOS_PER_MICRO = 1_000;

  private final Path built;
  private final String jvmFlags;
  private final List<Contestant> all = new ArrayList<>();
  private final Contestant exitsInC;
  private final Contestant exitsHere;
  private final Contestant localInC;
  private final Contestant localHere;
  private final Contestant asker;
  private final Contestant answerer;
  private final Contestant remote;
  private final Contestant home;
  private final ListStatistics roundTrips = new ListStatistics();
  private final ListStatistics takenBack = new ListStatistics();
  private final Ratio exit = new Ratio("exit round trip", EXIT_TARGET);
  private final Ratio local = new Ratio("local userfault service", LOCAL_TARGET);
  private final Ratio far = new Ratio("remote fault service", REMOTE_TARGET);

  private FaultRatio(Path built, String jvmFlags) throws IOException {
    this.built = built;
    this.jvmFlags = jvmFlags;
    Runtime.getRuntime().addShutdownHook(new Thread(() -> all.forEach(Contestant::kill)));
    GuestImage.Work exits = new GuestImage.Work(GuestImage.Kind.EXITS, EXIT_COUNT, 0, 0);
    GuestImage.Work pages =
        new GuestImage.Work(GuestImage.Kind.PAGES, LOCAL_PAGES, FIRST_LOCAL, RAM);
    exitsInC = inC("exits in C", exits);
    exitsHere = node("exits of a node", exits, 0, Network.none());
    localInC = inC("faults in C", pages);
    localHere = node("faults of a node", pages, 0, Network.none());
    Network echo = Network.ofTwo();
    asker = echo("round trips", 0, echo);
    answerer = echo("round trips' other end", 1, echo);
    awaitReady(); // before ports are looked for again
    Network two = Network.ofTwo();
    long first = GuestRamLayout.of(RAM, two.nodes()).rangesOf(1).getFirst().start();
    GuestImage.Work farPages =
        new GuestImage.Work(
            GuestImage.Kind.PAGES,
            REMOTE_PAGES,
            first,
            first + REMOTE_PAGES * GuestMemory.PAGE_SIZE);
    remote = node("node 0 of two", farPages, 0, two);
    home = node("node 1 of two", farPages, 1, two);
    remote.awaitReady();
    home.awaitReady();
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
    try (FaultRatio ratio = new FaultRatio(Path.of(args[1]), args[2])) {
      ratio.run(rounds);
    } catch (IllegalStateException e) {
      System.err.println("perf/fault-ratio: " + e.getMessage());
      code = 1;
    }
    System.exit(code); // the shutdown hook ends whoever is left
  }

  // ---- contestants

  private Contestant inC(String name, GuestImage.Work work) throws IOException {
    HostProfile profile = HostProfile.load(PROFILE);
    List<String> command = new ArrayList<>();
    command.add(built.resolve("baseline").toString());
    command.add(image());
    command.add(String.valueOf(work.kind().ordinal()));
    command.addAll(numbers(work.count(), work.first(), work.limit(), RAM));
    command.addAll(numbers(profile.faultYields(), profile.faultMaxSleepMicros() * NANOS_PER_MICRO));
    return added(Contestant.program(name, command));
  }

  private Contestant node(String name, GuestImage.Work work, int self, Network network)
      throws IOException {
    List<String> arguments = MeasuredNode.arguments(image(), work, RAM, self, network);
    return added(Contestant.java(name, jvmFlags, MeasuredNode.class, arguments));
  }

  private Contestant echo(String name, int self, Network network) throws IOException {
    List<String> arguments = new ArrayList<>(numbers(ROUND_TRIPS, self));
    arguments.addAll(network.arguments());
    return added(Contestant.java(name, jvmFlags, PageEcho.class, arguments));
  }

  private Contestant added(Contestant c) {
    all.add(c);
    return c;
  }

  private void awaitReady() {
    all.forEach(Contestant::awaitReady);
  }

  private String image() {
    return built.resolve("guest.bin").toString();
  }

  private static List<String> numbers(long... values) {
    return java.util.Arrays.stream(values).mapToObj(String::valueOf).toList();
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
        Ratio.median(roundTrips),
        Ratio.median(takenBack));
  }

  private void round(boolean counts) throws IOException, InterruptedException {
    double exitC = turn(exitsInC) / (double) (EXIT_COUNT * EXITS);
    double exitJava = turn(exitsHere) / (double) (EXIT_COUNT * EXITS);
    double localC = turn(localInC) / (double) LOCAL_PAGES;
    double localJava = turn(localHere) / (double) LOCAL_PAGES;
    double trip = turn(asker, answerer) / (double) ROUND_TRIPS;
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
      roundTrips.addValue(trip);
      takenBack.addValue(back);
    }
  }

  private static long turn(Contestant... who) throws IOException, InterruptedException {
    for (Contestant c : who) {
      c.resume();
    }
    long nanos = who[0].round();
    for (Contestant c : who) {
      c.stop();
    }
    return nanos;
  }

  @Override
  public void close() throws IOException, InterruptedException {
    for (Contestant c : all) {
      c.finish();
    }
    for (Contestant c : all) {
      c.close();
    }
  }
}
