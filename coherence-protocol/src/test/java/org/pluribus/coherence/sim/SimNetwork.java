package org.pluribus.coherence.sim;

import org.pluribus.coherence.CoherenceMessage;
import org.pluribus.coherence.MessageType;

/**
 * Reliable channels, in order per (sender, receiver, lane). Each lane draws its own delays, so a
 * message on one overtakes those on another freely.
 */
final class SimNetwork {
  private static final int LANES = 3;

  private final Simulation simulation;
  private final long[] lastArrivalNanos;
  private int inFlight;
  private int inFlightHighWater;

  SimNetwork(Simulation simulation) {
    this.simulation = simulation;
    int nodes = simulation.config().nodes();
    this.lastArrivalNanos = new long[nodes * nodes * LANES];
  }

  /** Sends a copy of the message, with the page content that goes with it. */
  void send(CoherenceMessage message, long content) {
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
    lastArrivalNanos[lane] = arrival;
    inFlight++;
    inFlightHighWater = Math.max(inFlightHighWater, inFlight);
    simulation.at(
        arrival,
        () -> {
          inFlight--;
          simulation.node(copy.to).deliver(copy, content);
        });
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
