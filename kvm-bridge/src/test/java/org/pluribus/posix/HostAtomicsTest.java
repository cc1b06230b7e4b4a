package org.pluribus.posix;

import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class HostAtomicsTest {
  private final MemorySegment witness = Arena.ofAuto().allocate(16, 16);
  private Mapping mapping;
  private long base;

  @BeforeEach
  void map() {
    mapping = Mapping.anonymous(2 * Mapping.PAGE_BYTES, Mapping.PROT_READ | Mapping.PROT_WRITE);
    base = mapping.address();
  }

  @AfterEach
  void unmap() {
    mapping.close();
  }

  @Test
  void sixteenBytesAreExchangedOnlyIfAllOfThemMatch() {
    HostMemory.putLong(base, 11);
    HostMemory.putLong(base + 8, 22);
    assertThat(HostAtomics.compareExchange16(base, 11, 23, 1, 2, witness)).isFalse();
    assertThat(HostAtomics.compareExchange16(base, 12, 22, 1, 2, witness)).isFalse();
    assertThat(witness.get(JAVA_LONG, 0)).isEqualTo(11);
    assertThat(witness.get(JAVA_LONG, 8)).isEqualTo(22);
    assertThat(HostMemory.getLong(base)).isEqualTo(11);
    assertThat(HostAtomics.compareExchange16(base, 11, 22, -1, -2, witness)).isTrue();
    assertThat(witness.get(JAVA_LONG, 8)).isEqualTo(22);
    assertThat(HostMemory.getLong(base)).isEqualTo(-1);
    assertThat(HostMemory.getLong(base + 8)).isEqualTo(-2);
  }

  @Test
  void badOperandsAreRefusedBeforeTheyCouldFault() {
    assertThatThrownBy(() -> HostAtomics.compareExchange16(base + 8, 0, 0, 1, 1, witness))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("16-byte aligned");
    assertThatThrownBy(() -> HostAtomics.compareExchange16(base, 0, 0, 1, 1, witness.asSlice(0, 8)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("witness");
  }

  @Test
  void narrowerOperandsWorkAtEveryAlignment() {
    for (int offset = 0; offset < 16; offset++) {
      long at = base + Mapping.PAGE_BYTES - 8 + offset; // some of these cross the page's end
      HostMemory.putLong(at, 0x1122334455667788L);
      assertThat(HostAtomics.compareExchange8Unaligned(at, 5, 6)).isEqualTo(0x1122334455667788L);
      assertThat(HostAtomics.compareExchange8Unaligned(at, 0x1122334455667788L, -1))
          .isEqualTo(0x1122334455667788L);
      assertThat(HostMemory.getLong(at)).isEqualTo(-1);
      assertThat(HostAtomics.compareExchange4Unaligned(at + 2, -1, 0x01020304)).isEqualTo(-1);
      assertThat(HostAtomics.compareExchange4Unaligned(at + 2, -1, 0)).isEqualTo(0x01020304);
      assertThat(HostMemory.getLong(at)).isEqualTo(0xFFFF01020304FFFFL);
      assertThat(HostAtomics.compareExchange2Unaligned(at + 1, (short) 0x04FF, (short) 0x8765))
          .isEqualTo((short) 0x04FF);
      assertThat(HostAtomics.compareExchange2Unaligned(at + 1, (short) 0, (short) 1))
          .isEqualTo((short) 0x8765);
      assertThat(HostMemory.getLong(at)).isEqualTo(0xFFFF0102038765FFL);
    }
  }

  @Test
  void aPageCrossingCounterLosesNothingUnderContention() throws InterruptedException {
    long at = base + Mapping.PAGE_BYTES - 3;
    run(4, () -> incrementUnaligned(at, 5_000));
    assertThat(HostMemory.getLong(at)).isEqualTo(20_000);
  }

  private static void incrementUnaligned(long at, int times) {
    long seen = 0;
    for (int i = 0; i < times; i++) {
      long found;
      while ((found = HostAtomics.compareExchange8Unaligned(at, seen, seen + 1)) != seen) {
        seen = found;
      }
      seen++;
    }
  }

  @Test
  void bothHalvesOfAWideCounterStayTogetherUnderContention() throws InterruptedException {
    run(4, () -> incrementWide(base, 10_000));
    assertThat(HostMemory.getLong(base)).isEqualTo(40_000);
    assertThat(HostMemory.getLong(base + 8)).isEqualTo(-40_000);
  }

  private static void incrementWide(long at, int times) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment seen = arena.allocate(16, 16);
      for (int i = 0; i < times; i++) {
        boolean stored;
        do {
          long low = seen.get(JAVA_LONG, 0);
          long high = seen.get(JAVA_LONG, 8);
          assertThat(high).isEqualTo(-low);
          stored = HostAtomics.compareExchange16(at, low, high, low + 1, high - 1, seen);
        } while (!stored);
      }
    }
  }

  private static void run(int count, Runnable work) throws InterruptedException {
    List<Thread> threads = new ArrayList<>();
    List<Throwable> failures = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      Thread thread = Thread.ofPlatform().unstarted(work);
      thread.setUncaughtExceptionHandler((t, e) -> {
        synchronized (failures) {
          failures.add(e);
        }
      });
      thread.start();
      threads.add(thread);
    }
    for (Thread thread : threads) {
      thread.join();
    }
    assertThat(failures).isEmpty();
  }
}
