package org.pluribus.coherence.sim;

import java.util.SplittableRandom;

/**
 * Shape of one simulated run.
 *
 * @param seed everything random follows from it
 * @param operations instructions and device transfers each vCPU and device does
 * @param pagesPerInstruction most pages one instruction needs
 * @param holdNanos see {@code CacheController}
 * @param maxDelayNanos most a message travels, beyond waiting for its lane
 * @param maxRevokeNanos most a revoke takes to complete
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
    Sabotage sabotage) {

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
        Sabotage.NONE);
  }

  /** The same with a bug planted. */
  public SimConfig with(Sabotage planted) {
    return new SimConfig(
        seed,
        nodes,
        pages,
        vcpusPerNode,
        devicesPerNode,
        operations,
        pagesPerInstruction,
        holdNanos,
        maxDelayNanos,
        maxRevokeNanos,
        planted);
  }
}
