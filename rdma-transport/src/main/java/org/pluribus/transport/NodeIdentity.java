package org.pluribus.transport;

import org.pluribus.coherence.CacheController;

/**
 * Who a node is, and what all nodes of its VM must agree on.
 *
 * @param nodeId this node, from 0
 * @param nodeCount nodes of the VM
 * @param pageCount pages of guest RAM; messages about pages beyond are refused
 * @param key the VM's secret
 * @param configHash hash of the rest of the configuration that must be the same everywhere
 */
public record NodeIdentity(int nodeId, int nodeCount, long pageCount, VmKey key, long configHash) {

  /** Most nodes a VM can have. */
  public static final int MAX_NODES = CacheController.MAX_NODES;

  public NodeIdentity {
    if (nodeCount < 1 || nodeCount > MAX_NODES) {
      throw new IllegalArgumentException("node count " + nodeCount + ": must be 1 to " + MAX_NODES);
    }
    if (nodeId < 0 || nodeId >= nodeCount) {
      throw new IllegalArgumentException("node id " + nodeId + ": must be 0 to " + (nodeCount - 1));
    }
    if (pageCount < 1) {
      throw new IllegalArgumentException("page count " + pageCount + ": must be at least 1");
    }
  }
}
