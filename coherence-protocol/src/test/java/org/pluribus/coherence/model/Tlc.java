package org.pluribus.coherence.model;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import tlc2.TLC;

/** Runs the TLC model checker, as a child process, on the module {@code Coherence}. */
final class Tlc {
  static final Path FOLDER = Path.of("src/tla").toAbsolutePath();

  /** Work files and outputs; every run has its own folder below. */
  private static final Path WORK = Path.of("target/tlc").toAbsolutePath();

  /** TLC's workers in parallel. Liveness is checked by one in any case. */
  private static final int WORKERS = Integer.getInteger("model.workers", 1);

  /** How runs that end as soon as they find their bug are called. */
  private static final String BUG = "bug-";

  private static final String QUICK_COMPILER_ONLY = "-XX:TieredStopAtLevel=1";
  private static final String BOTH_COMPILERS = "-XX:TieredStopAtLevel=4";
  private static final String HEAP = System.getProperty("model.heap", "1g");
  private static final int LIMIT_MINUTES = Integer.getInteger("model.minutes", 30);

  private static final Pattern COUNTS =
      Pattern.compile("(\\d+) states generated, (\\d+) distinct states found, (\\d+) states left");
  private static final Pattern DEPTH = Pattern.compile("state graph search is (\\d+)");
  private static final Pattern ERROR = Pattern.compile("(?m)^Error: (.*)$");

  /**
   * What TLC said.
   *
   * @param exitCode 0 if all properties hold; 11 deadlock, 12 invariant, 13 liveness (EC.ExitStatus
   *     of TLC)
   * @param generated states met, counting those met again
   * @param distinct different states
   * @param verdict its first line of error, or empty
   */
  record Outcome(
      int exitCode, long generated, long distinct, int depth, String verdict, String output) {}

  private Tlc() {}

  /** Whether an exit code means that a property was found to be violated. */
  static boolean isViolation(int exitCode) {
    return exitCode >= 11 && exitCode <= 13;
  }

  /** Checks the module under a configuration; {@code name} is for files. */
  static Outcome check(String name, String configuration) {
    try {
      return run(name, configuration);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  private static Outcome run(String name, String configuration)
      throws IOException, InterruptedException {
    Path work = Files.createDirectories(WORK.resolve(name));
    Path config = Files.writeString(work.resolve("Coherence.cfg"), configuration);
    Path log = work.resolve("output.txt");
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:+UseSerialGC",
                name.startsWith(BUG) ? QUICK_COMPILER_ONLY : BOTH_COMPILERS,
                "-Xmx" + HEAP,
                "-Djava.io.tmpdir=" + work,
                "-cp",
                Path.of(TLC.class.getProtectionDomain().getCodeSource().getLocation().getPath())
                    .toString(),
                "tlc2.TLC",
                "-nowarning",
                "-cleanup",
                "-workers",
                Integer.toString(WORKERS),
                "-lncheck",
                "final",
                "-metadir",
                work.resolve("states").toString(),
                "-config",
                config.toString(),
                "Coherence.tla")
            .directory(FOLDER.toFile())
            .redirectErrorStream(true)
            .redirectOutput(log.toFile())
            .start();
    try {
      if (!process.waitFor(LIMIT_MINUTES, TimeUnit.MINUTES)) {
        throw new IllegalStateException(
            name + " takes more than " + LIMIT_MINUTES + " minutes: -Dmodel.minutes=N allows more");
      }
    } finally {
      process.destroyForcibly();
    }
    return outcome(process.exitValue(), Files.readString(log));
  }

  private static Outcome outcome(int exitCode, String output) {
    Matcher counts = COUNTS.matcher(output);
    long generated = 0;
    long distinct = 0;
    while (counts.find()) { // The last ones count.
      generated = Long.parseLong(counts.group(1));
      distinct = Long.parseLong(counts.group(2));
    }
    Matcher depth = DEPTH.matcher(output);
    Matcher error = ERROR.matcher(output);
    return new Outcome(
        exitCode,
        generated,
        distinct,
        depth.find() ? Integer.parseInt(depth.group(1)) : 0,
        error.find() ? error.group(1) : "",
        output);
  }

  /** Configuration files of a folder, in order of their names. */
  static List<Path> configurations(Path folder) throws IOException {
    try (var files = Files.list(folder)) {
      return files
          .filter(file -> file.toString().toLowerCase(Locale.ROOT).endsWith(".cfg"))
          .sorted()
          .toList();
    }
  }
}
