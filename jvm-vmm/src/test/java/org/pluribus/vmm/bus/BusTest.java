package org.pluribus.vmm.bus;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Random;
import org.junit.jupiter.api.Test;

class BusTest {

  /** Remembers the last access; reads give the offset with every higher byte set. */
  private static final class Probe implements BusDevice {
    long offset = -1;
    int size;
    long value;

    @Override
    public long read(long offset, int size) {
      this.offset = offset;
      this.size = size;
      return offset | 0xAAAA_AAAA_AAAA_0000L;
    }

    @Override
    public void write(long offset, int size, long value) {
      this.offset = offset;
      this.size = size;
      this.value = value;
    }
  }

  @Test
  void deviceSeesOffsetsAndValuesCutToTheAccessSize() {
    Bus bus = Bus.ports();
    Probe uart = new Probe();
    bus.attach(0x3F8, 8, uart);
    bus.write(0x3FB, 1, 0x1234);
    assertThat(uart.offset).isEqualTo(3);
    assertThat(uart.size).isEqualTo(1);
    assertThat(uart.value).isEqualTo(0x34);
    assertThat(bus.read(0x3FF, 1)).isEqualTo(7);
    assertThat(bus.read(0x3F9, 8)).isEqualTo(0xAAAA_AAAA_AAAA_0001L);
  }

  @Test
  void unmappedAccessesFloatAndAreCounted() {
    Bus bus = Bus.ports();
    bus.attach(0x10, 2, new Probe());
    assertThat(bus.read(0xF, 1)).isEqualTo(0xFF);
    assertThat(bus.read(0x12, 2)).isEqualTo(0xFFFF);
    assertThat(bus.read(0xCFC, 4)).isEqualTo(0xFFFF_FFFFL);
    assertThat(Bus.mmio().read(0xFEE0_0000L, 8)).isEqualTo(-1L);
    bus.write(0x80, 1, 0);
    assertThat(bus.unmappedReads()).isEqualTo(3);
    assertThat(bus.unmappedWrites()).isEqualTo(1);
  }

  @Test
  void overlapsAndRangesOutsideTheSpaceAreRefused() {
    Bus bus = Bus.ports();
    bus.attach(0x100, 0x10, new Probe());
    for (long[] range :
        new long[][] {{0x100, 1}, {0x10F, 1}, {0xFF, 2}, {0xF0, 0x100}, {0x104, 2}}) {
      assertThatThrownBy(() -> bus.attach(range[0], range[1], new Probe()))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("overlaps");
    }
    assertThatThrownBy(() -> bus.attach(0xFFFF, 2, new Probe()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("outside");
    bus.attach(0xFF, 1, new Probe());
    bus.attach(0x110, 1, new Probe());
  }

  @Test
  void manyRangesInAnyOrderAreAllFound() {
    long seed = new Random().nextLong();
    Random random = new Random(seed);
    Bus bus = Bus.mmio();
    Probe[] devices = new Probe[200];
    java.util.List<Integer> order = new java.util.ArrayList<>();
    for (int i = 0; i < devices.length; i++) {
      devices[i] = new Probe();
      order.add(i);
    }
    java.util.Collections.shuffle(order, random);
    // Device i owns [i * 16, i * 16 + 1 + i % 16): some touch their neighbour, most leave a gap.
    for (int i : order) {
      bus.attach(i * 16L, 1 + i % 16, devices[i]);
    }
    for (int n = 0; n < 2000; n++) {
      int address = random.nextInt(devices.length * 16);
      int i = address / 16;
      boolean mapped = address % 16 < 1 + i % 16;
      assertThat(bus.isMapped(address)).as("seed %d address %d", seed, address).isEqualTo(mapped);
      if (mapped) {
        bus.write(address, 4, 1);
        assertThat(devices[i].offset).as("seed %d", seed).isEqualTo(address % 16);
      }
    }
  }
}
