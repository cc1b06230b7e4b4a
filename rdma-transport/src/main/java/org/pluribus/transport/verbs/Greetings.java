package org.pluribus.transport.verbs;

import org.jspecify.annotations.Nullable;
import org.pluribus.coherence.Lane;
import org.pluribus.transport.NodeIdentity;

/**
 * What two nodes say on a connection before frames flow: introductions both ways, then each gives
 * its keys to whom it found to be right. One thread at a time.
 */
final class Greetings {
  private final NodeIdentity identity;

  Greetings(NodeIdentity identity) {
    this.identity = identity;
  }

  void introduce(QueuePair pair, Lane lane) {
    if (pair.canSend()) {
      Introduction.of(identity, lane).encode(pair.memory, pair.sendOffset());
      pair.send(QueuePair.INTRODUCTION, Introduction.BYTES);
    }
  }

  /** Tells the peer how to reach our RAM. One lane is enough to tell it. */
  void giveKeys(VerbsDevice own, QueuePair pair, Lane lane) {
    if (pair.canSend()) {
      Slabs ram = lane == Lane.PAGE ? own.remoteKeys() : Slabs.NONE;
      pair.send(QueuePair.KEYS, ram.encode(pair.memory, pair.sendOffset()));
    }
  }

  /**
   * Reads what came on a connection that is not up yet, and answers it. What makes no sense fails
   * the connection.
   *
   * @return number of messages read
   */
  int answer(VerbsDevice own, VerbsLane lane, QueuePair pair) {
    int slot = pair.take();
    if (slot < 0) {
      return 0;
    }
    String objection =
        switch (pair.kind(slot)) {
          case QueuePair.INTRODUCTION -> objection(introduction(pair, slot), lane.peer);
          case QueuePair.KEYS -> open(own, lane, pair, slot);
          default -> "sent a message before it introduced itself";
        };
    if (objection != null) {
      pair.fail(objection);
    } else if (pair.kind(slot) == QueuePair.INTRODUCTION) {
      giveKeys(own, pair, lane.lane);
    }
    pair.release(slot, false);
    return 1;
  }

  private @Nullable String objection(@Nullable Introduction said, int peer) {
    if (said == null) {
      return "is of another version";
    }
    String objection = said.objection(identity);
    return objection == null && said.node() != peer
        ? "calls itself node " + said.node() + ": give all nodes the same configuration"
        : objection;
  }

  private static @Nullable String open(VerbsDevice own, VerbsLane lane, QueuePair pair, int slot) {
    Slabs keys = Slabs.decode(pair.memory, pair.messageOffset(slot), pair.messageLength());
    if (keys == null || (lane.lane == Lane.PAGE && keys.bytes() != own.localKeys().bytes())) {
      return "told of a memory that is not like ours";
    }
    lane.open(keys);
    return null;
  }

  /** What a message says as an introduction, or null if it is none of this version. */
  static @Nullable Introduction introduction(QueuePair pair, int slot) {
    return pair.kind(slot) == QueuePair.INTRODUCTION
        ? Introduction.decode(pair.memory, pair.messageOffset(slot), pair.messageLength())
        : null;
  }
}
