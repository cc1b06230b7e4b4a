package org.pluribus.vmm.node;

import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import org.pluribus.coherence.CoherenceMessage;
import org.pluribus.coherence.DeltaMode;
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
import org.pluribus.vmm.memory.GuestRamLayout;

/**
 * A node with real controllers, wire format and mirror of RAM, joined to its peers in this process;
 * its thread runs the duty cycle. It has no devices, and no vCPUs unless a test adds some.
 */
final class LoopbackNode implements AutoCloseable {
  private final Memfd memfd;
  private final Mapping ram;
  private final Transport transport;
  private final NativeTwins twins;
  final MirrorBudget budget;
  final PluribusNode node;
  final NodeMemory memory;
  private final CountDownLatch connected = new CountDownLatch(1);
  private volatile boolean closing;
  private final Thread thread;

  /** Makes what enforces the rights to pages of a RAM image. */
  interface RightsOverRam {
    /**
     * @param alias the image as Java sees it
     */
    PageRights make(Memfd image, Mapping alias);
  }

  /** Starts a node; the cluster is there once all of them are {@link #awaitConnected}. */
  LoopbackNode(
      int id,
      GuestRamLayout layout,
      LoopbackCluster cluster,
      VmKey key,
      PageRights rights,
      long holdNanos) {
    this(id, layout, cluster, key, (image, alias) -> rights, holdNanos);
  }

  /** The same for rights that need the RAM image. */
  LoopbackNode(
      int id,
      GuestRamLayout layout,
      LoopbackCluster cluster,
      VmKey key,
      RightsOverRam rights,
      long holdNanos) {
    this(id, layout, cluster, key, rights, holdNanos, layout.ramSize());
  }

  /** The same with a mirror that may take so many bytes. */
  LoopbackNode(
      int id,
      GuestRamLayout layout,
      LoopbackCluster cluster,
      VmKey key,
      RightsOverRam rights,
      long holdNanos,
      long budgetBytes) {
    this(id, layout, cluster, key, rights, holdNanos, budgetBytes, DeltaMode.OFF);
  }

  /** The same, which may send only what has changed of a page. */
  LoopbackNode(
      int id,
      GuestRamLayout layout,
      LoopbackCluster cluster,
      VmKey key,
      RightsOverRam rights,
      long holdNanos,
      long budgetBytes,
      DeltaMode deltas) {
    memfd = Memfd.create("test-ram-" + id, layout.ramSize());
    ram = Mapping.of(memfd);
    NodeIdentity identity = new NodeIdentity(id, layout.nodeCount(), layout.pageCount(), key, 1);
    transport = LoopbackTransport.create(cluster, identity, TransportLimits.DEFAULT);
    twins = NativeTwins.of(ram.segment(), deltas);
    budget = new MirrorBudget(memfd, layout, id, budgetBytes);
    node =
        new PluribusNode(
            id,
            layout,
            ram.address(),
            transport,
            rights.make(memfd, ram),
            new PluribusNode.Policy(holdNanos, deltas, twins, budget));
    memory = new NodeMemory(node, ram.segment(), HostProfile.load("single-host"));
    thread = new Thread(this::live, "node-" + id);
    thread.start();
  }

  void awaitConnected() throws InterruptedException {
    connected.await();
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
    twins.close();
    ram.close();
    memfd.close();
  }

  /** Hands coherence messages to the node; there are no others. */
  private record PagesOnly(PluribusNode node) implements MessageHandler {
    @Override
    public void onCoherence(int from, CoherenceMessage message, PagePayload payload) {
      node.onCoherence(message, payload);
    }

    @Override
    public void onHurry(int from, long page, long waitingSince) {
      node.onHurry(page, waitingSince);
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
}
