package org.pluribus.perf.ratio;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** A process that does rounds when told; stopped by a signal while it is not on turn. */
final class Contestant implements AutoCloseable {
  /** A start takes a second or two, a round some tenths of one. */
  private static final long ANSWER_SECONDS = 90;

  private static final long END_SECONDS = 10;

  private final String name;
  private final Process process;
  private final BufferedReader answers;
  private final OutputStream commands;

  private Contestant(String name, List<String> command) throws IOException {
    this.name = name;
    process = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
    answers = process.inputReader(StandardCharsets.US_ASCII);
    commands = process.getOutputStream();
  }

  /** A program in C. */
  static Contestant program(String name, List<String> command) throws IOException {
    return new Contestant(name, command);
  }

  /**
   * A main class of this module, in a JVM as a node has it.
   *
   * @param jvmFlags file of the launcher's flags
   */
  static Contestant java(String name, String jvmFlags, Class<?> main, List<String> arguments)
      throws IOException {
    List<String> command = new ArrayList<>(jvm(jvmFlags));
    command.add(main.getName());
    command.addAll(arguments);
    return new Contestant(name, command);
  }

  /** The start of a command: a JVM as a node has it, which finds what this one finds. */
  static List<String> jvm(String jvmFlags) {
    String java = System.getProperty("java.home") + "/bin/java";
    return List.of(java, "@" + jvmFlags, "-cp", System.getProperty("java.class.path"));
  }

  /** Waits until it is ready. */
  void awaitReady() {
    String line = answer();
    if (!line.equals("ready")) {
      throw new IllegalStateException(name + " said '" + line + "' instead of 'ready'");
    }
  }

  /** Lets it do a round; its nanoseconds. */
  long round() throws IOException {
    return Long.parseLong(ask(""));
  }

  /** Its answer to a line; the empty one is for a round. */
  String ask(String line) throws IOException {
    commands.write((line + "\n").getBytes(StandardCharsets.US_ASCII));
    commands.flush();
    return answer();
  }

  private String answer() {
    String line =
        CompletableFuture.supplyAsync(this::readLine)
            .orTimeout(ANSWER_SECONDS, TimeUnit.SECONDS)
            .exceptionally(late -> null)
            .join();
    if (line == null) {
      throw new IllegalStateException(
          name + (process.isAlive() ? " does not answer" : " has ended: see above"));
    }
    return line;
  }

  private @Nullable String readLine() {
    try {
      return answers.readLine();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Keeps it from running. */
  void stop() throws IOException, InterruptedException {
    signal("STOP");
  }

  /** Lets it run again. */
  void resume() throws IOException, InterruptedException {
    signal("CONT");
  }

  private void signal(String signal) throws IOException, InterruptedException {
    new ProcessBuilder("sh", "-c", "kill -" + signal + " " + process.pid()).start().waitFor();
  }

  /** Tells it to end, by the end of its input. */
  void finish() throws IOException, InterruptedException {
    if (process.isAlive()) {
      resume();
      commands.close();
    }
  }

  /** Ends it by force if it has not ended by now. Any thread. */
  void kill() {
    process.destroyForcibly();
  }

  @Override
  public void close() throws IOException, InterruptedException {
    finish();
    if (!process.waitFor(END_SECONDS, TimeUnit.SECONDS)) {
      kill();
    }
  }
}
