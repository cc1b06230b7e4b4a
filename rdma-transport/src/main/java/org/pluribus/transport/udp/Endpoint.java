package org.pluribus.transport.udp;

import java.net.InetAddress;
import java.net.UnknownHostException;
import org.jspecify.annotations.Nullable;

/**
 * Where a node listens.
 *
 * @param host name or address, IPv6 addresses without brackets
 * @param port UDP port
 */
public record Endpoint(String host, int port) {
  private static final int MAX_PORT = 65_535;

  public Endpoint {
    if (host.isBlank()) {
      throw new IllegalArgumentException("endpoint has no host: write host:port");
    }
    if (port < 1 || port > MAX_PORT) {
      throw new IllegalArgumentException(
          "endpoint " + host + " has port " + port + ": must be 1 to " + MAX_PORT);
    }
  }

  /**
   * Reads {@code host:port} or {@code [ipv6]:port}.
   *
   * @throws IllegalArgumentException if it is neither
   */
  public static Endpoint parse(String text) {
    int colon = text.lastIndexOf(':');
    if (colon < 1) {
      throw new IllegalArgumentException("endpoint '" + text + "': write host:port");
    }
    String host = text.substring(0, colon);
    if (host.startsWith("[") && host.endsWith("]")) {
      host = host.substring(1, host.length() - 1);
    } else if (host.indexOf(':') >= 0) {
      throw new IllegalArgumentException("endpoint '" + text + "': write IPv6 as [address]:port");
    }
    try {
      return new Endpoint(host, Integer.parseInt(text.substring(colon + 1)));
    } catch (NumberFormatException notANumber) {
      throw new IllegalArgumentException("endpoint '" + text + "': the port is not a number");
    }
  }

  /** The address behind the name, or null while there is none (a peer's host may come up later). */
  @Nullable InetAddress resolve() {
    try {
      return InetAddress.getByName(host);
    } catch (UnknownHostException notYet) {
      return null;
    }
  }

  @Override
  public String toString() {
    return (host.indexOf(':') >= 0 ? "[" + host + "]" : host) + ":" + port;
  }
}
