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

/**
 * How contestants of several processes reach each other: Aeron over UDP on this host, set as {@code
 * pluribus run} sets it.
 *
 * @param key the VM's secret, in hexadecimal
 * @param ports by node, its UDP port
 */
record Network(String key, List<Integer> ports) {
  static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(60);

  private static final String HOST = "127.0.0.1";

  /** Below the range that the kernel takes ports from by itself. */
  private static final int FIRST_PORT = 20_000;

  private static final int END_PORT = 32_000;

  /** Contestants are stopped by signals while others have their turn. */
  private static final Duration PEER_TIMEOUT = Duration.ofMinutes(5);

  /** A network for one node, which reaches nobody. */
  static Network none() {
    return new Network(VmKey.random().toHex(), List.of(0));
  }

  /** A network of two nodes at ports nobody uses now. */
  static Network ofTwo() throws IOException {
    List<Integer> free = new ArrayList<>();
    for (int port = FIRST_PORT; port < END_PORT && free.size() < 2; port++) {
      try (DatagramSocket probe = new DatagramSocket(port, InetAddress.getByName(HOST))) {
        free.add(probe.getLocalPort());
      } catch (BindException taken) {
        // The next one, then.
      }
    }
    return new Network(VmKey.random().toHex(), List.copyOf(free));
  }

  /** As {@link #arguments} tells it. */
  static Network of(List<String> arguments) {
    List<Integer> ports =
        arguments.subList(1, arguments.size()).stream().map(Integer::valueOf).toList();
    return new Network(arguments.getFirst(), ports);
  }

  /** For a process's command line. */
  List<String> arguments() {
    List<String> all = new ArrayList<>(List.of(key));
    ports.forEach(p -> all.add(p.toString()));
    return all;
  }

  int nodes() {
    return ports.size();
  }

  Transport transport(int self, long pages, HostProfile profile) {
    NodeIdentity identity = new NodeIdentity(self, nodes(), pages, VmKey.ofHex(key), 0);
    if (nodes() == 1) {
      return LoopbackTransport.create(new LoopbackCluster(1), identity, TransportLimits.DEFAULT);
    }
    List<Endpoint> endpoints = ports.stream().map(p -> new Endpoint(HOST, p)).toList();
    return AeronTransport.create(
        identity,
        TransportLimits.DEFAULT.withPeerTimeout(PEER_TIMEOUT),
        AeronSettings.of(endpoints).withMtu(profile.mtuBytes()));
  }
}
