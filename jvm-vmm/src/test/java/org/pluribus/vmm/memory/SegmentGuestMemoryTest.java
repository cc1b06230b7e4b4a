package org.pluribus.vmm.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.Arena;
import org.junit.jupiter.api.Test;

class SegmentGuestMemoryTest {

  @Test
  void valuesAreLittleEndianAndMayCrossPages() {
    try (Arena arena = Arena.ofConfined()) {
      GuestRamLayout layout = GuestRamLayout.of(4 << 20, 1);
      GuestMemory memory = new SegmentGuestMemory(arena.allocate(layout.ramSize()), layout);
      memory.writeLong(4092, 0x1122_3344_5566_7788L);
      assertThat(memory.readBytes(4092, 3)).containsExactly(0x88, 0x77, 0x66);
      assertThat(memory.readInt(4096)).isEqualTo(0x1122_3344);
      assertThat(memory.readShort(4094)).isEqualTo((short) 0x5566);
      memory.fill(100, 10_000, (byte) 7);
      assertThat(memory.readByte(99)).isZero();
      assertThat(memory.readByte(10_099)).isEqualTo((byte) 7);
      assertThat(memory.readByte(10_100)).isZero();
      memory.zero(100, 10_000);
      assertThat(memory.readBytes(0, 12_000)).containsOnly(0);
      memory.writeShort(0, (short) 0x0201);
      memory.writeByte(2, (byte) 3);
      assertThat(memory.readInt(0)).isEqualTo(0x0003_0201);
    }
  }

  @Test
  void accessesOutsideRamAreRefused() {
    try (Arena arena = Arena.ofConfined()) {
      GuestRamLayout layout = GuestRamLayout.of(4 << 20, 1);
      GuestMemory memory = new SegmentGuestMemory(arena.allocate(layout.ramSize()), layout);
      assertThatThrownBy(() -> memory.writeInt((4 << 20) - 2, 1))
          .isInstanceOf(IndexOutOfBoundsException.class);
      assertThatThrownBy(() -> memory.readLong(0xFEE0_0000L))
          .isInstanceOf(IndexOutOfBoundsException.class)
          .hasMessageContaining("0xfee00000");
    }
  }
}
