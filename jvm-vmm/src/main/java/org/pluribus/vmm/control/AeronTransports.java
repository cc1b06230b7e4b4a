package org.pluribus.vmm.control;

import java.util.List;
import java.util.stream.IntStream;
import org.pluribus.hw.HostProfile;
import org.pluribus.transport.NodeIdentity;
import org.pluribus.transport.TransportLimits;
import org.pluribus.transport.udp.AeronSettings;
import org.pluribus.transport.udp.AeronTransport;
import org.pluribus.transport.udp.Endpoint;
import org.pluribus.transport.wire.FramedTransport;

/** Aeron UDP between the nodes of a cluster file. */
final class AeronTransports {
  private AeronTransports() {}

  static FramedTransport create(ClusterConfig config, NodeIdentity identity) {
    List<Endpoint> endpoints =
        IntStream.range(0, config.nodes().size())
            .mapToObj(config::node)
            .map(n -> new Endpoint(n.host(), n.port()))
            .toList();
    HostProfile profile = HostProfile.load(config.profileName());
    return AeronTransport.create(
        identity, TransportLimits.DEFAULT, AeronSettings.of(endpoints).withMtu(profile.mtuBytes()));
  }
}
