package org.pluribus.vmm.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.pluribus.coherence.CoherenceCounter;
import org.pluribus.coherence.DeltaMode;
import org.pluribus.transport.VmKey;
import org.pluribus.transport.loopback.LoopbackCluster;
import org.pluribus.vmm.emulator.CodeCache;
import org.pluribus.vmm.memory.GuestRamLayout;

/** Guest RAM of three real nodes (controllers, wire format, mirrors) joined by loopback. */
@Timeout(value = 120, unit = TimeUnit.SECONDS)
sealed class NodeMemoryTest permits NodeMemoryWithDeltasTest {
  private static final int NODES = 3;
  private static final long RAM = 48L << 20;

  final List<LoopbackNode> nodes = new ArrayList<>();
  private final ExecutorService threads = Executors.newCachedThreadPool();

  /** Whether the nodes send only what has changed of a page. */
  DeltaMode deltas() {
    return DeltaMode.OFF;
  }

  @BeforeEach
  void start() throws InterruptedException {
    LoopbackCluster cluster = new LoopbackCluster(NODES);
    VmKey key = VmKey.random();
    GuestRamLayout layout = GuestRamLayout.of(RAM, NODES);
    for (int i = 0; i < NODES; i++) {
      PageRights rights =
          new SoftMmuPageRights(layout, new CodeCache(layout.ramEnd() >>> 12), 0, System::nanoTime);
      nodes.add(
          new LoopbackNode(
              i, layout, cluster, key, (image, alias) -> rights, 1_000, RAM, deltas()));
    }
    for (LoopbackNode n : nodes) {
      n.awaitConnected();
    }
  }

  @AfterEach
  void stop() throws Exception {
    threads.shutdownNow();
    for (LoopbackNode n : nodes) {
      n.close();
    }
  }

  @Test
  void whatOneNodeWritesAllOthersRead() {
    byte[] bytes = new byte[3 * 4096 + 100];
    new Random(1).nextBytes(bytes);
    nodes.get(0).memory.writeBytes(0x20_0F00, bytes);
    for (LoopbackNode n : nodes) {
      assertThat(n.memory.readBytes(0x20_0F00, bytes.length)).isEqualTo(bytes);
    }
    nodes.get(2).memory.writeByte(0x20_1000, (byte) 42);
    assertThat(nodes.get(1).memory.readByte(0x20_1000)).isEqualTo((byte) 42);
    assertThat(nodes.get(0).memory.readByte(0x20_0FFF)).isEqualTo(bytes[0xFF]);
  }

  @Test
  void untouchedMemoryIsZeroEverywhereAndMovesNoBytes() {
    for (LoopbackNode n : nodes) {
      assertThat(n.memory.readLong(0x150_0000)).isZero();
      assertThat(n.node.counters().get(CoherenceCounter.PAGES_IN)).isZero();
    }
  }

  @Test
  void refusesWhatIsNotRam() {
    assertThatThrownBy(() -> nodes.get(0).memory.readLong(RAM - 4))
        .isInstanceOf(IndexOutOfBoundsException.class);
  }

  /**
   * Each node appends its own records to every slot of a few pages, all at once. A slot is written
   * by one node only, so false sharing is total and each value read back must be the last written.
   */
  @Test
  void noWriteIsLostUnderFalseSharing() throws Exception {
    long seed = Long.getLong("pluribus.seed", System.nanoTime());
    System.out.println("seed " + seed);
    List<Future<?>> done = new ArrayList<>();
    int pages = 4;
    int rounds = 300;
    for (int id = 0; id < NODES; id++) {
      int me = id;
      done.add(
          threads.submit(() -> {
            Random random = new Random(seed + me);
            NodeMemory memory = nodes.get(me).memory;
            long[] last = new long[pages];
            for (int i = 1; i <= rounds; i++) {
              int page = random.nextInt(pages);
              long gpa = 0x10_0000L + page * 4096L + me * 8L;
              assertThat(memory.readLong(gpa)).as("seed %d", seed).isEqualTo(last[page]);
              last[page] = (long) me << 32 | i;
              memory.writeLong(gpa, last[page]);
            }
            return null;
          }));
    }
    for (Future<?> f : done) {
      f.get();
    }
    for (LoopbackNode n : nodes) {
      assertThat(n.node.failureReason()).isNull();
      assertThat(n.node.counters().get(CoherenceCounter.PROTOCOL_ERRORS)).isZero();
    }
    long came =
        sum(CoherenceCounter.PAGES_IN)
            + sum(CoherenceCounter.DELTAS_IN)
            + sum(CoherenceCounter.SPARSE_IN);
    assertThat(came).as("a node may get through before the others begin").isPositive();
  }

  final long sum(CoherenceCounter counter) {
    return nodes.stream().mapToLong(n -> n.node.counters().get(counter)).sum();
  }
}
