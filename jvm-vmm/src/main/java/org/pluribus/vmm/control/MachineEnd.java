package org.pluribus.vmm.control;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.pluribus.vmm.devices.MachineControl;

/** The machine's end as one node knows it: the first reason counts. Any thread. */
final class MachineEnd implements MachineControl {
  private final AtomicReference<@Nullable Outcome> outcome = new AtomicReference<>();
  private final CountDownLatch ended = new CountDownLatch(1);
  private volatile boolean panicSeen;
  private volatile Runnable onEnd = () -> {};

  /** Ends the machine, unless it has ended already. */
  void end(int exitCode, String reason) {
    if (outcome.compareAndSet(null, new Outcome(exitCode, reason))) {
      ended.countDown();
      onEnd.run();
    }
  }

  /** What to do when the end comes, by whoever brings it; at once if it has come. */
  void whenEnded(Runnable action) {
    onEnd = action;
    if (outcome.get() != null) {
      action.run();
    }
  }

  @Nullable Outcome outcome() {
    return outcome.get();
  }

  /** Waits for the end; null when {@code millis} passed first. */
  @Nullable Outcome await(long millis) throws InterruptedException {
    return ended.await(millis, TimeUnit.MILLISECONDS) ? outcome.get() : null;
  }

  /** The guest's console said that its kernel panicked. */
  void panicSeen() {
    panicSeen = true;
  }

  boolean hasPanicked() {
    return panicSeen;
  }

  @Override
  public void powerOff() {
    end(Outcome.DONE, "the guest powered off");
  }

  @Override
  public void reset() {
    if (panicSeen) {
      end(Outcome.GUEST_FAILURE, "the guest's kernel panicked");
    } else {
      end(Outcome.DONE, "the guest asked for a reset");
    }
  }

  @Override
  public void debugExit(int exitCode) {
    end(exitCode, "the guest left through the debug exit port with code " + exitCode);
  }

  void tripleFault(int vcpu) {
    end(Outcome.GUEST_FAILURE, "vCPU " + vcpu + " triple-faulted");
  }
}
