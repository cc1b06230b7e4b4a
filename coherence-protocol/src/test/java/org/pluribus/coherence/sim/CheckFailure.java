package org.pluribus.coherence.sim;

/** A checker found the protocol at fault. */
public final class CheckFailure extends AssertionError {
  private static final long serialVersionUID = 1L;

  CheckFailure(String message) {
    super(message);
  }
}
