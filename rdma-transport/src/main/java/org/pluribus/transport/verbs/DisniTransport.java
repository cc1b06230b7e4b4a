package org.pluribus.transport.verbs;

import java.util.List;
import org.pluribus.transport.NodeIdentity;
import org.pluribus.transport.Transport;
import org.pluribus.transport.TransportLimits;
import org.pluribus.transport.udp.Endpoint;
import org.pluribus.transport.wire.FramedTransport;

/** Makes transports that reach their peers by RDMA verbs. */
public final class DisniTransport {
  private DisniTransport() {}

  /**
   * One node's transport. Nothing is opened before {@link Transport#connect}; give it the guest's
   * RAM by {@link Transport#shareMemory} before, else pages are copied.
   *
   * @param endpoints per node an IPv4 address of an RDMA device and a port of librdmacm
   * @throws IllegalArgumentException if there is not exactly one endpoint per node
   */
  public static FramedTransport create(
      NodeIdentity identity, TransportLimits limits, List<Endpoint> endpoints) {
    if (endpoints.size() != identity.nodeCount()) {
      throw new IllegalArgumentException(
          endpoints.size()
              + " endpoints for "
              + identity.nodeCount()
              + " nodes: give one per node");
    }
    return new FramedTransport(identity, limits, new VerbsNetwork(identity, limits, endpoints));
  }
}
