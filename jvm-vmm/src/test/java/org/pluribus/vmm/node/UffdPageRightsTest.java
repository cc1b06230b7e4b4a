package org.pluribus.vmm.node;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.pluribus.posix.Mapping;
import org.pluribus.posix.Memfd;

/** Rights to pages by a real userfaultfd, without a guest. */
class UffdPageRightsTest {
  private static final Path DEVICE = Path.of("/dev/userfaultfd");

  private static final int PAGES = 10_000;

  /** So many that the JVM's optimising compiler has been at work long before the last one. */
  private static final int ROUNDS = 12;

  private static final long PAGE = 4096;

  /** RAM that nobody has touched is a hole in its file, which UFFDIO_CONTINUE refuses. */
  @Test
  void pagesThatNobodyTouchedCanBeGranted() {
    if (!Files.isWritable(DEVICE)) {
      System.err.println("SKIPPED: " + DEVICE + " cannot be opened here");
    }
    Assumptions.assumeTrue(Files.isWritable(DEVICE), DEVICE + " cannot be opened here");
    for (int round = 0; round < ROUNDS; round++) {
      grantAll();
    }
  }

  private static void grantAll() {
    try (Memfd ram = Memfd.create("holes", PAGES * PAGE);
        Mapping alias = Mapping.of(ram)) {
      UffdPageRights rights = new UffdPageRights(ram, alias, new UseTime(0, 0), System::nanoTime);
      try {
        for (int page = 0; page < PAGES; page++) {
          if (page % 2 == 0) {
            rights.grantShared(page);
          } else {
            rights.grantExclusive(page);
          }
          assertThat(rights.suffices(page, page % 2 == 1)).isTrue();
        }
      } finally {
        rights.close();
      }
    }
  }
}
