package org.pluribus.vmm.node;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** A vCPU with a soft TLB that makes one access in each block of instructions. */
final class SimulatedVcpu extends SimulatedAgent implements SoftMmuPageRights.Target {
  /** A vCPU is quiet for a moment at one block of so many. */
  private static final int BLOCKS_PER_SAFEPOINT = 8;

  private final ShootdownQueue shootdowns;

  /** Pages that it looked up, and whether to write them. */
  private final Map<Long, Boolean> tlb = new HashMap<>();

  private long waits;

  /** What it has been told to drop and not dropped. */
  private final List<Runnable> posted = new ArrayList<>();

  SimulatedVcpu(SimulatedCluster cluster, SimulatedNode home) {
    this(cluster, home, new ShootdownQueue(cluster.layout()));
  }

  private SimulatedVcpu(SimulatedCluster cluster, SimulatedNode home, ShootdownQueue shootdowns) {
    super(cluster, home, shootdowns);
    this.shootdowns = shootdowns;
    home.rights.add(this);
    shootdowns.run();
  }

  @Override
  public boolean post(Shootdown shootdown, boolean writeOnly) {
    long page = shootdown.page;
    posted.add(() -> tlb.computeIfPresent(page, (p, write) -> writeOnly ? false : null));
    return shootdowns.post(shootdown, writeOnly);
  }

  @Override
  public long waits() {
    return waits;
  }

  /** Drops what it was told to; what came right behind a grant it drops again at the next time. */
  private void drop() {
    posted.forEach(Runnable::run);
  }

  private void dropForGood() {
    drop();
    if (!posted.isEmpty()) {
      cluster.turnSoon(home.id()); // the node's thread will see who has acknowledged
    }
    posted.clear();
  }

  private void quiet() {
    shootdowns.quiet(cluster.cpu(), home.rights);
    dropForGood();
  }

  @Override
  void rest() {
    quiet();
  }

  /** A block boundary, then a block with an access. */
  @Override
  void begin() {
    if (random.nextInt(BLOCKS_PER_SAFEPOINT) == 0) {
      waits++;
      quiet();
      int ignored = home.node.tryDuty();
      shootdowns.run();
    }
    shootdowns.drain(cluster.cpu(), home.rights);
    dropForGood();
    long page = cluster.randomPage();
    boolean write = random.nextInt(3) == 0;
    // It looks at its TLB now and uses what it finds a little later.
    boolean hit = tlb.containsKey(page) && (!write || tlb.get(page));
    if (hit) {
      home.after(random.nextInt(cluster.shape().maxBlock()), () -> use(page, write));
    } else if (home.node.suffices(page, write)) {
      fill(page, write);
    } else {
      quiet();
      await(page, write, () -> granted(page, write));
    }
  }

  private void granted(long page, boolean write) {
    shootdowns.drainOlder(cluster.cpu(), home.rights);
    drop();
    fill(page, write);
  }

  private void fill(long page, boolean write) {
    tlb.merge(page, write, Boolean::logicalOr);
    use(page, write);
  }

  private void use(long page, boolean write) {
    home.access(page, write);
    done();
  }
}
