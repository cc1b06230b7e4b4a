package org.pluribus.transport.verbs;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Objects;
import org.agrona.ExpandableArrayBuffer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class SlabsTest {
  private static final long BASE = 0x7f00_0000_0000L;
  private static final long PAGES_PER_SLAB = Slabs.SLAB_BYTES >> 12;

  @Test
  void findsAddressAndKeyOfAPage() {
    Slabs ram = new Slabs(BASE, 2 * Slabs.SLAB_BYTES + 8192, new int[] {11, -22, 33});
    assertThat(ram.address(0)).isEqualTo(BASE);
    assertThat(ram.address(PAGES_PER_SLAB)).isEqualTo(BASE + Slabs.SLAB_BYTES);
    assertThat(ram.key(0)).isEqualTo(11);
    assertThat(ram.key(PAGES_PER_SLAB - 1)).isEqualTo(11);
    assertThat(ram.key(PAGES_PER_SLAB)).isEqualTo(-22);
    assertThat(ram.key(2 * PAGES_PER_SLAB + 1)).isEqualTo(33);
    assertThat(ram.holds(2 * PAGES_PER_SLAB + 1)).isTrue();
    assertThat(ram.holds(2 * PAGES_PER_SLAB + 2)).isFalse();
    assertThat(ram.holds(-1)).isFalse();
  }

  @Test
  void cutsMemoryIntoSlabs() {
    assertThat(Slabs.count(0)).isZero();
    assertThat(Slabs.count(4096)).isEqualTo(1);
    assertThat(Slabs.count(Slabs.SLAB_BYTES)).isEqualTo(1);
    assertThat(Slabs.count(Slabs.SLAB_BYTES + 4096)).isEqualTo(2);
    assertThat(Slabs.length(Slabs.SLAB_BYTES + 4096, 0)).isEqualTo(1 << 30);
    assertThat(Slabs.length(Slabs.SLAB_BYTES + 4096, 1)).isEqualTo(4096);
  }

  @Test
  void travels() {
    Slabs ram = new Slabs(BASE, Slabs.SLAB_BYTES + 4096, new int[] {0x12345678, -1});
    ExpandableArrayBuffer buffer = new ExpandableArrayBuffer();
    int length = ram.encode(buffer, 16);
    Slabs came = Objects.requireNonNull(Slabs.decode(buffer, 16, length));
    assertThat(came.base()).isEqualTo(ram.base());
    assertThat(came.bytes()).isEqualTo(ram.bytes());
    assertThat(came.keys()).containsExactly(ram.keys());
    assertThat(Slabs.decode(buffer, 16, length - 1)).isNull();
    assertThat(Slabs.decode(buffer, 16, length + 4)).isNull();
    assertThat(Slabs.decode(buffer, 16, 0)).isNull();
  }

  @Test
  void refusesWhatMakesNoSense() {
    assertThat(redecoded(new Slabs(BASE + 1, 4096, new int[1]))).isNull();
    assertThat(redecoded(new Slabs(BASE, 4097, new int[1]))).isNull();
    assertThat(redecoded(new Slabs(BASE, -4096, new int[0]))).isNull();
    assertThat(redecoded(new Slabs(BASE, 4096, new int[2]))).isNull();
    assertThat(redecoded(new Slabs(BASE, Long.MAX_VALUE & -4096, new int[1]))).isNull();
    assertThat(redecoded(Slabs.NONE)).isNotNull();
  }

  private static @Nullable Slabs redecoded(Slabs slabs) {
    ExpandableArrayBuffer buffer = new ExpandableArrayBuffer();
    return Slabs.decode(buffer, 0, slabs.encode(buffer, 0));
  }
}
