package org.pluribus.vmm.node;

import java.util.function.Predicate;
import org.pluribus.transport.Channel;
import org.pluribus.transport.ClockProbeKind;
import org.pluribus.transport.LifecycleKind;
import org.pluribus.transport.Transport;
import org.pluribus.vmm.apic.RemoteInterrupts;

/** What a node says to its peers that is not about pages: interrupts, time, the machine's life. */
public final class PeerMessages implements RemoteInterrupts {
  /** Tries to hand an interrupt to a channel whose outbox is full before the node gives up. */
  private static final int POST_ATTEMPTS = 100_000;

  private final PluribusNode node;
  private final Transport transport;
  private final DutyToken token;

  PeerMessages(PluribusNode node, Transport transport, DutyToken token) {
    this.node = node;
    this.transport = transport;
    this.token = token;
  }

  /**
   * An interrupt for a vCPU of another node. Any thread, with the token or without: the message
   * goes out at once if nobody runs the duty cycle, else with the turn under way.
   */
  @Override
  public void sendIpi(int peer, long message) {
    post(peer, channel -> channel.postIpi(RemoteIpis.encode(message)));
  }

  @Override
  public void sendEoi(int peer, int vector) {
    post(peer, channel -> channel.postEoi(vector));
  }

  private void post(int peer, Predicate<Channel> message) {
    Channel channel = transport.channel(peer);
    for (int i = 0; i < POST_ATTEMPTS; i++) {
      boolean taken = message.test(channel);
      token.oweTurn();
      if (taken || !channel.isOpen()) {
        return;
      }
      Thread.yield();
    }
    node.fail("interrupts to node " + peer + " do not get away");
  }

  /** Says something about the machine's life to a peer. A thread without the token. */
  public void sendLifecycle(int peer, LifecycleKind kind, int code, String text) {
    token.take();
    try {
      transport.channel(peer).sendLifecycle(kind, code, text);
      node.duty();
    } finally {
      token.release();
    }
  }

  /** Sends the final report. A thread without the token. */
  public void sendReport(int peer, byte[] json) {
    token.take();
    try {
      transport.channel(peer).sendReport(json);
      node.duty();
    } finally {
      token.release();
    }
  }

  /** Asks a peer for its time. A thread without the token. */
  public void sendClockRequest(int peer, long nowNanos) {
    token.take();
    try {
      transport.channel(peer).sendClockProbe(ClockProbeKind.REQUEST, nowNanos, 0, 0);
      node.duty();
    } finally {
      token.release();
    }
  }

  /** Tells a peer our time. Token holder. */
  public void sendClockReply(int peer, long t0, long receivedNanos, long nowNanos) {
    transport.channel(peer).sendClockProbe(ClockProbeKind.REPLY, t0, receivedNanos, nowNanos);
  }
}
