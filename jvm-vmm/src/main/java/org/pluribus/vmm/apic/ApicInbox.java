package org.pluribus.vmm.apic;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * What other threads have for a vCPU: requested vectors, and events as bits of one word.
 *
 * <p>Any thread puts in, by one atomic operation and a kick; only the vCPU's thread takes out. An
 * event is put in before the kick and taken out by an atomic AND, so none is lost: at worst the
 * vCPU looks once more and finds nothing.
 */
final class ApicInbox {

  static final int TIMER = 1;
  static final int LINT0 = 1 << 1;
  static final int LINT1 = 1 << 2;
  static final int ERROR = 1 << 3;

  /** The events that the LVT turns into interrupts. */
  static final int LVT_EVENTS = TIMER | LINT0 | LINT1 | ERROR;

  static final int NMI = 1 << 4;
  static final int INIT = 1 << 5;
  static final int SIPI = 1 << 6;

  private static final int SIPI_VECTOR_SHIFT = 8;
  private static final int SIPI_VECTOR = 0xFF << SIPI_VECTOR_SHIFT;

  private static final VarHandle EVENTS;
  private static final VarHandle ERRORS;

  static {
    try {
      MethodHandles.Lookup lookup = MethodHandles.lookup();
      EVENTS = lookup.findVarHandle(ApicInbox.class, "events", int.class);
      ERRORS = lookup.findVarHandle(ApicInbox.class, "errors", int.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  private final VcpuSignal signal;
  private final VectorSet requested = new VectorSet();
  private final VectorSet levelTriggered = new VectorSet();
  private volatile int events;
  private volatile int errors;

  ApicInbox(VcpuSignal signal) {
    this.signal = signal;
  }

  /** The IRR. */
  VectorSet requested() {
    return requested;
  }

  /** The TMR: vectors whose EOI goes to the IOAPICs. */
  VectorSet levelTriggered() {
    return levelTriggered;
  }

  /** Requests a vector. */
  void request(int vector, boolean level) {
    // The trigger mode must be in place before the vector can be taken.
    if (levelTriggered.contains(vector) != level) {
      if (level) {
        levelTriggered.add(vector);
      } else {
        levelTriggered.remove(vector);
      }
    }
    if (requested.add(vector)) {
      signal.kick();
    }
  }

  /** Notes an event. */
  void raise(int event) {
    EVENTS.getAndBitwiseOr(this, event);
    signal.kick();
  }

  /** Notes an error for the ESR. */
  void error(int bits) {
    ERRORS.getAndBitwiseOr(this, bits);
    raise(ERROR);
  }

  /** Notes an INIT; a start-up request from before it is void. */
  void init() {
    EVENTS.getAndBitwiseAnd(this, ~(SIPI | SIPI_VECTOR));
    raise(INIT);
  }

  /** Notes a SIPI, unless one waits already. */
  void startUp(int vector) {
    int seen;
    do {
      seen = events;
      if ((seen & SIPI) != 0) {
        return;
      }
    } while (!EVENTS.compareAndSet(this, seen, seen | SIPI | vector << SIPI_VECTOR_SHIFT));
    signal.kick();
  }

  /** Makes the vCPU look again. */
  void kick() {
    signal.kick();
  }

  /** Whether any of these events waits. The vCPU's thread, as all that follow. */
  boolean has(int wanted) {
    return (events & wanted) != 0;
  }

  /** Takes out those of the wanted events that wait. */
  int take(int wanted) {
    return has(wanted) ? (int) EVENTS.getAndBitwiseAnd(this, ~wanted) & wanted : 0;
  }

  /** Takes out the SIPI: its vector, or -1. */
  int takeStartUp() {
    int seen = has(SIPI) ? (int) EVENTS.getAndBitwiseAnd(this, ~(SIPI | SIPI_VECTOR)) : 0;
    return (seen & SIPI) != 0 ? (seen & SIPI_VECTOR) >> SIPI_VECTOR_SHIFT : -1;
  }

  /** Takes out the errors noted. */
  int takeErrors() {
    return errors == 0 ? 0 : (int) ERRORS.getAndSet(this, 0);
  }

  /** Empties it as an INIT or disabling the APIC does: INIT and SIPI themselves stay. */
  void reset() {
    requested.clear();
    levelTriggered.clear();
    take(LVT_EVENTS);
    takeErrors();
  }
}
