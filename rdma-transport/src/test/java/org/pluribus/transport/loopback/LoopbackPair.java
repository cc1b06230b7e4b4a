package org.pluribus.transport.loopback;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.pluribus.transport.MessageHandler;
import org.pluribus.transport.NodeIdentity;
import org.pluribus.transport.Transport;
import org.pluribus.transport.TransportLimits;
import org.pluribus.transport.VmKey;

/** Two nodes of one process, connected, both polled by the test's thread. */
final class LoopbackPair implements AutoCloseable {
  static final long PAGES = 1000;
  static final Duration PATIENCE = Duration.ofSeconds(30);

  final LoopbackCluster cluster = new LoopbackCluster(2);
  final Transport zero;
  final Transport one;

  LoopbackPair(TransportLimits limits, MessageHandler zeroHandler, MessageHandler oneHandler) {
    VmKey key = VmKey.random();
    zero = LoopbackTransport.create(cluster, new NodeIdentity(0, 2, PAGES, key, 7), limits);
    one = LoopbackTransport.create(cluster, new NodeIdentity(1, 2, PAGES, key, 7), limits);
    CompletableFuture<Void> other =
        CompletableFuture.runAsync(
            () -> one.connect(oneHandler, PATIENCE), task -> Thread.ofPlatform().start(task));
    zero.connect(zeroHandler, PATIENCE);
    other.orTimeout(PATIENCE.toSeconds(), TimeUnit.SECONDS).join();
  }

  @Override
  public void close() {
    zero.close();
    one.close();
  }
}
