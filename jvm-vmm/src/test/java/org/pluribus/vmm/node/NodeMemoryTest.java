package org.pluribus.vmm.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.pluribus.coherence.CoherenceCounter;
import org.pluribus.coherence.CoherenceMessage;
import org.pluribus.hw.HostProfile;
import org.pluribus.posix.Mapping;
import org.pluribus.posix.Memfd;
import org.pluribus.transport.BusRequest;
import org.pluribus.transport.BusStatus;
import org.pluribus.transport.ClockProbeKind;
import org.pluribus.transport.IpiMessage;
import org.pluribus.transport.LifecycleKind;
import org.pluribus.transport.MessageHandler;
import org.pluribus.transport.NodeIdentity;
import org.pluribus.transport.PagePayload;
import org.pluribus.transport.Transport;
import org.pluribus.transport.TransportLimits;
import org.pluribus.transport.VmKey;
import org.pluribus.transport.loopback.LoopbackCluster;
import org.pluribus.transport.loopback.LoopbackTransport;
import org.pluribus.vmm.emulator.CodeCache;
import org.pluribus.vmm.memory.GuestRamLayout;

/** Guest RAM of three real nodes (controllers, wire format, mirrors) joined by loopback. */
@Timeout(value = 120, unit = TimeUnit.SECONDS)
class NodeMemoryTest {
  private static final int NODES = 3;
  private static final long RAM = 48L << 20;

  private final List<Node> nodes = new ArrayList<>();
  private final ExecutorService threads = Executors.newCachedThreadPool();

  /** One node without vCPUs; its thread runs the duty cycle. */
  private static final class Node implements AutoCloseable {
    final Memfd memfd;
    final Mapping ram;
    final Transport transport;
    final PluribusNode node;
    final NodeMemory memory;
    private final CountDownLatch connected = new CountDownLatch(1);
    private volatile boolean closing;
    private Thread thread;

    Node(int id, LoopbackCluster cluster, VmKey key) {
      GuestRamLayout layout = GuestRamLayout.of(RAM, NODES);
      memfd = Memfd.create("test-ram-" + id, RAM);
      ram = Mapping.of(memfd);
      NodeIdentity identity = new NodeIdentity(id, NODES, layout.pageCount(), key, 1);
      transport = LoopbackTransport.create(cluster, identity, TransportLimits.DEFAULT);
      CodeCache code = new CodeCache(layout.ramEnd() >>> 12);
      PageRights rights = new SoftMmuPageRights(layout, code);
      node = new PluribusNode(id, layout, ram.address(), transport, rights, 1_000);
      memory = new NodeMemory(node, ram.segment(), HostProfile.load("single-host"));
      thread = new Thread(this::live, "node-" + id);
      thread.start();
    }

    private void live() {
      transport.connect(new PagesOnly(node), Duration.ofSeconds(30));
      connected.countDown(); // from here on the duty token says who may poll
      IdleBackoff idle = new IdleBackoff(100, 10_000, 100_000);
      while (!closing) {
        if (node.tryDuty() > 0) {
          idle.reset();
        } else {
          idle.idle();
        }
      }
    }

    @Override
    public void close() throws InterruptedException {
      closing = true;
      node.stop();
      thread.join();
      transport.close();
      ram.close();
      memfd.close();
    }
  }

  /** Hands coherence messages to the node; there are no others. */
  private record PagesOnly(PluribusNode node) implements MessageHandler {
    @Override
    public void onCoherence(int from, CoherenceMessage message, PagePayload payload) {
      node.onCoherence(message, payload);
    }

    @Override
    public void onIpi(int from, IpiMessage ipi) {}

    @Override
    public void onEoi(int from, int vector) {}

    @Override
    public void onBusRequest(int from, BusRequest request) {}

    @Override
    public void onBusReply(int from, long id, long value, BusStatus status) {}

    @Override
    public void onLifecycle(int from, LifecycleKind kind, int code, String text) {}

    @Override
    public void onClockProbe(int from, ClockProbeKind kind, long t0, long t1, long t2) {}

    @Override
    public void onReport(int from, byte[] json) {}

    @Override
    public void onPeerLost(int peer, String reason) {}

    @Override
    public void onMalformed(int peer, String reason) {
      node.fail("malformed: " + reason);
    }
  }

  @BeforeEach
  void start() throws InterruptedException {
    LoopbackCluster cluster = new LoopbackCluster(NODES);
    VmKey key = VmKey.random();
    for (int i = 0; i < NODES; i++) {
      nodes.add(new Node(i, cluster, key));
    }
    for (Node n : nodes) {
      n.connected.await();
    }
  }

  @AfterEach
  void stop() throws Exception {
    threads.shutdownNow();
    for (Node n : nodes) {
      n.close();
    }
  }

  @Test
  void whatOneNodeWritesAllOthersRead() {
    byte[] bytes = new byte[3 * 4096 + 100];
    new Random(1).nextBytes(bytes);
    nodes.get(0).memory.writeBytes(0x20_0F00, bytes);
    for (Node n : nodes) {
      assertThat(n.memory.readBytes(0x20_0F00, bytes.length)).isEqualTo(bytes);
    }
    nodes.get(2).memory.writeByte(0x20_1000, (byte) 42);
    assertThat(nodes.get(1).memory.readByte(0x20_1000)).isEqualTo((byte) 42);
    assertThat(nodes.get(0).memory.readByte(0x20_0FFF)).isEqualTo(bytes[0xFF]);
  }

  @Test
  void untouchedMemoryIsZeroEverywhereAndMovesNoBytes() {
    for (Node n : nodes) {
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
    for (Node n : nodes) {
      assertThat(n.node.failureReason()).isNull();
      assertThat(n.node.counters().get(CoherenceCounter.PROTOCOL_ERRORS)).isZero();
    }
    assertThat(nodes.get(0).node.counters().get(CoherenceCounter.PAGES_IN)).isPositive();
  }
}
