package org.pluribus.perf.ratio;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.pluribus.hw.HostProfile;

/** All contestants of a comparison. None outlives this JVM. */
final class Contestants implements AutoCloseable {
  private final Path built;
  private final String jvmFlags;
  private final List<Contestant> all = new ArrayList<>();

  /**
   * @param built folder of the programs: baseline and guest.bin
   * @param jvmFlags file of the launcher's flags
   */
  Contestants(Path built, String jvmFlags) {
    this.built = built;
    this.jvmFlags = jvmFlags;
    Runtime.getRuntime().addShutdownHook(new Thread(() -> all.forEach(Contestant::kill)));
  }

  /** The program in C. */
  Contestant inC(String name, GuestImage.Work work, long ram) throws IOException {
    List<String> command = new ArrayList<>();
    command.add(built.resolve("baseline").toString());
    command.add(image());
    command.add(String.valueOf(work.kind().ordinal()));
    command.addAll(numbers(work.count(), work.first(), work.limit(), ram, yields()));
    return program(name, command);
  }

  /** As a node's fault thread does: on an only core, yielding gets nobody anywhere. */
  private static long yields() {
    return Runtime.getRuntime().availableProcessors() == 1
        ? 0
        : HostProfile.load(FaultRatio.PROFILE).faultYields();
  }

  Contestant node(String name, GuestImage.Work work, long ram, int self, Network network)
      throws IOException {
    return java(
        name, MeasuredNode.class, MeasuredNode.arguments(image(), work, ram, self, network));
  }

  /** A main class of this module. */
  Contestant java(String name, Class<?> main, List<String> arguments) throws IOException {
    return added(Contestant.java(name, jvmFlags, main, arguments));
  }

  Contestant program(String name, List<String> command) throws IOException {
    return added(Contestant.program(name, command));
  }

  private Contestant added(Contestant c) {
    all.add(c);
    return c;
  }

  private String image() {
    return built.resolve("guest.bin").toString();
  }

  static List<String> numbers(long... values) {
    return Arrays.stream(values).mapToObj(String::valueOf).toList();
  }

  /** Lets some of them run, the first of them for a round; its nanoseconds. */
  static long turn(Contestant... who) throws IOException, InterruptedException {
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
