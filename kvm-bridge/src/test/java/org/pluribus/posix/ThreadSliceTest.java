package org.pluribus.posix;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class ThreadSliceTest {
  /** /proc/PID/sched tells the slice on kernels that know slices of single threads. */
  @Test
  void sliceIsTaken() throws Exception {
    Path sched = Path.of("/proc/thread-self/sched");
    int[] answer = new int[1];
    String[] told = new String[1];
    Thread thread =
        new Thread(() -> {
          answer[0] = ThreadSlice.request(700_000);
          try {
            told[0] = Files.exists(sched) ? Files.readString(sched) : "";
          } catch (java.io.IOException e) {
            told[0] = e.toString();
          }
        });
    thread.start();
    thread.join();
    assertThat(answer[0]).isZero();
    if (told[0].contains("se.slice")) {
      assertThat(told[0]).containsPattern("se\\.slice\\s*:\\s*700000");
    }
  }
}
