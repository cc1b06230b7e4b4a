package org.pluribus.transport.verbs;

import java.security.MessageDigest;
import org.agrona.DirectBuffer;
import org.agrona.MutableDirectBuffer;
import org.jspecify.annotations.Nullable;
import org.pluribus.coherence.Lane;
import org.pluribus.transport.NodeIdentity;
import org.pluribus.transport.VmKey;

/**
 * The first message on a queue pair, each way: who speaks, and which lane this is. Only who
 * introduced itself rightly is given remote keys. The hello of all transports follows on the
 * control lane.
 *
 * @param node who speaks
 * @param lane code of the lane that this queue pair carries
 * @param configHash see {@link NodeIdentity#configHash()}
 * @param keyHash see {@link VmKey#hash()}
 * @param session number that the speaker's process drew for itself, not 0: one started anew is
 *     another
 * @param peerSession the listener's number as far as the speaker knows it, else 0. Who calls with a
 *     number wants to go on with a lane that broke
 * @param delivered how many messages of frames were delivered to the speaker on this lane so far
 */
record Introduction(
    int node,
    int lane,
    long configHash,
    byte[] keyHash,
    long session,
    long peerSession,
    long delivered) {
  private static final long MAGIC = 0x5356425249424c50L;

  /** Raised when the envelope, the introduction or the credits change. */
  private static final int VERSION = 3;

  private static final int VERSION_OFFSET = 8;
  private static final int CREDITS_OFFSET = 12;
  private static final int NODE_OFFSET = 16;
  private static final int LANE_OFFSET = 20;
  private static final int CONFIG_OFFSET = 24;
  private static final int KEY_OFFSET = 32;

  private static final int SESSION_OFFSET = KEY_OFFSET + VmKey.HASH_BYTES;
  private static final int PEER_SESSION_OFFSET = SESSION_OFFSET + Long.BYTES;
  private static final int DELIVERED_OFFSET = PEER_SESSION_OFFSET + Long.BYTES;

  /** Length of the message. */
  static final int BYTES = DELIVERED_OFFSET + Long.BYTES;

  static Introduction of(
      NodeIdentity identity, Lane lane, long session, long peerSession, long delivered) {
    return new Introduction(
        identity.nodeId(),
        lane.code(),
        identity.configHash(),
        identity.key().hash(),
        session,
        peerSession,
        delivered);
  }

  void encode(MutableDirectBuffer buffer, int offset) {
    buffer.putLong(offset, MAGIC);
    buffer.putInt(offset + VERSION_OFFSET, VERSION);
    buffer.putInt(offset + CREDITS_OFFSET, Credits.MESSAGES);
    buffer.putInt(offset + NODE_OFFSET, node);
    buffer.putInt(offset + LANE_OFFSET, lane);
    buffer.putLong(offset + CONFIG_OFFSET, configHash);
    buffer.putBytes(offset + KEY_OFFSET, keyHash);
    buffer.putLong(offset + SESSION_OFFSET, session);
    buffer.putLong(offset + PEER_SESSION_OFFSET, peerSession);
    buffer.putLong(offset + DELIVERED_OFFSET, delivered);
  }

  /** What a stranger sent, or null if it is no introduction of this version. */
  static @Nullable Introduction decode(DirectBuffer buffer, int offset, int length) {
    if (length != BYTES
        || buffer.getLong(offset) != MAGIC
        || buffer.getInt(offset + VERSION_OFFSET) != VERSION
        || buffer.getInt(offset + CREDITS_OFFSET) != Credits.MESSAGES) {
      return null;
    }
    byte[] keyHash = new byte[VmKey.HASH_BYTES];
    buffer.getBytes(offset + KEY_OFFSET, keyHash);
    return new Introduction(
        buffer.getInt(offset + NODE_OFFSET),
        buffer.getInt(offset + LANE_OFFSET),
        buffer.getLong(offset + CONFIG_OFFSET),
        keyHash,
        buffer.getLong(offset + SESSION_OFFSET),
        buffer.getLong(offset + PEER_SESSION_OFFSET),
        buffer.getLong(offset + DELIVERED_OFFSET));
  }

  /** Why its sender gets no keys of ours, or null if it does. */
  @Nullable String objection(NodeIdentity own) {
    if (!MessageDigest.isEqual(keyHash, own.key().hash())) {
      return "has another VM key: it belongs to another VM, or its key file is not ours";
    }
    if (configHash != own.configHash()) {
      return "has another configuration: give all nodes the same cluster configuration";
    }
    if (node < 0 || node >= own.nodeCount() || node == own.nodeId()) {
      return "calls itself node " + node + ": give all nodes the same cluster configuration";
    }
    if (lane < 0 || lane >= Lane.values().length) {
      return "speaks of a lane " + lane;
    }
    return null;
  }
}
