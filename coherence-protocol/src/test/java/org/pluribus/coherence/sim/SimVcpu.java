package org.pluribus.coherence.sim;

/** A vCPU whose next instruction needs all of a set of pages at one moment. */
final class SimVcpu extends SimAgent {
  SimVcpu(Simulation simulation, SimNode node) {
    super(simulation, node);
  }

  @Override
  void attempt() {
    if (simulation.random().nextInt(16) == 0) {
      // A stale or needless fault, such as a vCPU raises that raced with a grant.
      long any = simulation.random().nextInt(simulation.config().pages());
      node.fault(any, simulation.random().nextInt(4) == 0);
    }
    for (int i = 0; i < pages.length; i++) {
      if (!node.getsThrough(pages[i], writes[i])) {
        faulted(pages[i], writes[i]);
        return;
      }
    }
    for (int i = 0; i < pages.length; i++) {
      node.access(pages[i], writes[i]);
    }
    for (long page : pages) {
      node.cache().used(page);
    }
    completed();
    node.afterStep();
  }
}
