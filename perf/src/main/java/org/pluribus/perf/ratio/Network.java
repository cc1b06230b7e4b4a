package org.pluribus.perf.ratio;

import java.io.IOException;
import java.net.BindException;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.pluribus.hw.HostProfile;
import org.pluribus.transport.NodeIdentity;
import org.pluribus.transport.Transport;
import org.pluribus.transport.TransportLimits;
import org.pluribus.transport.VmKey;
import org.pluribus.transport.loopback.LoopbackCluster;
import org.pluribus.transport.loopback.LoopbackTransport;
import org.pluribus.transport.udp.AeronSettings;
import org.pluribus.transport.udp.AeronTransport;
import org.pluribus.transport.udp.Endpoint;
import org.pluribus.transport.verbs.DisniTransport;

/**
 * How contestants of several processes reach each other, set as {@code pluribus run} sets it.
 *
 * @param rdma by verbs, else by Aeron over UDP
 * @param key the VM's secret, in hexadecimal
 * @param endpoints by node
 */
record Network(boolean rdma, String key, List<Endpoint> endpoints) {
  static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(60);

  private static final String HOST = "127.0.0.1";

  /** Below the range that the kernel takes ports from by itself. */
  private static final int FIRST_PORT = 20_000;

  private static final int END_PORT = 32_000;

  /** Contestants are stopped by signals while others have their turn. */
  private static final Duration PEER_TIMEOUT = Duration.ofMinutes(5);

  /** A network for one node, which reaches nobody. */
  static Network none() {
    return new Network(false, VmKey.random().toHex(), List.of(new Endpoint(HOST, FIRST_PORT)));
  }

  /** Two nodes on this host, by UDP at ports nobody uses now. */
  static Network ofTwo() throws IOException {
    List<Endpoint> free = new ArrayList<>();
    for (int port = FIRST_PORT; port < END_PORT && free.size() < 2; port++) {
      try (DatagramSocket probe = new DatagramSocket(port, InetAddress.getByName(HOST))) {
        free.add(new Endpoint(HOST, port));
      } catch (BindException taken) {
        // The next one, then.
      }
    }
    return new Network(false, VmKey.random().toHex(), List.copyOf(free));
  }

  /** As {@link #arguments} tells it. */
  static Network of(List<String> arguments) {
    List<Endpoint> endpoints =
        arguments.subList(2, arguments.size()).stream().map(Endpoint::parse).toList();
    return new Network(Boolean.parseBoolean(arguments.get(0)), arguments.get(1), endpoints);
  }

  /** For a process's command line. */
  List<String> arguments() {
    List<String> all = new ArrayList<>(List.of(String.valueOf(rdma), key));
    endpoints.forEach(e -> all.add(e.toString()));
    return all;
  }

  int nodes() {
    return endpoints.size();
  }

  Transport transport(int self, long pages, HostProfile profile) {
    NodeIdentity identity = new NodeIdentity(self, nodes(), pages, VmKey.ofHex(key), 0);
    if (nodes() == 1) {
      return LoopbackTransport.create(new LoopbackCluster(1), identity, TransportLimits.DEFAULT);
    }
    TransportLimits limits = TransportLimits.DEFAULT.withPeerTimeout(PEER_TIMEOUT);
    if (rdma) {
      return DisniTransport.create(identity, limits, endpoints);
    }
    return AeronTransport.create(
        identity, limits, AeronSettings.of(endpoints).withMtu(profile.mtuBytes()));
  }
}
