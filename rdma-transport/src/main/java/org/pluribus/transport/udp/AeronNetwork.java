package org.pluribus.transport.udp;

import io.aeron.exceptions.AeronException;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketException;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import org.pluribus.coherence.Lane;
import org.pluribus.transport.TransportException;
import org.pluribus.transport.wire.FrameReceiver;
import org.pluribus.transport.wire.LaneNetwork;
import org.pluribus.transport.wire.LaneSink;

/** Lanes as Aeron streams. */
final class AeronNetwork implements LaneNetwork {
  private static final Lane[] LANES = Lane.values();

  /** Stream ids start here, so that strays from other programs don't meet ours. */
  private static final int FIRST_STREAM_ID = 20_556_000;

  /** How often to look for peers whose host name is unknown yet. */
  private static final long RESOLVE_INTERVAL_NANOS = 500_000_000;

  private static final long CLOSE_PAUSE_NANOS = 200_000;

  /** Aeron marks the end of a stream in its heartbeats, which are 100 ms apart. */
  private static final long FAREWELL_NANOS = 150_000_000;

  private final int self;
  private final AeronSettings settings;
  private final AeronLink[][] links;
  private final boolean[] publishing;
  private final boolean[] disconnected;
  private boolean publishingToAll;
  private long nextResolveNanos;
  private @Nullable FrameReceiver receiver;
  private @Nullable EmbeddedDriver driver;

  AeronNetwork(int self, AeronSettings settings) {
    this.self = self;
    this.settings = settings;
    int nodes = settings.endpoints().size();
    publishing = new boolean[nodes];
    disconnected = new boolean[nodes];
    links = new AeronLink[nodes][LANES.length];
    for (int peer = 0; peer < nodes; peer++) {
      for (Lane lane : LANES) {
        links[peer][lane.code()] = new AeronLink(peer, lane);
      }
    }
  }

  /** The stream on which a node sends one lane, to whomever. */
  private static int streamId(int sender, Lane lane) {
    return FIRST_STREAM_ID + sender * LANES.length + lane.code();
  }

  @Override
  public void open(FrameReceiver target) {
    receiver = target;
    if (links.length == 1) {
      return;
    }
    InetAddress own = bindable(settings.endpoints().get(self));
    EmbeddedDriver started = EmbeddedDriver.launch(settings);
    driver = started;
    nextResolveNanos = System.nanoTime();
    String channel = "aeron:udp?endpoint=" + uriHost(own) + ":" + port(self);
    try {
      for (int peer = 0; peer < links.length; peer++) {
        for (Lane lane : LANES) {
          if (peer != self) {
            links[peer][lane.code()].listen(
                started.client(), channel, streamId(peer, lane), target);
          }
        }
      }
    } catch (AeronException refused) {
      throw new TransportException(
          "node "
              + self
              + " cannot listen on "
              + settings.endpoints().get(self)
              + ": "
              + refused.getMessage(),
          refused);
    }
    publishToResolved(started);
  }

  @Override
  public LaneSink sink(int peer, Lane lane) {
    return links[peer][lane.code()];
  }

  @Override
  public boolean isLinked(int peer) {
    boolean up = true;
    for (AeronLink link : links[peer]) {
      up &= link.isUp();
    }
    reportTwoSenders(peer);
    return up;
  }

  @Override
  public int drive() {
    EmbeddedDriver running = driver;
    if (running == null) {
      return 0;
    }
    int work = running.invoke();
    if (!running.isRunning()) {
      reportOwnFailure();
    }
    publishToResolved(running);
    return work;
  }

  @Override
  public int poll(int peer, Lane lane, int limit) {
    if (disconnected[peer] || driver == null) {
      return 0;
    }
    AeronLink link = links[peer][lane.code()];
    int delivered = link.poll(limit);
    if (lane == Lane.CONTROL) {
      reportTwoSenders(peer);
      if (delivered == 0 && link.hasEnded()) {
        reportDown(peer, "closed its channels");
      }
    }
    return delivered;
  }

  @Override
  public int[] descriptors() {
    EmbeddedDriver running = driver;
    return running == null ? new int[0] : running.descriptors();
  }

  @Override
  public String name(int peer) {
    String unknown = publishing[peer] ? "" : ", a host name that nobody knows";
    return "node " + peer + " (" + settings.endpoints().get(peer) + unknown + ")";
  }

  @Override
  public void disconnect(int peer) {
    disconnected[peer] = true;
  }

  @Override
  public void close(long lingerNanos) {
    EmbeddedDriver running = driver;
    if (running == null) {
      return;
    }
    try {
      for (AeronLink[] lanes : links) {
        for (AeronLink link : lanes) {
          link.closePublication();
        }
      }
      linger(running, lingerNanos);
    } finally {
      driver = null;
      running.close();
    }
  }

