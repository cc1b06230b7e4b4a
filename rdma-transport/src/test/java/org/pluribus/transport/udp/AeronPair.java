package org.pluribus.transport.udp;

import java.io.IOException;
import java.net.BindException;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ThreadLocalRandom;
import org.pluribus.transport.MessageHandler;
import org.pluribus.transport.NodeIdentity;
import org.pluribus.transport.Transport;
import org.pluribus.transport.TransportLimits;
import org.pluribus.transport.VmKey;

/** Two nodes in this process that reach each other over 127.0.0.1. */
final class AeronPair implements AutoCloseable {
  static final long PAGES = 1000;
  static final Duration PATIENCE = Duration.ofSeconds(30);

  final Transport zero;
  final Transport one;

  AeronPair(TransportLimits limits, MessageHandler zeroHandler, MessageHandler oneHandler)
      throws IOException {
    this(limits, zeroHandler, oneHandler, AeronSettings.DEFAULT_MTU_BYTES);
  }

  /** The same with datagrams of another size from node 0; node 1 keeps the usual. */
  AeronPair(
      TransportLimits limits,
      MessageHandler zeroHandler,
      MessageHandler oneHandler,
      int zeroMtuBytes)
      throws IOException {
    VmKey key = VmKey.random();
    AeronSettings settings = AeronSettings.of(freeEndpoints(2));
    zero =
        AeronTransport.create(
            new NodeIdentity(0, 2, PAGES, key, 7), limits, settings.withMtu(zeroMtuBytes));
    one = AeronTransport.create(new NodeIdentity(1, 2, PAGES, key, 7), limits, settings);
    connect(zero, zeroHandler, one, oneHandler);
  }

  /** Connects two nodes with each other. */
  static void connect(
      Transport zero, MessageHandler zeroHandler, Transport one, MessageHandler oneHandler) {
    CompletableFuture<Void> other = async(() -> one.connect(oneHandler, PATIENCE));
    try {
      zero.connect(zeroHandler, PATIENCE);
    } catch (RuntimeException failed) {
      other
          .exceptionally(alsoFailed -> {
            failed.addSuppressed(alsoFailed);
            return null;
          })
          .join();
      throw failed;
    }
    pollUntilDone(zero, other);
  }

  /** Runs something on a thread of its own (the common pool may have but one, and be waiting). */
  static CompletableFuture<Void> async(Runnable task) {
    return CompletableFuture.runAsync(task, command -> Thread.ofPlatform().start(command));
  }

  /** Waits for a peer to be connected too; it may need what this node has to send. */
  static void pollUntilDone(Transport connected, CompletableFuture<Void> other) {
    while (!other.isDone()) {
      connected.poll(1);
      Thread.onSpinWait();
    }
    other.join();
  }

  /**
   * Endpoints nobody listens on (at this moment): below the ports that the kernel gives away, of
   * which the other node's sending sockets take some.
   */
  static List<Endpoint> freeEndpoints(int count) throws IOException {
    InetAddress loopback = InetAddress.getLoopbackAddress();
    List<Endpoint> endpoints = new ArrayList<>();
    while (endpoints.size() < count) {
      int port = ThreadLocalRandom.current().nextInt(10_000, 32_768);
      Endpoint endpoint = new Endpoint(loopback.getHostAddress(), port);
      try (DatagramSocket free = new DatagramSocket(port, loopback)) {
        if (free.isBound() && !endpoints.contains(endpoint)) {
          endpoints.add(endpoint);
        }
      } catch (BindException taken) {
        // The next one, then.
      }
    }
    return endpoints;
  }

  @Override
  public void close() {
    CompletableFuture<Void> other = async(one::close);
    zero.close();
    other.join();
  }
}
