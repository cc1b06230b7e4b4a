package org.pluribus.transport.udp;

import org.pluribus.transport.NodeIdentity;
import org.pluribus.transport.Transport;
import org.pluribus.transport.TransportLimits;
import org.pluribus.transport.wire.FramedTransport;

/** Makes transports that reach their peers by Aeron over UDP. */
public final class AeronTransport {
  private AeronTransport() {}

  /**
   * One node's transport. Nothing is opened before {@link Transport#connect}.
   *
   * @throws IllegalArgumentException if there is not exactly one endpoint per node
   */
  public static FramedTransport create(
      NodeIdentity identity, TransportLimits limits, AeronSettings settings) {
    if (settings.endpoints().size() != identity.nodeCount()) {
      throw new IllegalArgumentException(
          settings.endpoints().size()
              + " endpoints for "
              + identity.nodeCount()
              + " nodes: give one per node");
    }
    return new FramedTransport(identity, limits, new AeronNetwork(identity.nodeId(), settings));
  }
}
