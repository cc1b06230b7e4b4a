package org.pluribus.perf.ratio;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * RDMA verbs with nothing around them, against a server that answers again and again: perftest's
 * {@code ib_read_lat}, then VerbsPingPong of rdma-transport's tests. All sleep until a completion
 * comes. Times are medians, in nanoseconds.
 */
final class RawVerbs {
  static final int PORT = 20_499;
  private static final String ROUNDS = "1000";
  private static final String PAGE_BYTES = "4096";

  /** The answerer may have to come up first. The pause is of a slow clock. */
  private static final int ATTEMPTS = 1000;

  private static final long PAUSE_MILLIS = 10;
  private static final double NANOS_PER_MICRO = 1_000;

  /** perftest's table: bytes, iterations, least, greatest, and typical microseconds. */
  private static final Pattern TYPICAL =
      Pattern.compile("^ *" + PAGE_BYTES + "( +[0-9.]+){3} +([0-9.]+)", Pattern.MULTILINE);

  private final String jvmFlags;
  private final String answerer;

  /**
   * @param jvmFlags file of the launcher's flags
   * @param answerer its address
   */
  RawVerbs(String jvmFlags, String answerer) {
    this.jvmFlags = jvmFlags;
    this.answerer = answerer;
  }

  /** An RDMA READ of 4 KiB, in C. */
  double readInC() throws IOException, InterruptedException {
    List<String> command = new ArrayList<>(List.of("ib_read_lat", "--events", "--rdma_cm"));
    command.addAll(List.of("--CPU-freq", "--iters", ROUNDS, "--size", PAGE_BYTES));
    command.addAll(List.of("--port", String.valueOf(PORT), answerer));
    return nanos(TYPICAL, 2, output(command));
  }

  /** The same in Java, and a page that its owner sends when he is asked; see VerbsPingPong. */
  InJava inJava() throws IOException, InterruptedException {
    List<String> command = new ArrayList<>(Contestant.jvm(jvmFlags));
    command.add("org.pluribus.transport.verbs.VerbsPingPong");
    command.addAll(List.of("caller", answerer, String.valueOf(PORT), ROUNDS));
    String output = output(command);
    return new InJava(named("read", output), named("pushed", output), named("pulled", output));
  }

  /**
   * @param read an RDMA READ of 4 KiB
   * @param pushed a request by SEND, whose answer is an RDMA WRITE of 4 KiB and a SEND
   * @param pulled a request by SEND, whose answer is a SEND, and an RDMA READ after it
   */
  record InJava(double read, double pushed, double pulled) {}

  private static double named(String name, String output) {
    return nanos(Pattern.compile("\\b" + name + " ([0-9.]+)"), 1, output);
  }

  private static double nanos(Pattern figure, int group, String output) {
    Matcher m = figure.matcher(output);
    if (!m.find()) {
      throw new IllegalStateException("no time in '" + output + "'");
    }
    return Double.parseDouble(m.group(group)) * NANOS_PER_MICRO;
  }

  /** What a program prints that has to succeed in the end. */
  private static String output(List<String> command) throws IOException, InterruptedException {
    String output = "";
    for (int i = 0; i < ATTEMPTS; i++) {
      Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
      output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      if (process.waitFor() == 0) {
        return output;
      }
      Thread.sleep(PAUSE_MILLIS);
    }
    throw new IllegalStateException(
        String.format(
            Locale.ROOT,
            "%s failed %d times: %s",
            command.getFirst(),
            ATTEMPTS,
            output.lines().reduce("", (first, second) -> second)));
  }
}
