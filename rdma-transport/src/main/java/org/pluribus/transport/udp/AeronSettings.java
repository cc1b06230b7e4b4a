package org.pluribus.transport.udp;

import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * How nodes reach each other, and how Aeron is run.
 *
 * @param endpoints where each node listens, by node id
 * @param threading who runs the media driver
 * @param idle what driver threads do when idle
 * @param mtuBytes largest UDP payload; longer frames go in several datagrams
 * @param pageTermBytes length of one of the three terms of a page lane's log, a power of two from
 *     64 KiB to 1 GiB; control lanes have an eighth of it, interrupt lanes a sixteenth, both at
 *     least 64 KiB
 * @param socketBufferBytes kernel send and receive buffer asked for; the kernel may give less
 *     (net.core.rmem_max, wmem_max)
 * @param directory where Aeron's files go, or null: /dev/shm if there is room, else the temporary
 *     folder. A folder of our own is made in it, and removed
 */
public record AeronSettings(
    List<Endpoint> endpoints,
    DriverThreading threading,
    DriverIdle idle,
    int mtuBytes,
    int pageTermBytes,
    int socketBufferBytes,
    @Nullable Path directory) {

  /**
   * Holds a page, its message and Aeron's header; as large as fits jumbo Ethernet frames. On
   * Ethernet with frames of 1500 bytes take 1440 ({@link #withMtu}).
   */
  public static final int DEFAULT_MTU_BYTES = 8192;

  private static final int DEFAULT_PAGE_TERM_BYTES = 1 << 20;
  private static final int DEFAULT_SOCKET_BUFFER_BYTES = 2 << 20;

  /**
   * Largest payload of a UDP datagram that Aeron takes (io.aeron Configuration.MAX_UDP_PAYLOAD).
   */
  private static final int MAX_MTU_BYTES = 65_504;

  /** Aeron's DataHeaderFlyweight.HEADER_LENGTH; frames are aligned to it as well. */
  private static final int AERON_HEADER_BYTES = 32;

  /** What every IPv6 path carries (RFC 8200: 1280 bytes), less IP's and UDP's headers. */
  private static final int MIN_MTU_BYTES = 1216;

  private static final int MIN_TERM_BYTES = 64 << 10;
  private static final int MAX_TERM_BYTES = 1 << 30;

  public AeronSettings {
    endpoints = List.copyOf(endpoints);
    if (endpoints.stream().distinct().count() != endpoints.size()) {
      throw new IllegalArgumentException(
          "endpoints " + endpoints + ": every node needs one of its own");
    }
    if (mtuBytes < MIN_MTU_BYTES
        || mtuBytes > MAX_MTU_BYTES
        || mtuBytes % AERON_HEADER_BYTES != 0) {
      throw new IllegalArgumentException(
          "MTU of "
              + mtuBytes
              + " bytes: must be a multiple of 32 from "
              + MIN_MTU_BYTES
              + " to "
              + MAX_MTU_BYTES);
    }
    if (Integer.bitCount(pageTermBytes) != 1
        || pageTermBytes < MIN_TERM_BYTES
        || pageTermBytes > MAX_TERM_BYTES) {
      throw new IllegalArgumentException(
          "term length of "
              + pageTermBytes
              + " bytes: must be a power of two from 64 KiB to 1 GiB");
    }
    if (socketBufferBytes < 2 * mtuBytes) {
      throw new IllegalArgumentException(
          "socket buffer of " + socketBufferBytes + " bytes: must hold two datagrams");
    }
  }

  /** What suits few cores and small machines. */
  public static AeronSettings of(List<Endpoint> endpoints) {
    return new AeronSettings(
        endpoints,
        DriverThreading.INVOKER,
        DriverIdle.YIELD,
        DEFAULT_MTU_BYTES,
        DEFAULT_PAGE_TERM_BYTES,
        DEFAULT_SOCKET_BUFFER_BYTES,
        null);
  }

  /** The same with datagrams of another size. */
  public AeronSettings withMtu(int bytes) {
    return new AeronSettings(
        endpoints, threading, idle, bytes, pageTermBytes, socketBufferBytes, directory);
  }

  /** The same with the driver run by others. */
  public AeronSettings withThreading(DriverThreading other, DriverIdle otherIdle) {
    return new AeronSettings(
        endpoints, other, otherIdle, mtuBytes, pageTermBytes, socketBufferBytes, directory);
  }

  /** The same with Aeron's files elsewhere. */
  public AeronSettings withDirectory(Path other) {
    return new AeronSettings(
        endpoints, threading, idle, mtuBytes, pageTermBytes, socketBufferBytes, other);
  }

  /** Length of a control lane's term. */
  int controlTermBytes() {
    return Math.max(MIN_TERM_BYTES, pageTermBytes / 8);
  }

  /** Length of an interrupt lane's term. */
  int interruptTermBytes() {
    return Math.max(MIN_TERM_BYTES, pageTermBytes / 16);
  }
}
