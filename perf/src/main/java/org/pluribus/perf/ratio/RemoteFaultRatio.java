package org.pluribus.perf.ratio;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import org.pluribus.transport.udp.Endpoint;

/**
 * Prints how long a guest waits for a page that another server has, over RDMA verbs, against a raw
 * RDMA READ of a page plus the service of a local page fault. {@code perf/remote-fault-ratio} runs
 * it on two servers with KVM and an RDMA device: {@code home FOLDER} on the one, whose node has the
 * pages and is told what to do by its standard input; {@code guest FOLDER TURNS MOST FAULTS} on the
 * other.
 *
 * <p>FOLDER has what a comparison takes (see {@link Contestants}), the JVM's flags in {@code
 * java.flags} and the VM's key in {@code key}.
 */
public final class RemoteFaultRatio {
  private static final String GUEST_ADDRESS = "10.77.0.1";
  private static final String HOME_ADDRESS = "10.77.0.2";
  private static final int NODE_PORT = 20_123;

  /** Where the other server hands lines over to its node. */
  private static final int CONTROL_PORT = 20_500;

  private static final int WARM_UP_TURNS = 3;
  private static final long LOCAL_PAGES = 500;
  private static final long LOCAL_RAM = 128L << 20;

  /** Above the image. */
  private static final long FIRST_LOCAL = 16L << 20;

  private static final long REMOTE_PAGES = 500;
  private static final long REMOTE_RAM = 32L << 20;

  private static final GuestImage.Work REMOTE_WORK =
      GuestImage.Work.farPages(REMOTE_PAGES, REMOTE_RAM);

  private final RawVerbs raw;
  private final Contestant localInC;
  private final Contestant localHere;
  private final Contestant remote;
  private final Contestant home;
  private final Samples inC = new Samples();
  private final Samples inJava = new Samples();
  private final Samples pushed = new Samples();
  private final Samples pulled = new Samples();
  private final Ratio local = new Ratio("local userfault service", FaultRatio.LOCAL_TARGET);
  private final Ratio far;
  private final Ratio farInC;

  private RemoteFaultRatio(Contestants contestants, Path folder, double most) throws IOException {
    far = new Ratio("remote fault", most);
    farInC = new Ratio("remote, against C alone", most);
    raw = new RawVerbs(flags(folder), HOME_ADDRESS);
    GuestImage.Work pages =
        new GuestImage.Work(GuestImage.Kind.PAGES, LOCAL_PAGES, FIRST_LOCAL, LOCAL_RAM);
    localInC = contestants.inC("faults in C", pages, LOCAL_RAM);
    remote = contestants.node("node 0", REMOTE_WORK, REMOTE_RAM, 0, network(folder));
    String connect = "until nc " + HOME_ADDRESS + " " + CONTROL_PORT + "; do sleep 0.1; done";
    home = contestants.program("node 1", List.of("sh", "-c", connect));
    remote.awaitReady();
    home.awaitReady();
    localHere = contestants.node("faults of a node", pages, LOCAL_RAM, 0, Network.none());
    localInC.awaitReady();
    localHere.awaitReady();
  }

  /** One of the two. */
  public static void main(String[] args) throws IOException, InterruptedException {
    Path folder = Path.of(args[1]);
    if (args[0].equals("home")) {
      String image = folder.resolve("guest.bin").toString();
      List<String> arguments =
          MeasuredNode.arguments(image, REMOTE_WORK, REMOTE_RAM, 1, network(folder));
      MeasuredNode.main(arguments.toArray(String[]::new));
      return;
    }
    int code = 0;
    try (Contestants contestants = new Contestants(folder, flags(folder))) {
      new RemoteFaultRatio(contestants, folder, Double.parseDouble(args[3]))
          .run(Integer.parseInt(args[2]), Long.parseLong(args[4]));
    } catch (IllegalStateException e) {
      System.err.println("perf/remote-fault-ratio: " + e.getMessage());
      code = 1;
    }
    System.exit(code); // the shutdown hook ends whoever is left
  }

  private static String flags(Path folder) {
    return folder.resolve("java.flags").toString();
  }

  private static Network network(Path folder) throws IOException {
    return new Network(
        true,
        Files.readString(folder.resolve("key")).strip(),
        List.of(new Endpoint(GUEST_ADDRESS, NODE_PORT), new Endpoint(HOME_ADDRESS, NODE_PORT)));
  }

  private void run(int turns, long faults) throws IOException, InterruptedException {
    for (Contestant c : List.of(localInC, localHere, remote)) {
      c.stop();
    }
    System.err.println("server: measures");
    for (int i = 0; i < WARM_UP_TURNS; i++) {
      Contestants.turn(localInC);
      Contestants.turn(localHere);
      remoteTurn();
    }
    for (int i = 0; i < turns; i++) {
      turn();
    }
    print();
    if (faults > 0) {
      remote.resume();
      new FaultAllocations(remote, home, REMOTE_PAGES).run(faults);
    }
    if (!far.met()) {
      throw new IllegalStateException("remote faults take too long");
    }
  }

  private void turn() throws IOException, InterruptedException {
    double readInC = raw.readInC();
    RawVerbs.InJava verbs = raw.inJava();
    double ofC = Contestants.turn(localInC) / (double) LOCAL_PAGES;
    double ours = Contestants.turn(localHere) / (double) LOCAL_PAGES;
    double page = remoteTurn();
    inC.add(readInC);
    inJava.add(verbs.read());
    pushed.add(verbs.pushed());
    pulled.add(verbs.pulled());
    local.add(ours, ofC);
    far.add(page, readInC + ours);
    farInC.add(page, readInC + ofC);
    // To the server's log, where it can be followed.
    System.err.printf(
        Locale.ROOT,
        "turn: read %.0f in C, %.0f in Java; pushed %.0f, pulled %.0f; local %.0f in C,"
            + " %.0f here; remote %.0f%n",
        readInC,
        verbs.read(),
        verbs.pushed(),
        verbs.pulled(),
        ofC,
        ours,
        page);
  }

  private double remoteTurn() throws IOException, InterruptedException {
    remote.resume();
    home.round();
    double nanos = remote.round();
    remote.stop();
    return nanos / REMOTE_PAGES;
  }

  private void print() {
    System.out.println(Ratio.HEADING);
    System.out.println(local);
    System.out.println(far);
    System.out.println(farInC);
    System.out.printf(
        Locale.ROOT,
        "remote is against an RDMA READ of %.0f ns in C (%.0f in Java) plus the local service%n",
        inC.median(),
        inJava.median());
    System.out.printf(
        Locale.ROOT,
        "a page that its owner is asked for by a SEND: %.0f ns if he writes it and tells by a SEND,"
            + " %.0f if he tells and it is read%n",
        pushed.median(),
        pulled.median());
  }
}
