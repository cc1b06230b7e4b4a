package org.pluribus.vmm.node;

import static org.assertj.core.api.Assertions.assertThat;

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

  private long sum(CoherenceCounter counter) {
    return nodes.stream().mapToLong(n -> n.node.counters().get(counter)).sum();
  }
}
