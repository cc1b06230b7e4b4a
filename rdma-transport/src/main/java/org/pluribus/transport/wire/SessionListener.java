package org.pluribus.transport.wire;

/** Messages that are the transport's own business. */
interface SessionListener {
  void onHello(int peer, Hello hello);

  void onHeartbeat(int peer);

  void onBye(int peer);
}
