package org.pluribus.vmm.control;

import java.time.Duration;
import java.util.List;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.pluribus.transport.NodeIdentity;
import org.pluribus.transport.TransportException;
import org.pluribus.transport.verbs.ActiveDevice;
import org.pluribus.transport.verbs.VerbsLibrary;
import org.pluribus.transport.verbs.VerbsUnavailableException;
import org.pluribus.transport.wire.FramedTransport;

/**
 * What {@code transport: auto} of a cluster file came to.
 *
 * @param config the same machine with the transport that all its nodes have chosen
 * @param transport has met its peers
 * @param notice a line for the user
 */
record AutoTransport(ClusterConfig config, FramedTransport transport, String notice) {
  /** How long it may take to connect by RDMA, without the registration of guest RAM. */
  private static final Duration CONNECT_LIMIT = Duration.ofSeconds(20);

  /** And how long to register a GiB of it; zeroing its pages takes about a third of a second. */
  private static final Duration LIMIT_PER_GIB = Duration.ofSeconds(1);

  private static final int GIB_SHIFT = 30;

  /**
   * Chooses a transport together with the peers.
   *
   * @param ram empty; still so if Aeron is chosen
   * @param timeout how long to wait for the peers
   * @throws TransportException if a peer is missing or lost, or this node can't follow the others
   */
  static AutoTransport settle(
      ClusterConfig config, NodeIdentity identity, NodeRam ram, Duration timeout) {
    List<String> names =
        IntStream.range(0, config.nodes().size())
            .mapToObj(id -> "node " + id + " (" + config.node(id).host() + ")")
            .toList();
    TransportChoice.Choice choice =
        new TransportChoice(
                identity.nodeId(),
                names,
                AeronTransports.create(config, identity),
                new Verbs(config, identity, ram),
                limit(config, timeout))
            .choose(timeout);
    String name = choice.isRdma() ? ClusterConfig.RDMA : ClusterConfig.AERON;
    return new AutoTransport(
        config.withTransport(name),
        choice.transport(),
        "pluribus: transport: " + name + ": " + choice.reason());
  }

  private static Duration limit(ClusterConfig config, Duration timeout) {
    Duration limit =
        CONNECT_LIMIT.plus(LIMIT_PER_GIB.multipliedBy(config.layout().ramSize() >> GIB_SHIFT));
    return limit.compareTo(timeout) < 0 ? limit : timeout;
  }

  /** RDMA by this host's device that has the node's address. */
  private static final class Verbs implements TransportChoice.Rdma {
    private final ClusterConfig config;
    private final NodeIdentity identity;
    private final NodeRam ram;
    private @Nullable String obstacle;
    private String device = "none";

    Verbs(ClusterConfig config, NodeIdentity identity, NodeRam ram) {
      this.config = config;
      this.identity = identity;
      this.ram = ram;
      try {
        ActiveDevice found = ActiveDevice.at(config.node(identity.nodeId()).host());
        device = found.name() + " at " + found.address();
        obstacle = MirrorSize.obstacleToPinning(config, identity.nodeId());
      } catch (VerbsUnavailableException e) {
        obstacle = "has " + e.found();
      }
      if (obstacle == null) {
        obstacle = obstacleToLoading();
      }
    }

    private static @Nullable String obstacleToLoading() {
      try {
        VerbsLibrary.load();
        return null;
      } catch (VerbsUnavailableException e) {
        return "can't use RDMA: " + e.found();
      }
    }

    @Override
    public @Nullable String obstacle() {
      return obstacle;
    }

    @Override
    public String device() {
      return device;
    }

    @Override
    public FramedTransport create() {
      FramedTransport transport = RdmaTransports.create(config, identity);
      transport.shareMemory(ram.mapping().address(), ram.mapping().length());
      return transport;
    }

    /** Registered memory was all there, if only as zeros. */
    @Override
    public void forget() {
      ram.clear();
    }
  }
}
