package org.pluribus.transport.udp;

import java.io.IOException;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
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
    VmKey key = VmKey.random();
    AeronSettings settings = AeronSettings.of(freeEndpoints(2));
    zero = AeronTransport.create(new NodeIdentity(0, 2, PAGES, key, 7), limits, settings);
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

  /** Endpoints nobody listens on (at this moment). */
  static List<Endpoint> freeEndpoints(int count) throws IOException {
    List<DatagramSocket> sockets = new ArrayList<>();
    List<Endpoint> endpoints = new ArrayList<>();
    InetAddress loopback = InetAddress.getLoopbackAddress();
    for (int i = 0; i < count; i++) {
      DatagramSocket socket = new DatagramSocket(new InetSocketAddress(loopback, 0));
      sockets.add(socket);
      endpoints.add(new Endpoint(loopback.getHostAddress(), socket.getLocalPort()));
    }
    sockets.forEach(DatagramSocket::close);
    return endpoints;
  }

  @Override
  public void close() {
    CompletableFuture<Void> other = async(one::close);
    zero.close();
    other.join();
  }
}
