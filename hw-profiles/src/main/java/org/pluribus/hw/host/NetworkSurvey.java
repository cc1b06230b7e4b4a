package org.pluribus.hw.host;

import java.net.InetAddress;
import java.net.NetworkInterface;
import java.net.SocketException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.pluribus.hw.HostProfile;

/**
 * What datagrams between nodes need: room in the frames of the network, and in the kernel's socket
 * buffers.
 */
final class NetworkSurvey {
  /** What a node asks the kernel for, as send and as receive buffer (transport.udp). */
  private static final long SOCKET_BUFFER_BYTES = 2 << 20;

  /** IPv4's header and UDP's (RFC 791, RFC 768). */
  private static final int IPV4_HEADER_BYTES = 20 + 8;

  /** IPv6's header and UDP's (RFC 8200, RFC 768). */
  private static final int IPV6_HEADER_BYTES = 40 + 8;

  /** A page, its message and Aeron's header (HostProfile). */
  private static final int PAGE_DATAGRAM_BYTES = 4256;

  private static final String CORE = "proc/sys/net/core/";

  private final HostFiles files;
  private final Map<String, List<String>> addresses;

  /**
   * @param addresses of each interface that has one, IPv4 first
   */
  NetworkSurvey(HostFiles files, Map<String, List<String>> addresses) {
    this.files = files;
    this.addresses = addresses;
  }

  /** Interfaces that are up, but for the loopback, with their addresses, IPv4 first. */
  static Map<String, List<String>> addressesOfThisHost() {
    Map<String, List<String>> all = new TreeMap<>();
    try {
      for (NetworkInterface each : Collections.list(NetworkInterface.getNetworkInterfaces())) {
        List<String> own = new ArrayList<>();
        for (InetAddress address : Collections.list(each.getInetAddresses())) {
          own.add(address.getHostAddress().replaceFirst("%.*", "")); // without IPv6's scope
        }
        own.sort(Comparator.comparing(address -> !RdmaSurvey.isIpv4(address)));
        if (each.isUp() && !each.isLoopback() && !own.isEmpty()) {
          all.put(each.getName(), own);
        }
      }
    } catch (SocketException e) {
      return all; // one has gone while we looked; doctor is for people, who look again
    }
    return all;
  }

  /** One for each interface, one for the buffers. */
  List<Finding> findings() {
    List<Finding> all = new ArrayList<>();
    addresses.forEach((name, own) -> all.add(mtu(name, own.getFirst())));
    if (all.isEmpty()) {
      all.add(
          Finding.lacks(
              "network",
              "no interface that is up and has an address",
              "nodes of one host need none; for more, ip address add ADDRESS/24 dev INTERFACE and"
                  + " ip link set INTERFACE up"));
    }
    all.add(socketBuffers());
    return all;
  }

  private Finding mtu(String name, String address) {
    long mtu = files.number("sys/class/net/" + name + "/mtu", 0);
    long room = mtu - (RdmaSurvey.isIpv4(address) ? IPV4_HEADER_BYTES : IPV6_HEADER_BYTES);
    // The largest datagram that a profile may ask for, here.
    long most = Math.max(0, room) / HostProfile.MTU_STEP_BYTES * HostProfile.MTU_STEP_BYTES;
    String found = "%s %s: MTU %d, ".formatted(name, address, mtu);
    int usual = HostProfile.load("ethernet").mtuBytes();
    if (room < usual) {
      return Finding.lacks(
          "network",
          found + "too small for datagrams of " + usual + " bytes",
          "ip link set %s mtu 1500, or give the nodes a profile with mtuBytes: %d or less"
              .formatted(name, most));
    }
    return Finding.ok(
        "network",
        found
            + (room < PAGE_DATAGRAM_BYTES
                ? "a page takes several datagrams"
                : "a page fits one datagram (mtuBytes: " + most + " in a profile)"));
  }

  private Finding socketBuffers() {
    long receive = files.number(CORE + "rmem_max", -1);
    long send = files.number(CORE + "wmem_max", -1);
    if (receive < 0 || send < 0) {
      return Finding.ok("socket buffers", "limits not visible here (a container's network)");
    }
    String found = "net.core.rmem_max %d, wmem_max %d".formatted(receive, send);
    return Math.min(receive, send) >= SOCKET_BUFFER_BYTES
        ? Finding.ok("socket buffers", found)
        : Finding.lacks(
            "socket buffers",
            found + ", a node asks for " + SOCKET_BUFFER_BYTES,
            "sysctl net.core.rmem_max=%d net.core.wmem_max=%d"
                .formatted(SOCKET_BUFFER_BYTES, SOCKET_BUFFER_BYTES));
  }
}