  /**
   * Runs the driver until every peer that still listens has got everything, as far as time allows;
   * and for a moment in any case, so that our own end of stream and our confirmations go out.
   */
  private void linger(EmbeddedDriver running, long lingerNanos) {
    long start = System.nanoTime();
    long spent = 0;
    while (spent < lingerNanos
        && running.isRunning()
        && (spent < FAREWELL_NANOS || isAnyWaiting(running))) {
      running.invoke();
      for (AeronLink[] lanes : links) {
        for (AeronLink link : lanes) {
          link.poll(Integer.MAX_VALUE);
        }
      }
      LockSupport.parkNanos(CLOSE_PAUSE_NANOS);
      spent = System.nanoTime() - start;
    }
  }

  /** A peer that never came, or is lost, or has closed its own end, gets nothing more. */
  private boolean isAnyWaiting(EmbeddedDriver running) {
    for (int peer = 0; peer < links.length; peer++) {
      AeronLink control = links[peer][Lane.CONTROL.code()];
      if (!disconnected[peer]
          && control.hasBegun()
          && !control.hasEnded()
          && isAnySending(running, links[peer])) {
        return true;
      }
    }
    return false;
  }

  private static boolean isAnySending(EmbeddedDriver running, AeronLink[] lanes) {
    for (AeronLink link : lanes) {
      if (running.isSending(link.publicationId())) {
        return true;
      }
    }
    return false;
  }

  private void publishToResolved(EmbeddedDriver running) {
    if (publishingToAll) {
      return;
    }
    long now = System.nanoTime();
    if (now - nextResolveNanos < 0) {
      return;
    }
    boolean all = true;
    for (int peer = 0; peer < links.length; peer++) {
      if (peer != self && !publishing[peer]) {
        InetAddress address = settings.endpoints().get(peer).resolve();
        if (address != null) {
          publish(running, peer, address);
        }
        all &= publishing[peer];
      }
    }
    publishingToAll = all;
    nextResolveNanos = now + RESOLVE_INTERVAL_NANOS;
  }

  private void publish(EmbeddedDriver running, int peer, InetAddress address) {
    for (Lane lane : LANES) {
      int termBytes =
          switch (lane) {
            case INTERRUPT -> settings.interruptTermBytes();
            case CONTROL -> settings.controlTermBytes();
            case PAGE -> settings.pageTermBytes();
          };
      String channel =
          "aeron:udp?endpoint=" + uriHost(address) + ":" + port(peer) + "|term-length=" + termBytes;
      try {
        links[peer][lane.code()].publish(running.client(), channel, streamId(self, lane));
      } catch (AeronException refused) {
        throw new TransportException(
            "node " + self + " cannot send to " + name(peer) + ": " + refused.getMessage(),
            refused);
      }
    }
    publishing[peer] = true;
  }

  private void reportTwoSenders(int peer) {
    for (AeronLink link : links[peer]) {
      if (link.hasTwoSenders()) {
        reportDown(peer, "runs twice, or was started again: give every node an id of its own");
        return;
      }
    }
  }

  private void reportOwnFailure() {
    for (int peer = 0; peer < links.length; peer++) {
      if (peer != self) {
        reportDown(peer, "cannot be reached any more: this node's Aeron driver has failed");
      }
    }
  }

  private void reportDown(int peer, String reason) {
    FrameReceiver target = receiver;
    if (target != null && !disconnected[peer]) {
      disconnected[peer] = true;
      target.onLinkDown(peer, reason);
    }
  }

  private int port(int node) {
    return settings.endpoints().get(node).port();
  }

  private static String uriHost(InetAddress address) {
    String text = address.getHostAddress();
    return text.indexOf(':') >= 0 ? "[" + text + "]" : text;
  }

  /**
   * The address to listen on, after a try: Aeron's own complaint comes late and is hard to read.
   */
  private InetAddress bindable(Endpoint endpoint) {
    InetAddress address = endpoint.resolve();
    String where = "node " + self + " cannot listen on " + endpoint + ": ";
    if (address == null) {
      throw new TransportException(where + "nobody knows that host name; correct it");
    }
    try (DatagramSocket probe = new DatagramSocket(null)) {
      probe.setReuseAddress(false);
      probe.bind(new InetSocketAddress(address, endpoint.port()));
      return address;
    } catch (SocketException taken) {
      throw new TransportException(
          where
              + taken.getMessage()
              + "; is node "
              + self
              + " running already, or is this not an address of this host?",
          taken);
    }
  }
}
