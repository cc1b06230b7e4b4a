package org.pluribus.transport.verbs;

import java.security.SecureRandom;
import org.jspecify.annotations.Nullable;
import org.pluribus.coherence.Lane;
import org.pluribus.transport.NodeIdentity;

/**
 * What two nodes say on a connection before frames flow: introductions both ways, then each gives
 * its keys to whom it found to be right. One thread at a time.
 */
final class Greetings {
  private final NodeIdentity identity;

  /** Tells this process from another one that this node was or will be. */
  private final long session;

  Greetings(NodeIdentity identity) {
    this.identity = identity;
    SecureRandom random = new SecureRandom();
    long drawn = random.nextLong();
    while (drawn == 0) {
      drawn = random.nextLong(); // 0 is for a process that nobody has met
    }
    session = drawn;
  }

  /** Says who we are and how far the lane is. Nothing may come by an older pair of it any more. */
  void introduce(QueuePair pair, VerbsLane lane) {
    if (pair.canSendOther()) {
      boolean begins = lane.peer < identity.nodeId() && !lane.wasUp();
      long peerSession = begins ? 0 : lane.peerSession();
      Introduction.of(identity, lane.lane, session, peerSession, lane.delivered())
          .encode(pair.memory, pair.otherOffset());
      pair.sendOther(QueuePair.INTRODUCTION, Introduction.BYTES);
    }
  }

  /** Tells the peer how to reach our RAM. One lane is enough to tell it. */
  void giveKeys(VerbsDevice own, QueuePair pair, Lane lane) {
    if (pair.canSendOther()) {
      Slabs ram = lane == Lane.PAGE ? own.remoteKeys() : Slabs.NONE;
      pair.sendOther(QueuePair.KEYS, ram.encode(pair.memory, pair.otherOffset()));
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
          case QueuePair.INTRODUCTION -> objection(introduction(pair, slot), lane);
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

  private @Nullable String objection(@Nullable Introduction said, VerbsLane lane) {
    if (said == null) {
      return "is of another version";
    }
    String objection = said.objection(identity);
    if (objection == null && (said.node() != lane.peer || said.lane() != lane.lane.code())) {
      objection = "calls itself node " + said.node() + ": give all nodes the same configuration";
    }
    return objection == null ? agree(lane, said) : objection;
  }

  /** Whether it is the right process that speaks: why not, or null. */
  @Nullable String sessionObjection(VerbsLane lane, Introduction said) {
    return lane.sessionObjection(said, session);
  }

  /** Why the peer may not begin or go on with a lane, or null if it may. */
  @Nullable String agree(VerbsLane lane, Introduction said) {
    return lane.agree(said, session);
  }

  private static @Nullable String open(VerbsDevice own, VerbsLane lane, QueuePair pair, int slot) {
    Slabs keys = Slabs.decode(pair.memory, pair.messageOffset(slot), pair.messageLength());
    if (keys == null || (lane.lane == Lane.PAGE && keys.bytes() != own.localKeys().bytes())) {
      return "told of a memory that is not like ours";
    }
    return lane.open(keys) ? null : "told its keys before it introduced itself";
  }

  /** What a message says as an introduction, or null if it is none of this version. */
  static @Nullable Introduction introduction(QueuePair pair, int slot) {
    return pair.kind(slot) == QueuePair.INTRODUCTION
        ? Introduction.decode(pair.memory, pair.messageOffset(slot), pair.messageLength())
        : null;
  }
}
