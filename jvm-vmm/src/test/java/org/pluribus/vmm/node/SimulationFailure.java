package org.pluribus.vmm.node;

/** A simulated cluster did what it must not. */
final class SimulationFailure extends AssertionError {
  private static final long serialVersionUID = 1L;

  SimulationFailure(String message) {
    super(message);
  }
}
