package org.pluribus.coherence.sim;

/** A device that pins its pages for the time of a transfer. */
final class SimDevice extends SimAgent {
  private static final int MAX_TRANSFER_NANOS = 3_000;

  SimDevice(Simulation simulation, SimNode node) {
    super(simulation, node);
  }

  @Override
  void attempt() {
    for (int i = 0; i < pages.length; i++) {
      if (!node.cache().pin(pages[i], writes[i])) {
        unpin(i);
        faulted(pages[i], writes[i]);
        node.afterStep();
        return;
      }
    }
    if (simulation.random().nextInt(4) == 0) {
      nestedPin();
    }
    for (int i = 0; i < pages.length; i++) {
      node.access(pages[i], writes[i]);
    }
    node.after(1 + simulation.random().nextInt(MAX_TRANSFER_NANOS), this::transferred);
  }

  private void nestedPin() {
    if (!node.cache().pin(pages[0], writes[0])) {
      throw simulation.checker().fail("a pinned page can't be pinned again");
    }
    node.cache().unpin(pages[0]);
  }

  private void transferred() {
    for (int i = 0; i < pages.length; i++) {
      int needed = writes[i] ? SimNode.WRITE : SimNode.READ;
      if (node.rights(pages[i]) < needed) {
        throw simulation.checker().fail("node " + node.id() + " lost pinned page " + pages[i]);
      }
      node.access(pages[i], writes[i]);
    }
    unpin(pages.length);
    completed();
    node.afterStep();
  }

  private void unpin(int count) {
    for (int i = 0; i < count; i++) {
      node.cache().unpin(pages[i]);
    }
  }
}
