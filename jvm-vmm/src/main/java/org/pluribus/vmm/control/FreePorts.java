package org.pluribus.vmm.control;

import java.io.BufferedReader;
import java.io.IOException;
import java.net.BindException;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;

/**
 * UDP ports of this host that nobody uses, for nodes about to be started: each is held until {@link
 * #close}, so that none is given twice.
 *
 * <p>They come from below the range that the kernel takes ports from for sockets which do not ask
 * for one. A port of that range could be gone again by the time the node process opens it: Aeron
 * itself opens such sockets.
 */
final class FreePorts implements AutoCloseable {
  /**
   * Two numbers: the first and the last port the kernel gives
   * (Documentation/networking/ip-sysctl.rst).
   */
  private static final Path EPHEMERAL = Path.of("/proc/sys/net/ipv4/ip_local_port_range");

  /** The range as Linux has it by default, where the file cannot be read. */
  private static final int EPHEMERAL_FIRST = 32768;

  /** Ports below are more likely to belong to some service. */
  private static final int FIRST = 20_000;

  private static final int ATTEMPTS = 200;

  private final List<DatagramSocket> held = new ArrayList<>();
  private final int end;

  FreePorts() {
    end = firstEphemeral();
  }

  /** Where the kernel's own range begins. */
  static int firstEphemeral() {
    // Not Files.readString: it reads a first byte by itself, and then sysctl files are at their
    // end.
    try (BufferedReader file = Files.newBufferedReader(EPHEMERAL)) {
      String line = String.valueOf(file.readLine());
      return Integer.parseInt(line.trim().split("\\s+")[0]);
    } catch (IOException | NumberFormatException e) {
      return EPHEMERAL_FIRST;
    }
  }

  /**
   * A port of the address {@code host} that nobody uses.
   *
   * @throws IOException if none was found, or the host has no such address
   */
  int next(String host) throws IOException {
    InetAddress address = InetAddress.getByName(host);
    for (int i = 0; i < ATTEMPTS && end > FIRST; i++) {
      int port = ThreadLocalRandom.current().nextInt(FIRST, end);
      try {
        held.add(new DatagramSocket(port, address));
        return port;
      } catch (BindException taken) {
        // The next one, then.
      }
    }
    // The kernel's own choice, where the range begins too low or all looks taken.
    DatagramSocket any = new DatagramSocket(0, address);
    held.add(any);
    return any.getLocalPort();
  }

  /** Lets the ports go. */
  @Override
  public void close() {
    held.forEach(DatagramSocket::close);
  }
}
