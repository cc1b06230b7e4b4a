package org.pluribus.vmm.control;

import java.io.IOException;
import java.io.InputStream;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * What ends a node from outside: the time limit, Ctrl-C or TERM, a node process that died, the end
 * of a child's standard input; and what types: this process's standard input. Daemon threads, none
 * of which holds the process.
 */
final class Watchdogs {
  /** While the guest's input queue is full, the typist waits this long. */
  private static final long TYPE_RETRY_MILLIS = 5;

  /** How long the process waits, when told to end, for the machine to end in good order. */
  private static final long HOOK_SECONDS = 15;

  private final NodeRuntime node;
  private final List<Process> children;
  private final CountDownLatch finished = new CountDownLatch(1);
  private @Nullable Thread hook;

  Watchdogs(NodeRuntime node, List<Process> children) {
    this.node = node;
    this.children = children;
  }

  void start(@Nullable Integer timeoutSeconds, boolean interactive) {
    addHook();
    for (int i = 0; i < children.size(); i++) {
      int id = i + 1; // node 0 is this process
      children.get(i).onExit().thenAccept(p -> childEnded(id, p));
    }
    if (timeoutSeconds != null) {
      daemon("timeout", () -> expire(timeoutSeconds));
    }
    if (interactive) {
      daemon("typist", this::type);
    }
  }

  /** For a node process that {@code run} started: its parent's death is its end. */
  void endWithStandardInput() {
    addHook();
    daemon(
        "parent-watch",
        () -> {
          try {
            while (System.in.read() >= 0) {
              // whatever the parent says, only the end counts
            }
          } catch (IOException e) {
            // as good as the end
          }
          node.end(Outcome.NODE_FAILURE, Outcome.STARTER_GONE);
          if (!node.isConnected()) {
            System.exit(Outcome.NODE_FAILURE);
          }
        });
  }

  /** All is done and said: a process that is told to end need not wait for it any more. */
  void stop() {
    finished.countDown();
    Thread h = hook;
    if (h != null) {
      try {
        Runtime.getRuntime().removeShutdownHook(h);
      } catch (IllegalStateException e) {
        // the process is ending already; the hook has done its part
      }
    }
  }

  private void addHook() {
    Thread h =
        new Thread(
            () -> {
              node.end(Outcome.INTERRUPTED, "interrupted");
              if (!node.isConnected()) {
                return;
              }
              try {
                finished.await(HOOK_SECONDS, TimeUnit.SECONDS);
              } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
              }
            },
            "shutdown");
    hook = h;
    Runtime.getRuntime().addShutdownHook(h);
  }

  private void childEnded(int id, Process p) {
    node.peerEnded(
        id, "node " + id + " was lost: its process ended with exit code " + p.exitValue());
  }

  private void expire(int seconds) {
    try {
      if (!finished.await(seconds, TimeUnit.SECONDS)) {
        node.end(Outcome.TIMEOUT, "the time limit of " + seconds + " s is over");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void type() {
    InputStream in = System.in;
    try {
      for (int b = in.read(); b >= 0; b = in.read()) {
        while (!node.type((byte) b) && finished.getCount() > 0) {
          Thread.sleep(TYPE_RETRY_MILLIS);
        }
      }
    } catch (IOException e) {
      // no more input; the guest goes on
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static void daemon(String name, Runnable body) {
    Thread t = new Thread(body, name);
    t.setDaemon(true);
    t.start();
  }
}
