package org.pluribus.coherence.sim;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.Consumer;
import org.pluribus.coherence.DeltaMode;

/**
 * Shape of one simulated run.
 *
 * @param seed everything random follows from it
 * @param operations instructions and device transfers each vCPU and device does
 * @param pagesPerInstruction most pages one instruction needs
 * @param holdNanos see {@code CacheController}
 * @param maxDelayNanos most a message travels, beyond waiting for its lane
 * @param maxRevokeNanos most a revoke takes to complete
 * @param maxCutNanos most a link is cut at a time, now and then; 0 for never
 * @param maxPauseNanos most a whole node stands still at a time, now and then; 0 for never
 * @param deltas whether nodes send only what changed of a page
 * @param twins how many twins a node has room for
 * @param slowNode a node that takes several times as long for everything, or -1
 */
public record SimConfig(
    long seed,
    int nodes,
    int pages,
    int vcpusPerNode,
    int devicesPerNode,
    int operations,
    int pagesPerInstruction,
    long holdNanos,
    int maxDelayNanos,
    int maxRevokeNanos,
    int maxCutNanos,
    int maxPauseNanos,
    int slowNode,
    DeltaMode deltas,
    int twins,
    Sabotage sabotage) {

  /** A cut or pause may last so many times as long as a message travels. */
  private static final int OUTAGE_DELAYS = 50;

  /** A run whose shape is drawn from the seed: 2 to 8 nodes, few pages so that they meet often. */
  public static SimConfig random(long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    int nodes = random.nextInt(2, 9);
    int delay = random.nextInt(1, 2_000);
    int revoke = random.nextInt(1, 1_000);
    boolean holds = random.nextInt(4) != 0;
    // An instruction of several pages is sure to get through only under a hold that outlasts the
    // fetching of the others.
    int pagesPerInstruction = holds ? random.nextInt(1, 4) : 1;
    long hold = holds ? 8L * (delay + revoke) : 0;
    return new SimConfig(
        seed,
        nodes,
        random.nextInt(1, 12),
        random.nextInt(1, 4),
        random.nextInt(0, 3),
        2_400 / nodes,
        pagesPerInstruction,
        hold,
        delay,
        revoke,
        random.nextBoolean() ? OUTAGE_DELAYS * delay : 0,
        random.nextBoolean() ? OUTAGE_DELAYS * delay : 0,
        random.nextInt(3) == 0 ? random.nextInt(nodes) : -1,
        DeltaMode.values()[random.nextInt(DeltaMode.values().length)],
        random.nextInt(1, 8),
        Sabotage.NONE);
  }

  /** Instructions and transfers of the whole cluster. */
  public long allOperations() {
    return (long) nodes * (vcpusPerNode + devicesPerNode) * operations;
  }

  /** The same with a bug planted. */
  public SimConfig with(Sabotage planted) {
    return changed(draft -> draft.sabotage = planted);
  }

  /** The same run made simpler in one way or another; the simplest first. */
  List<SimConfig> simpler() {
    List<SimConfig> simpler = new ArrayList<>();
    simpler.add(changed(draft -> draft.operations = Math.min(1, operations)));
    simpler.add(changed(draft -> draft.operations = operations / 4));
    simpler.add(changed(draft -> draft.operations = operations / 2));
    simpler.add(changed(draft -> draft.operations = operations - 1));
    simpler.add(changed(draft -> draft.nodes = Math.max(2, nodes / 2)));
    simpler.add(changed(draft -> draft.nodes = Math.max(2, nodes - 1)));
    simpler.add(changed(draft -> draft.pages = 1));
    simpler.add(changed(draft -> draft.pages = Math.max(1, pages - 1)));
    simpler.add(changed(draft -> draft.vcpus = 1));
    simpler.add(changed(draft -> draft.devices = 0));
    simpler.add(changed(draft -> draft.pagesPerInstruction = 1));
    simpler.add(changed(draft -> draft.cut = 0));
    simpler.add(changed(draft -> draft.pause = 0));
    simpler.add(changed(draft -> draft.slow = -1));
    simpler.add(changed(draft -> draft.deltas = DeltaMode.OFF));
    simpler.add(changed(draft -> draft.twins = 1));
    // Without a hold only instructions of one page are sure to get through.
    simpler.add(
        changed(draft -> {
          draft.hold = 0;
          draft.pagesPerInstruction = 1;
        }));
    simpler.removeIf(config -> config.equals(this) || config.operations < 1);
    return simpler;
  }

  private SimConfig changed(Consumer<Draft> change) {
    Draft draft = new Draft(this);
    change.accept(draft);
    return new SimConfig(
        seed,
        draft.nodes,
        draft.pages,
        draft.vcpus,
        draft.devices,
        draft.operations,
        draft.pagesPerInstruction,
        draft.hold,
        maxDelayNanos,
        maxRevokeNanos,
        draft.cut,
        draft.pause,
        draft.slow < draft.nodes ? draft.slow : -1,
        draft.deltas,
        draft.twins,
        draft.sabotage);
  }

  /** What can be changed. */
  private static final class Draft {
    int nodes;
    int pages;
    int vcpus;
    int devices;
    int operations;
    int pagesPerInstruction;
    long hold;
    int cut;
    int pause;
    int slow;
    DeltaMode deltas;
    int twins;
    Sabotage sabotage;

    Draft(SimConfig from) {
      nodes = from.nodes;
      pages = from.pages;
      vcpus = from.vcpusPerNode;
      devices = from.devicesPerNode;
      operations = from.operations;
      pagesPerInstruction = from.pagesPerInstruction;
      hold = from.holdNanos;
      cut = from.maxCutNanos;
      pause = from.maxPauseNanos;
      slow = from.slowNode;
      deltas = from.deltas;
      twins = from.twins;
      sabotage = from.sabotage;
    }
  }
}
