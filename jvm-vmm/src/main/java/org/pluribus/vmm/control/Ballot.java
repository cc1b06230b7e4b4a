package org.pluribus.vmm.control;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What the nodes have said to one question of {@link TransportChoice}, as node 0 collects it: RDMA
 * goes on only if all say yes. A node's first word counts. One thread at a time.
 */
final class Ballot {
  private final List<String> names;
  private final boolean[] hasVoted;
  private final @Nullable String[] objections;
  private int votes;

  /**
   * A ballot without votes.
   *
   * @param names how people know the nodes, by id
   */
  Ballot(List<String> names) {
    this.names = names;
    hasVoted = new boolean[names.size()];
    objections = new String[names.size()];
  }

  /**
   * Counts a node's word.
   *
   * @param objection what is in the way, said of the node ("has no RDMA device"); null for yes
   */
  void vote(int node, @Nullable String objection) {
    if (!hasVoted[node]) {
      hasVoted[node] = true;
      objections[node] = objection;
      votes++;
    }
  }

  /** Whether this node's word is still to come. */
  boolean awaits(int node) {
    return !hasVoted[node];
  }

  /** Whether all have spoken. */
  boolean isComplete() {
    return votes == names.size();
  }

  /** Whether somebody has objected, so that the rest no longer matters. */
  boolean isLost() {
    for (String objection : objections) {
      if (objection != null) {
        return true;
      }
    }
    return false;
  }

  /**
   * Why RDMA is out: the objection of the first node that has one, and how many nodes more do. If
   * there is none, silence is one.
   *
   * @param silence what to say of a node that has not spoken
   * @return one line; null if all have said yes
   */
  @Nullable String objection(String silence) {
    boolean spoken = isLost();
    String first = null;
    int more = 0;
    for (int node = 0; node < objections.length; node++) {
      String objection = hasVoted[node] || spoken ? objections[node] : silence;
      if (objection != null && first == null) {
        first = names.get(node) + " " + objection;
      } else if (objection != null) {
        more++;
      }
    }
    if (first == null || more == 0) {
      return first;
    }
    return first + "; " + more + (more == 1 ? " node more objects" : " nodes more object");
  }
}
