package org.pluribus.coherence.sim;

import org.pluribus.coherence.CoherenceMessage;
import org.pluribus.coherence.MessageType;

/**
 * Reliable channels, in order per (sender, receiver, lane). Each lane draws its own delays, so a
 * message on one overtakes those on another freely. Now and then a link is cut for a while, one way
 * or both.
 */
final class SimNetwork {
  private static final int LANES = 3;

  private final Simulation simulation;

  /** A link is cut at one message of so many. */
  private static final int MESSAGES_PER_CUT = 1_000;

  private final long[] lastArrivalNanos;

  /** Until when nothing arrives, for each way of each link. */
  private final long[] cutUntilNanos;

  private int inFlight;
  private int inFlightHighWater;

  SimNetwork(Simulation simulation) {
    this.simulation = simulation;
    int nodes = simulation.config().nodes();
    this.lastArrivalNanos = new long[nodes * nodes * LANES];
    this.cutUntilNanos = new long[nodes * nodes];
  }

  /** Sends a copy of the message, with the page content that goes with it. */
  void send(CoherenceMessage message, long[] content) {
    CoherenceMessage copy = new CoherenceMessage().copyFrom(message);
    SimConfig config = simulation.config();
    if (isLost(copy)) {
      return;
    }
    if (config.sabotage() == Sabotage.ACK_NOT_AWAITED && copy.ackCount > 0) {
      copy.ackCount--;
    }
    int lane = (copy.from * config.nodes() + copy.to) * LANES + copy.lane().code();
    long arrival = simulation.now() + 1 + simulation.random().nextInt(config.maxDelayNanos());
    if (config.sabotage() != Sabotage.LANE_REORDERED) {
      arrival = Math.max(arrival, lastArrivalNanos[lane]);
    }
    arrival = Math.max(arrival, cutUntil(copy));
    lastArrivalNanos[lane] = arrival;
    inFlight++;
    inFlightHighWater = Math.max(inFlightHighWater, inFlight);
    simulation.at(
        simulation.node(copy.to),
        arrival,
        () -> {
          inFlight--;
          simulation.node(copy.to).deliver(copy, content);
        });
  }

  /** The transport keeps what it sent while a link is cut, and delivers it in order afterwards. */
  private long cutUntil(CoherenceMessage message) {
    SimConfig config = simulation.config();
    int way = message.from * config.nodes() + message.to;
    if (config.maxCutNanos() > 0 && simulation.random().nextInt(MESSAGES_PER_CUT) == 0) {
      long until = simulation.now() + 1 + simulation.random().nextInt(config.maxCutNanos());
      cutUntilNanos[way] = until;
      if (simulation.random().nextBoolean()) {
        cutUntilNanos[message.to * config.nodes() + message.from] = until;
      }
    }
    return cutUntilNanos[way];
  }

  private boolean isLost(CoherenceMessage message) {
    boolean unlucky = simulation.random().nextInt(20) == 0;
    return switch (simulation.config().sabotage()) {
      case UNBLOCK_LOST -> unlucky && message.type == MessageType.UNBLOCK;
      case INV_LOST -> unlucky && message.type == MessageType.INV;
      default -> false;
    };
  }

  int inFlight() {
    return inFlight;
  }

  int inFlightHighWater() {
    return inFlightHighWater;
  }
}
