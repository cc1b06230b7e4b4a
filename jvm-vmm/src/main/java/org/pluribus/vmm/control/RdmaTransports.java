package org.pluribus.vmm.control;

import java.util.List;
import java.util.stream.IntStream;
import org.pluribus.transport.NodeIdentity;
import org.pluribus.transport.TransportLimits;
import org.pluribus.transport.udp.Endpoint;
import org.pluribus.transport.verbs.DisniTransport;
import org.pluribus.transport.wire.FramedTransport;

/** RDMA verbs between the nodes of a cluster file. */
final class RdmaTransports {
  private RdmaTransports() {}

  static FramedTransport create(ClusterConfig config, NodeIdentity identity) {
    List<Endpoint> endpoints =
        IntStream.range(0, config.nodes().size())
            .mapToObj(config::node)
            .map(n -> new Endpoint(n.host(), n.port()))
            .toList();
    return DisniTransport.create(identity, TransportLimits.DEFAULT, endpoints);
  }
}
