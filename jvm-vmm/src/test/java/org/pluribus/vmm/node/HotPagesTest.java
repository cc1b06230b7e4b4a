package org.pluribus.vmm.node;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.pluribus.vmm.memory.GuestRamLayout;

class HotPagesTest {
  private static final int NODES = 3;
  private static final GuestRamLayout LAYOUT = GuestRamLayout.of(3L << 30, NODES);

  private final HotPages pages = new HotPages(NODES);

  @Test
  void countsTransfersAndBytesBySender() {
    for (int i = 0; i < 5; i++) {
      pages.received(7, 1, 4096);
    }
    pages.received(7, 2, 64);
    pages.received(9, 0, 4096);
    assertThat(pages.hottest(LAYOUT, 0, 10))
        .containsExactly(
            new HotPages.Hot(0x7000, 0, 6, 5 * 4096 + 64, List.of(0, 5, 1)),
            new HotPages.Hot(0x9000, 0, 1, 4096, List.of(1, 0, 0)));
    assertThat(pages.hottest(LAYOUT, 0, 1)).hasSize(1);
  }

  /** A dozen pages go to and fro while many more pass through than there is room for. */
  @Test
  void pagesThatKeepComingOutliveThoseThatPassThrough() {
    long seed = Long.getLong("pluribus.seed", System.nanoTime());
    Random random = new Random(seed);
    for (int i = 0; i < 200_000; i++) {
      pages.received(100_000L + i % 500_000, 1, 4096);
      if (i % 4 == 0) {
        pages.received(random.nextInt(12), 2, 4096);
      }
    }
    assertThat(pages.hottest(LAYOUT, 0, 12))
        .as("seed %d", seed)
        .allSatisfy(hot -> {
          assertThat(hot.gpa()).isLessThan(12 * 4096);
          assertThat(hot.from().get(2)).isGreaterThan(3_500);
        });
  }
}
