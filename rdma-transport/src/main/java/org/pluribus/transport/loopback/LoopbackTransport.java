package org.pluribus.transport.loopback;

import org.pluribus.transport.NodeIdentity;
import org.pluribus.transport.TransportLimits;
import org.pluribus.transport.wire.FramedTransport;

/** Makes transports for nodes of one process. */
public final class LoopbackTransport {
  private LoopbackTransport() {}

  /**
   * One node's transport.
   *
   * @param cluster what all nodes of the VM share
   * @throws IllegalArgumentException if the cluster is too small
   */
  public static FramedTransport create(
      LoopbackCluster cluster, NodeIdentity identity, TransportLimits limits) {
    if (cluster.nodes() < identity.nodeCount()) {
      throw new IllegalArgumentException(
          "a loopback cluster of "
              + cluster.nodes()
              + " nodes has no room for "
              + identity.nodeCount());
    }
    return new FramedTransport(identity, limits, new LoopbackNetwork(cluster, identity.nodeId()));
  }
}
