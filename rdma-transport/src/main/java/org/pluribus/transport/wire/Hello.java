package org.pluribus.transport.wire;

import java.security.MessageDigest;
import org.jspecify.annotations.Nullable;
import org.pluribus.transport.NodeIdentity;
import org.pluribus.transport.wire.sbe.HelloEncoder;

/**
 * The first message each way.
 *
 * @param protocolVersion schema version of the sender; the other fields mean something only if it
 *     is ours
 * @param nodeId sender
 * @param nodeCount nodes of the VM as the sender knows it
 * @param incarnation random number drawn by the sender when it started
 * @param configHash see {@link NodeIdentity#configHash()}
 * @param vmKeyHash see {@link org.pluribus.transport.VmKey#hash()}
 */
record Hello(
    long protocolVersion,
    int nodeId,
    int nodeCount,
    long incarnation,
    long configHash,
    byte[] vmKeyHash) {

  /** The version this build speaks. */
  static final int PROTOCOL_VERSION = HelloEncoder.SCHEMA_VERSION;

  /** What a node says of itself. */
  static Hello of(NodeIdentity identity, long incarnation) {
    return new Hello(
        PROTOCOL_VERSION,
        identity.nodeId(),
        identity.nodeCount(),
        incarnation,
        identity.configHash(),
        identity.key().hash());
  }

  /**
   * Why a node that says {@code this} won't join with one that says {@code theirs}.
   *
   * @param peer the id {@code theirs} should have
   * @param name how people know the peer
   * @return one line, or null if they belong together
   */
  @Nullable String objection(Hello theirs, int peer, String name) {
    if (theirs.protocolVersion != protocolVersion) {
      return name
          + " speaks protocol version "
          + theirs.protocolVersion
          + ", this node "
          + protocolVersion
          + ": run the same release on all nodes";
    }
    if (!MessageDigest.isEqual(theirs.vmKeyHash, vmKeyHash)) {
      return name + " has another VM key: it belongs to another VM, or its key file is not ours";
    }
    if (theirs.nodeId == nodeId) {
      return name
          + " calls itself node "
          + nodeId
          + " as this node does: give every node an id of its own";
    }
    if (theirs.nodeId != peer) {
      return name
          + " calls itself node "
          + theirs.nodeId
          + ": give all nodes the same cluster configuration";
    }
    if (theirs.nodeCount != nodeCount) {
      return name
          + " knows "
          + theirs.nodeCount
          + " nodes, this node "
          + nodeCount
          + ": give all nodes the same cluster configuration";
    }
    if (theirs.configHash != configHash) {
      return name + " has another configuration: give all nodes the same cluster configuration";
    }
    return null;
  }
}
