package org.pluribus.vmm.node;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.pluribus.coherence.CoherenceCounter;
import org.pluribus.coherence.DeltaMode;

/** All of that holds for nodes that send only what has changed of a page, too. */
final class NodeMemoryWithDeltasTest extends NodeMemoryTest {
  @Override
  DeltaMode deltas() {
    return DeltaMode.ON;
  }

  @Test
  void writersInTurnMoveBlocksOnly() {
    long gpa = 0x30_0000;
    for (int i = 1; i <= 20; i++) {
      for (int id = 0; id < 2; id++) {
        NodeMemory memory = nodes.get(id).memory;
        long other = gpa + 4096 - 8 * (1 + (1 - id));
        long own = gpa + 4096 - 8 * (1 + id);
        assertThat(memory.readLong(other)).isEqualTo(id == 0 ? i - 1 : i);
        memory.writeLong(own, i);
        memory.writeLong(gpa + 512L * id, i);
      }
    }
    assertThat(nodes.get(2).memory.readLong(gpa + 512)).isEqualTo(20);
    long deltas = sum(CoherenceCounter.DELTAS_OUT);
    assertThat(deltas).isGreaterThan(30);
    assertThat(sum(CoherenceCounter.DELTA_BYTES_OUT)).isLessThanOrEqualTo(deltas * 2 * 64);
    assertThat(sum(CoherenceCounter.DELTAS_IN)).isEqualTo(deltas);
    assertThat(sum(CoherenceCounter.PROTOCOL_ERRORS)).isZero();
  }

  @Test
  void pagesMoveWithoutTheirZeros() {
    long gpa = 0x30_0000;
    nodes.get(0).memory.writeLong(gpa + 1024, 7);
    assertThat(nodes.get(1).memory.readLong(gpa + 1024)).isEqualTo(7);
    assertThat(nodes.get(2).memory.readLong(gpa + 1024)).isEqualTo(7);
    assertThat(sum(CoherenceCounter.SPARSE_OUT)).isEqualTo(2);
    assertThat(sum(CoherenceCounter.SPARSE_BYTES_OUT)).isEqualTo(2 * 64);
    assertThat(sum(CoherenceCounter.SPARSE_IN)).isEqualTo(2);
    assertThat(sum(CoherenceCounter.PAGES_OUT)).isZero();
  }

  /** What a node had of a page does not shine through where the page has become zero. */
  @Test
  void staleBytesAreZeroedWhereAPageIsZero() {
    long gpa = 0x30_0000;
    byte[] full = new byte[4096];
    Arrays.fill(full, (byte) 0x5a);
    nodes.get(0).memory.writeBytes(gpa, full);
    for (LoopbackNode n : nodes) {
      assertThat(n.memory.readBytes(gpa, full.length)).isEqualTo(full);
    }
    assertThat(sum(CoherenceCounter.PAGES_OUT)).isEqualTo(2);
    byte[] sparse = new byte[4096];
    sparse[100] = 1;
    sparse[4095] = 2;
    nodes.get(1).memory.writeBytes(gpa, sparse);
    for (LoopbackNode n : nodes) {
      assertThat(n.memory.readBytes(gpa, sparse.length)).isEqualTo(sparse);
    }
    nodes.get(2).memory.writeBytes(gpa, new byte[4096]);
    for (LoopbackNode n : nodes) {
      assertThat(n.memory.readBytes(gpa, 4096)).containsOnly(0);
    }
    assertThat(sum(CoherenceCounter.SPARSE_IN)).isGreaterThanOrEqualTo(2);
    assertThat(sum(CoherenceCounter.PROTOCOL_ERRORS)).isZero();
  }
}
