package org.pluribus.coherence.sim;

import org.pluribus.coherence.CoherenceMessage;
import org.pluribus.coherence.MessageType;
import org.pluribus.coherence.sim.ProtocolCells.Side;

/** Sends the nodes of a state what nobody there would send. */
final class Forger {
  private final ExplorerWorld world;
  private final CoherenceMessage forged = new CoherenceMessage();
  private long refused;

  Forger(ExplorerWorld world) {
    this.world = world;
  }

  /**
   * Sends each node each message that has no cell in its state, with all values its fields can
   * have, and returns how many that were.
   *
   * @throws CheckFailure if one is accepted, or changes anything
   */
  long refused() {
    for (int node = 0; node < world.scope.nodes(); node++) {
      forge(node, Side.CACHE);
    }
    forge(world.homeOf(0), Side.HOME);
    return refused;
  }

  private void forge(int node, Side side) {
    String before = world.key().toString();
    int nodes = world.scope.nodes();
    for (MessageType type : ProtocolTable.impossible(side, world.node(node).row(side, 0))) {
      for (int bits = 0; bits < nodes * nodes * nodes * (CoherenceMessage.ALL_FLAGS + 1); bits++) {
        int flags = bits % (CoherenceMessage.ALL_FLAGS + 1);
        int rest = bits / (CoherenceMessage.ALL_FLAGS + 1);
        int from = rest % nodes;
        int requester = rest / nodes % nodes;
        int acks = rest / nodes / nodes;
        forged
            .set(type, 0, from, node, requester, acks, 0, flags)
            .base(type == MessageType.DATA_DELTA ? 1 : 0);
        if (!world.node(node).refuses(forged)) {
          throw new CheckFailure("node " + node + " accepts " + forged + " in\n" + before);
        }
        refused++;
      }
    }
    if (!world.key().toString().equals(before)) {
      throw new CheckFailure("refused messages changed\n" + before + "\nto\n" + world.key());
    }
  }
}
