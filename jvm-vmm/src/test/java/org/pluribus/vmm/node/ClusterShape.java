package org.pluribus.vmm.node;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.pluribus.coherence.DeltaMode;

/**
 * Shape of a {@link SimulatedCluster}; times in nanoseconds of its virtual clock.
 *
 * @param seed everything random follows from it
 * @param pages of each node's memory that are used, few so that nodes meet
 * @param operations accesses that each vCPU makes, and transfers that each device makes
 * @param hold see {@code CacheController}
 * @param maxDelay most a frame travels, beyond waiting for its lane
 * @param maxTurn most that passes until a node looks for what has come
 * @param maxBlock most that a vCPU runs between two block boundaries
 * @param maxCut most a link is cut at a time, now and then; 0 for never
 * @param maxPause most a whole node stands still at a time, now and then; 0 for never
 * @param refusals one frame in so many is not taken by the network at once; 0 for none
 * @param deltas whether nodes send only what has changed of a page
 * @param mischief what goes wrong beyond that
 */
record ClusterShape(
    long seed,
    int nodes,
    int pages,
    int vcpus,
    int devices,
    int operations,
    long hold,
    int maxDelay,
    int maxTurn,
    int maxBlock,
    int maxCut,
    int maxPause,
    int refusals,
    DeltaMode deltas,
    Mischief mischief) {

  /** A cut or pause may last so many times as long as a frame travels. */
  private static final int OUTAGE_DELAYS = 200;

  private static final int MAX_DELAY = 50_000;
  private static final int MAX_TURN = 5_000;
  private static final int MAX_BLOCK = 20_000;
  private static final int OPERATIONS = 1_200;

  /** What a run must survive, or be ended by, or what a checker must find. */
  enum Mischief {
    /** Nothing: all operations are done and right, and no node complains. */
    NONE,

    // ---- peers that send what makes no sense: the machine ends, and nothing wrong is ever read
    /** A coherence frame comes twice. */
    FRAME_TWICE,
    /** A frame lacks its end. */
    FRAME_SHORT,
    /** A frame of random bytes. */
    FRAME_OF_NOISE,
    /** Nothing comes through a link any more: both ends lose each other. */
    LINK_LOST,

    // ---- bugs planted, which a checker must find
    /** The network loses a control frame. */
    FRAME_LOST,
    /** The network swaps frames of a control lane. */
    LANE_REORDERED,
    /** A bit of a page turns over on its way. */
    BIT_FLIPPED,
    /** A node says that its vCPUs have lost a right while they still use it. */
    REVOKE_NOT_AWAITED,
    /** A node sends the bytes that a page had at its last sending. */
    STALE_BYTES;

    /** Whether the machine must end by itself. */
    boolean ends() {
      return ordinal() >= FRAME_TWICE.ordinal() && ordinal() <= LINK_LOST.ordinal();
    }

    /** Whether a checker must find it. */
    boolean planted() {
      return ordinal() > LINK_LOST.ordinal();
    }
  }

  /** A shape drawn from the seed. */
  static ClusterShape random(long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    int nodes = random.nextInt(2, 6);
    int delay = random.nextInt(100, MAX_DELAY);
    return new ClusterShape(
        seed,
        nodes,
        random.nextInt(1, 4),
        random.nextInt(1, 4),
        random.nextInt(0, 2),
        OPERATIONS / nodes,
        random.nextBoolean() ? 2L * delay : 0,
        delay,
        random.nextInt(100, MAX_TURN),
        random.nextInt(100, MAX_BLOCK),
        random.nextBoolean() ? OUTAGE_DELAYS * delay : 0,
        random.nextBoolean() ? OUTAGE_DELAYS * delay : 0,
        random.nextInt(3) == 0 ? random.nextInt(2, 20) : 0,
        DeltaMode.values()[random.nextInt(DeltaMode.values().length)],
        Mischief.NONE);
  }

  /** Accesses and transfers of the whole cluster. */
  long allOperations() {
    return (long) nodes * (vcpus + devices) * operations;
  }

  /** The same with nodes that send only what has changed of a page, or don't. */
  ClusterShape with(DeltaMode mode) {
    return new ClusterShape(
        seed,
        nodes,
        pages,
        vcpus,
        devices,
        operations,
        hold,
        maxDelay,
        maxTurn,
        maxBlock,
        maxCut,
        maxPause,
        refusals,
        mode,
        mischief);
  }

  /** The same with mischief. */
  ClusterShape with(Mischief other) {
    return of(nodes, pages, vcpus, devices, operations, hold, maxCut, maxPause, refusals, other);
  }

  /** The same made simpler in one way or another; the simplest first. */
  List<ClusterShape> simpler() {
    List<ClusterShape> all = new ArrayList<>();
    for (int fewer : new int[] {2, nodes - 1}) {
      all.add(
          of(fewer, pages, vcpus, devices, operations, hold, maxCut, maxPause, refusals, mischief));
    }
    all.add(with(DeltaMode.OFF));
    all.add(of(nodes, 1, vcpus, devices, operations, hold, maxCut, maxPause, refusals, mischief));
    all.add(of(nodes, pages, 1, devices, operations, hold, maxCut, maxPause, refusals, mischief));
    all.add(of(nodes, pages, vcpus, 0, operations, hold, maxCut, maxPause, refusals, mischief));
    all.add(of(nodes, pages, vcpus, devices, operations, 0, maxCut, maxPause, refusals, mischief));
    all.add(of(nodes, pages, vcpus, devices, operations, hold, 0, 0, 0, mischief));
    for (int fewer : new int[] {1, operations / 4, operations / 2, operations - 1}) {
      all.add(of(nodes, pages, vcpus, devices, fewer, hold, maxCut, maxPause, refusals, mischief));
    }
    all.removeIf(s -> s.equals(this) || s.operations < 1 || s.nodes < 2);
    return all;
  }

  private ClusterShape of(
      int nodes,
      int pages,
      int vcpus,
      int devices,
      int operations,
      long hold,
      int maxCut,
      int maxPause,
      int refusals,
      Mischief mischief) {
    return new ClusterShape(
        seed,
        nodes,
        pages,
        vcpus,
        devices,
        operations,
        hold,
        maxDelay,
        maxTurn,
        maxBlock,
        maxCut,
        maxPause,
        refusals,
        deltas,
        mischief);
  }
}
