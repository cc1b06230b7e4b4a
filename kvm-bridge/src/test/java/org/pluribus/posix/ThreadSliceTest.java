package org.pluribus.posix;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.IntSupplier;
import org.junit.jupiter.api.Test;

class ThreadSliceTest {
  /** /proc/PID/sched tells the slice on kernels that know slices of single threads. */
  @Test
  void sliceIsTaken() throws Exception {
    String told = toldAfter(() -> ThreadSlice.request(700_000), "sched");
    if (told.contains("se.slice")) {
      assertThat(told).containsPattern("se\\.slice\\s*:\\s*700000");
    }
  }

  @Test
  void precedenceIsTaken() throws Exception {
    assumeTrue(mayGoFirst(), "this user may not lower a thread's niceness");
    String told = toldAfter(() -> ThreadSlice.requestFirst(700_000), "stat");
    // Field 19 is the niceness (proc_pid_stat(5)), the 17th after the name.
    assertThat(told.substring(told.lastIndexOf(')') + 2).split(" ", -1)[16]).isEqualTo("-20");
  }

  private static boolean mayGoFirst() throws Exception {
    boolean[] may = new boolean[1];
    Thread thread = new Thread(() -> may[0] = ThreadSlice.requestFirst(700_000) == 0);
    thread.start();
    thread.join();
    return may[0];
  }

  /** What the kernel tells of a thread that has made a request. */
  private static String toldAfter(IntSupplier request, String file) throws Exception {
    Path of = Path.of("/proc/thread-self", file);
    int[] answer = new int[1];
    String[] told = new String[1];
    Thread thread =
        new Thread(() -> {
          answer[0] = request.getAsInt();
          try {
            told[0] = Files.exists(of) ? Files.readString(of) : "";
          } catch (java.io.IOException e) {
            told[0] = e.toString();
          }
        });
    thread.start();
    thread.join();
    assertThat(answer[0]).isZero();
    return told[0];
  }
}
