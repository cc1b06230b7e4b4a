package org.pluribus.vmm.node;

/** A device that pins a page for the time of a transfer. */
final class SimulatedDevice extends SimulatedAgent {
  SimulatedDevice(SimulatedCluster cluster, SimulatedNode home) {
    super(cluster, home, null);
  }

  @Override
  void begin() {
    transfer(cluster.randomPage(), random.nextBoolean());
  }

  private void transfer(long page, boolean write) {
    await(page, write, () -> pinned(page, write));
  }

  private void pinned(long page, boolean write) {
    if (!home.node.tryPin(page, write)) {
      transfer(page, write);
      return;
    }
    home.access(page, write);
    home.after(
        random.nextInt(cluster.shape().maxBlock()),
        () -> {
          home.access(page, write);
          home.node.unpin(page, write);
          done();
        });
  }
}
