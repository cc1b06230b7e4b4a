package org.pluribus.vmm.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Random;
import org.junit.jupiter.api.Test;

class GuestRamLayoutTest {

  private static final long MIB = 1L << 20;
  private static final long GIB = 1L << 30;

  @Test
  void smallRamIsOneRangeAndTwoNodesShareItOnLinuxSections() {
    GuestRamLayout layout = GuestRamLayout.of(512 * MIB, 2);
    assertThat(layout.ranges()).containsExactly(new RamRange(0, 512 * MIB));
    assertThat(layout.rangesOf(0)).containsExactly(new RamRange(0, 256 * MIB));
    assertThat(layout.rangesOf(1)).containsExactly(new RamRange(256 * MIB, 256 * MIB));
    assertThat(layout.homeOf(256 * MIB - 1)).isZero();
    assertThat(layout.homeOf(256 * MIB)).isEqualTo(1);
  }

  @Test
  void ramGoesOnAboveTheHole() {
    GuestRamLayout layout = GuestRamLayout.of(4 * GIB, 1);
    assertThat(layout.ranges())
        .containsExactly(new RamRange(0, 3 * GIB), new RamRange(4 * GIB, GIB));
    assertThat(layout.isRam(3 * GIB - 1)).isTrue();
    assertThat(layout.isRam(3 * GIB)).isFalse();
    assertThat(layout.isRam(AddressMap.LAPIC_BASE)).isFalse();
    assertThat(layout.isRam(4 * GIB)).isTrue();
    assertThat(layout.isRam(5 * GIB)).isFalse();
    assertThat(layout.isRam(3 * GIB - 8, 16)).isFalse();
    assertThat(layout.isRam(5 * GIB - 16, 16)).isTrue();
    assertThat(layout.isRam(5 * GIB - 16, 17)).isFalse();
    assertThat(layout.isRam(16, Long.MAX_VALUE)).isFalse();
    assertThat(layout.ramOffset(4 * GIB)).isEqualTo(3 * GIB);
    assertThatThrownBy(() -> layout.ramOffset(3 * GIB))
        .isInstanceOf(IndexOutOfBoundsException.class)
        .hasMessageContaining("0xc0000000");
  }

  @Test
  void aNodeAcrossTheHoleHasTwoRanges() {
    GuestRamLayout layout = GuestRamLayout.of(8 * GIB, 2);
    assertThat(layout.rangesOf(0))
        .containsExactly(new RamRange(0, 3 * GIB), new RamRange(4 * GIB, GIB));
    assertThat(layout.rangesOf(1)).containsExactly(new RamRange(5 * GIB, 4 * GIB));
    assertThat(layout.homeOf(5 * GIB - 1)).isZero();
  }

  @Test
  void anySizeIsSplitEvenlyAndEveryPageHasOneHome() {
    long seed = new Random().nextLong();
    Random random = new Random(seed);
    for (int n = 0; n < 300; n++) {
      int nodes = 1 + random.nextInt(8);
      long size = (16 + random.nextInt(3 * 1024)) * 2 * MIB;
      GuestRamLayout layout = GuestRamLayout.of(size, nodes);
      String what = "seed %d: %d MiB over %d".formatted(seed, size / MIB, nodes);
      long pages = 0;
      for (int node = 0; node < nodes; node++) {
        long share = layout.pageCountOf(node) * GuestRamLayout.PAGE_SIZE;
        assertThat(share * 8).as(what).isBetween(size / nodes * 5, size / nodes * 11);
        assertThat(layout.firstPageOf(node)).as(what).isEqualTo(pages);
        assertThat(layout.homeOfPage(pages)).as(what).isEqualTo(node);
        pages += layout.pageCountOf(node);
        assertThat(layout.homeOfPage(pages - 1)).as(what).isEqualTo(node);
        long inRanges = layout.rangesOf(node).stream().mapToLong(RamRange::length).sum();
        assertThat(inRanges).as(what).isEqualTo(share);
      }
      assertThat(pages).as(what).isEqualTo(layout.pageCount());
      long page = random.nextLong(layout.pageCount());
      assertThat(layout.pageOf(layout.gpaOfPage(page) + 4095)).as(what).isEqualTo(page);
    }
  }

  @Test
  void theMemoryMapCoversAllRamButTheLegacyWindow() {
    GuestRamLayout layout = GuestRamLayout.of(4 * GIB, 2);
    long usable = 0;
    long last = 0;
    for (E820Entry entry : layout.e820()) {
      assertThat(entry.start()).isGreaterThanOrEqualTo(last);
      last = entry.end();
      if (entry.type() == E820Entry.Type.RAM) {
        usable += entry.length();
        assertThat(layout.isRam(entry.start(), entry.length())).isTrue();
      }
    }
    assertThat(usable).isEqualTo(4 * GIB - (0x10_0000 - 0x9_FC00));
  }

  @Test
  void sizesThatMakeNoSenseAreNamedWithTheCure() {
    assertThatThrownBy(() -> GuestRamLayout.of(8 * MIB, 3))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("memory of 8192 KiB is too small for 3 node(s): give at least 12 MiB");
    assertThatThrownBy(() -> GuestRamLayout.of(65 * MIB, 1))
        .hasMessage("memory of 66560 KiB is not a multiple of 2 MiB: give 66 MiB");
    assertThatThrownBy(() -> GuestRamLayout.of(2L << 40, 1))
        .hasMessageContaining("give at most 1047552 MiB");
    assertThatThrownBy(() -> GuestRamLayout.of(64 * MIB, 0))
        .hasMessageContaining("at least 1 node");
  }
}
