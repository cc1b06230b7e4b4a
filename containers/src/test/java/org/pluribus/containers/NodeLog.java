package org.pluribus.containers;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.testcontainers.containers.output.OutputFrame;
import org.testcontainers.containers.output.OutputFrame.OutputType;

/** What a node writes: standard output (on node 0 the guest's console) and standard error. */
final class NodeLog implements Consumer<OutputFrame> {
  /** How much of the end a failure quotes. */
  private static final int QUOTED_LINES = 40;

  private final String name;
  private final List<String> output = new ArrayList<>();
  private final List<String> errors = new ArrayList<>();
  private final StringBuilder outputRest = new StringBuilder();
  private final StringBuilder errorRest = new StringBuilder();
  private boolean ended;

  NodeLog(String name) {
    this.name = name;
  }

  /** From the engine's thread. */
  @Override
  public synchronized void accept(OutputFrame frame) {
    if (frame.getType() == OutputType.END) {
      ended = true;
    } else if (frame.getType() == OutputType.STDOUT) {
      add(frame.getUtf8String(), outputRest, output);
    } else {
      add(frame.getUtf8String(), errorRest, errors);
    }
    notifyAll();
  }

  /** Frames need not be lines. */
  private static void add(String text, StringBuilder rest, List<String> lines) {
    rest.append(text);
    for (int end = rest.indexOf("\n"); end >= 0; end = rest.indexOf("\n")) {
      lines.add(rest.substring(0, end).replace("\r", ""));
      rest.delete(0, end + 1);
    }
  }

  synchronized List<String> output() {
    return List.copyOf(output);
  }

  synchronized List<String> errors() {
    return List.copyOf(errors);
  }

  /** How many lines of output there are of this kind. */
  synchronized long count(Predicate<String> kind) {
    return output.stream().filter(kind).count();
  }

  /** Waits until output has so many lines of a kind; a node that ends before fails. */
  synchronized void await(long lines, Predicate<String> kind, Duration limit)
      throws InterruptedException {
    long deadline = System.nanoTime() + limit.toNanos();
    while (count(kind) < lines) {
      long left = deadline - System.nanoTime();
      if (ended || left <= 0) {
        String why = ended ? "ended" : "is still there after " + limit.toSeconds() + " s";
        throw new AssertionError(
            name + " " + why + " and wrote " + count(kind) + " of " + lines + " lines\n" + this);
      }
      wait(Math.max(1, left / 1_000_000));
    }
  }

  /** Waits until the engine has said that nothing more comes. */
  synchronized void awaitEnd(Duration limit) throws InterruptedException {
    long deadline = System.nanoTime() + limit.toNanos();
    while (!ended) {
      long left = deadline - System.nanoTime();
      if (left <= 0) {
        throw new AssertionError(
            name + " is still there after " + limit.toSeconds() + " s\n" + this);
      }
      wait(Math.max(1, left / 1_000_000));
    }
  }

  /** The end of both streams. */
  @Override
  public synchronized String toString() {
    return name + ", output:\n" + end(output) + "\n" + name + ", errors:\n" + end(errors);
  }

  private static String end(List<String> lines) {
    return String.join("\n", lines.subList(Math.max(0, lines.size() - QUOTED_LINES), lines.size()));
  }
}
