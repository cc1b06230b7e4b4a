package org.pluribus.coherence.sim;

import java.util.Arrays;
import org.pluribus.coherence.CacheController;
import org.pluribus.coherence.CacheState;
import org.pluribus.coherence.CoherenceCounter;
import org.pluribus.coherence.DirectoryController;

/** What must hold at every step, and when everything has come to rest. */
final class Checker {
  private final Simulation simulation;

  /** Of each word of each page. */
  private final long[][] lastWrite;

  private long writes;

  Checker(Simulation simulation) {
    this.simulation = simulation;
    this.lastWrite = new long[simulation.config().pages()][SimNode.WORDS];
  }

  /** Data value: a read returns what the last write, on whichever node, left. */
  void read(SimNode node, long page) {
    long[] seen = node.content(page);
    if (!Arrays.equals(seen, lastWrite[(int) page])) {
      throw fail(
          "node "
              + node.id()
              + " reads writes "
              + Arrays.toString(seen)
              + " from page "
              + page
              + ", the last were "
              + Arrays.toString(lastWrite[(int) page]));
    }
  }

  /** Gives a write to a word its number. */
  long write(long page, int word) {
    lastWrite[(int) page][word] = ++writes;
    return writes;
  }

  /**
   * Single writer or many readers, over the rights in force (not those the protocol believes in).
   */
  void granted(SimNode node, long page) {
    boolean writer = node.rights(page) == SimNode.WRITE;
    for (SimNode other : simulation.nodes()) {
      int rights = other.rights(page);
      boolean conflict = rights == SimNode.WRITE || (writer && rights != SimNode.NONE);
      if (other != node && conflict) {
        throw fail(
            "node "
                + node.id()
                + " is granted page "
                + page
                + (writer ? " to write" : " to read")
                + " while node "
                + other.id()
                + (rights == SimNode.WRITE ? " writes" : " reads"));
      }
    }
    read(node, page);
  }

  /** Everything asked for was done, nothing is left over, and the directories tell the truth. */
  void atRest() {
    for (SimNode node : simulation.nodes()) {
      if (!node.isDone()) {
        throw fail("node " + node.id() + " is stuck: " + node.describe());
      }
      if (node.cache().pagesInTransit() != 0 || node.directory().busyPages() != 0) {
        throw fail("node " + node.id() + " has unfinished transactions");
      }
      long highWater = node.counters().get(CoherenceCounter.QUEUE_HIGH_WATER);
      if (highWater >= simulation.config().nodes()) {
        throw fail("a queue at node " + node.id() + " reached " + highWater);
      }
    }
    if (simulation.network().inFlight() != 0) {
      throw fail("messages left in flight");
    }
    for (long page = 0; page < simulation.config().pages(); page++) {
      directoryTellsTheTruth(page);
    }
  }

  private void directoryTellsTheTruth(long page) {
    DirectoryController home = simulation.node(simulation.homeOf(page)).directory();
    for (SimNode node : simulation.nodes()) {
      CacheController cache = node.cache();
      CacheState state = cache.state(page);
      boolean owns = home.owner(page) == node.id();
      boolean shares = (home.sharers(page) & (1L << node.id())) != 0;
      CacheState recorded = owns ? CacheState.M : shares ? CacheState.S : CacheState.I;
      int rights = recorded.writable() ? SimNode.WRITE : shares ? SimNode.READ : SimNode.NONE;
      if (state != recorded || node.rights(page) != rights || (owns && shares)) {
        throw fail(
            "page "
                + page
                + " is "
                + state
                + " at node "
                + node.id()
                + ", its home has "
                + recorded
                + ", rights in force "
                + node.rights(page));
      }
      if (shares || owns) {
        read(node, page);
      }
    }
  }

  CheckFailure fail(String what) {
    return new CheckFailure(what);
  }
}
