package org.pluribus.vmm.node;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.pluribus.coherence.CoherenceMessage;
import org.pluribus.coherence.DeltaMode;
import org.pluribus.coherence.TwinStore;

class NativeTwinsTest {
  private static final int PAGE = 4096;
  private static final int PAGES = 8;

  @Test
  void everyChangedByteShowsItsBlock() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment ram = randomRam(arena);
      try (NativeTwins twins = NativeTwins.of(ram, DeltaMode.ON)) {
        twins.keep(5, 2);
        assertThat(twins.changedBlocks(5, 2)).isZero();
        for (int i = 0; i < PAGE; i++) {
          long at = 5 * PAGE + i;
          byte was = ram.get(JAVA_BYTE, at);
          ram.set(JAVA_BYTE, at, (byte) (was ^ 1 << i % 8));
          assertThat(twins.changedBlocks(5, 2))
              .as("byte %d", i)
              .isEqualTo(1L << i / TwinStore.BLOCK_BYTES);
          ram.set(JAVA_BYTE, at, was);
        }
      }
    }
  }

  @Test
  void everyByteThatIsNotZeroShowsItsBlock() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment ram = randomRam(arena);
      try (NativeTwins twins = NativeTwins.of(ram, DeltaMode.ON)) {
        // The page of zeros is nobody's slot.
        for (int slot = 0; slot < twins.slots(); slot++) {
          twins.keep(6, slot);
        }
        assertThat(Long.bitCount(twins.nonZeroBlocks(5)))
            .isGreaterThan(CoherenceMessage.MAX_BLOCKS);
        ram.asSlice(5 * PAGE, PAGE).fill((byte) 0);
        assertThat(twins.nonZeroBlocks(5)).isZero();
        for (int i = 0; i < PAGE; i++) {
          ram.set(JAVA_BYTE, 5 * PAGE + i, (byte) (1 << i % 8));
          assertThat(twins.nonZeroBlocks(5))
              .as("byte %d", i)
              .isEqualTo(1L << i / TwinStore.BLOCK_BYTES);
          ram.set(JAVA_BYTE, 5 * PAGE + i, (byte) 0);
        }
      }
    }
  }

  /** As many as may be sent are told, all of them. */
  @Test
  void halfAPageIsToldInFull() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment ram = randomRam(arena);
      try (NativeTwins twins = NativeTwins.of(ram, DeltaMode.ON)) {
        ram.asSlice(2 * PAGE, PAGE / 2).fill((byte) 0);
        assertThat(twins.nonZeroBlocks(2)).isEqualTo(-1L << 32);
        twins.keep(2, 0);
        ram.asSlice(2 * PAGE, PAGE / 2).fill((byte) 1);
        assertThat(twins.changedBlocks(2, 0)).isEqualTo(-1L >>> 32);
      }
    }
  }

  @Test
  void slotsDoNotTouchEachOther() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment ram = randomRam(arena);
      try (NativeTwins twins = NativeTwins.of(ram, DeltaMode.AUTO)) {
        assertThat(twins.slots()).isEqualTo(PAGES);
        for (int page = 0; page < PAGES; page++) {
          twins.keep(page, PAGES - 1 - page);
        }
        ram.asSlice(3 * PAGE, PAGE).fill((byte) 7);
        for (int page = 0; page < PAGES; page++) {
          int changed = Long.bitCount(twins.changedBlocks(page, PAGES - 1 - page));
          assertThat(changed > CoherenceMessage.MAX_BLOCKS)
              .as("page %d", page)
              .isEqualTo(page == 3);
          assertThat(changed > 0).as("page %d", page).isEqualTo(page == 3);
        }
      }
    }
  }

  @Test
  void withoutDeltasThereIsNoRoom() {
    try (Arena arena = Arena.ofConfined();
        NativeTwins twins = NativeTwins.of(randomRam(arena), DeltaMode.OFF)) {
      assertThat(twins.slots()).isZero();
    }
  }

  private static MemorySegment randomRam(Arena arena) {
    MemorySegment ram = arena.allocate(PAGES * PAGE, PAGE);
    SplittableRandom random = new SplittableRandom(1);
    for (int i = 0; i < PAGES * PAGE; i++) {
      ram.set(JAVA_BYTE, i, (byte) random.nextInt());
    }
    return ram;
  }
}
