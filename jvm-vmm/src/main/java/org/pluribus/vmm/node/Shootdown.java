package org.pluribus.vmm.node;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * A right being taken away from the vCPUs of this node. Pooled: it lives from the revoke to the
 * last acknowledgement.
 */
final class Shootdown {
  private static final VarHandle PENDING;

  static {
    try {
      PENDING = MethodHandles.lookup().findVarHandle(Shootdown.class, "pending", int.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  /** What waits for the acknowledgements. */
  enum Purpose {
    /** The coherence engine's {@code revoked}. */
    REVOKE,
    /** The coherence engine's {@code downgraded}. */
    DOWNGRADE,
    /** A vCPU of this node that is about to decode code from the page. */
    CODE
  }

  long page;
  Purpose purpose = Purpose.REVOKE;
  private int pending;

  /** Prepares for {@code acknowledgements} calls of {@link #acknowledge}. */
  void begin(long page, Purpose purpose, int acknowledgements) {
    this.page = page;
    this.purpose = purpose;
    PENDING.setVolatile(this, acknowledgements);
  }

  /** One vCPU is done; true for the last. Any thread. */
  boolean acknowledge() {
    return (int) PENDING.getAndAdd(this, -1) == 1;
  }

  boolean done() {
    return waiting() == 0;
  }

  /** Acknowledgements that are still missing. */
  int waiting() {
    return (int) PENDING.getVolatile(this);
  }
}
