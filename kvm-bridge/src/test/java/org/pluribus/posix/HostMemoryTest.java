package org.pluribus.posix;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class HostMemoryTest {
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
  void valuesAreLittleEndianAtAnyAlignment() {
    for (int offset = 0; offset < 16; offset++) {
      long at = base + Mapping.PAGE_BYTES - 8 + offset; // some of these cross the page's end
      HostMemory.putLong(at, 0x8877665544332211L);
      assertThat(HostMemory.getByte(at)).isEqualTo((byte) 0x11);
      assertThat(HostMemory.getByte(at + 7)).isEqualTo((byte) 0x88);
      assertThat(HostMemory.getShort(at + 1)).isEqualTo((short) 0x3322);
      assertThat(HostMemory.getInt(at + 3)).isEqualTo(0x77665544);
      assertThat(HostMemory.getLong(at)).isEqualTo(0x8877665544332211L);
      HostMemory.putInt(at, 0x0A0B0C0D);
      HostMemory.putShort(at + 4, (short) 0x0E0F);
      HostMemory.putByte(at + 6, (byte) 0x55);
      assertThat(HostMemory.getLong(at)).isEqualTo(0x88550E0F0A0B0C0DL);
    }
  }

  @Test
  void acquireAndReleaseMoveTheSameBytes() {
    long at = base + 13;
    HostMemory.putLongRelease(at, 0x8877665544332211L);
    assertThat(HostMemory.getLongAcquire(at)).isEqualTo(0x8877665544332211L);
    HostMemory.putIntRelease(at, 0xCAFEBABE);
    assertThat(HostMemory.getIntAcquire(at)).isEqualTo(0xCAFEBABE);
    HostMemory.putShortRelease(at, (short) 0x1234);
    assertThat(HostMemory.getShortAcquire(at)).isEqualTo((short) 0x1234);
    HostMemory.putByteRelease(at, (byte) 0x99);
    assertThat(HostMemory.getByteAcquire(at)).isEqualTo((byte) 0x99);
    assertThat(HostMemory.getLong(at)).isEqualTo(0x88776655CAFE1299L);
  }

  @Test
  void compareExchangeReturnsWhatWasThereAndStoresOnlyOnAMatch() {
    HostMemory.putLong(base, 0x0102030405060708L);
    assertThat(HostMemory.compareExchangeLong(base, 1, 2)).isEqualTo(0x0102030405060708L);
    assertThat(HostMemory.compareExchangeLong(base, 0x0102030405060708L, -1L))
        .isEqualTo(0x0102030405060708L);
    assertThat(HostMemory.getLong(base)).isEqualTo(-1L);
    assertThat(HostMemory.compareExchangeInt(base + 4, -1, 5)).isEqualTo(-1);
    assertThat(HostMemory.getLong(base)).isEqualTo(0x00000005FFFFFFFFL);
  }

  @Test
  void narrowCompareExchangeLeavesTheNeighboursAlone() {
    for (int offset = 0; offset < 4; offset++) {
      HostMemory.putInt(base, 0x84838281);
      byte there = HostMemory.getByte(base + offset);
      byte wrong = (byte) (there + 1);
      assertThat(HostMemory.compareExchangeByte(base + offset, wrong, (byte) 0)).isEqualTo(there);
      assertThat(HostMemory.getInt(base)).isEqualTo(0x84838281);
      assertThat(HostMemory.compareExchangeByte(base + offset, there, (byte) 0)).isEqualTo(there);
      assertThat(HostMemory.getInt(base)).isEqualTo(0x84838281 & ~(0xFF << (8 * offset)));
    }
    HostMemory.putInt(base, 0x84838281);
    assertThat(HostMemory.compareExchangeShort(base + 2, (short) 0x8483, (short) 0x1122))
        .isEqualTo((short) 0x8483);
    assertThat(HostMemory.getInt(base)).isEqualTo(0x11228281);
  }

  @Test
  void misalignedCompareExchangeIsRefused() {
    assertThatThrownBy(() -> HostMemory.compareExchangeLong(base + 4, 0, 1))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> HostMemory.compareExchangeInt(base + 2, 0, 1))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> HostMemory.compareExchangeShort(base + 1, (short) 0, (short) 1))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("misaligned");
  }

  @Test
  void neighbouringBytesCountIndependentlyUnderContention() throws InterruptedException {
    int increments = 20_000;
    List<Thread> threads = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      long at = base + i % 2; // two threads a byte, both bytes in one int
      threads.add(Thread.ofPlatform().start(() -> increment(at, increments)));
    }
    for (Thread thread : threads) {
      thread.join();
    }
    byte expected = (byte) (2 * increments);
    assertThat(HostMemory.getByte(base)).isEqualTo(expected);
    assertThat(HostMemory.getByte(base + 1)).isEqualTo(expected);
    assertThat(HostMemory.getShort(base + 2)).isZero();
  }

  private static void increment(long at, int times) {
    for (int i = 0; i < times; i++) {
      byte seen = HostMemory.getByteAcquire(at);
      byte witness;
      while ((witness = HostMemory.compareExchangeByte(at, seen, (byte) (seen + 1))) != seen) {
        seen = witness;
      }
    }
  }
}
