package org.pluribus.perf.ratio;

import java.util.concurrent.SynchronousQueue;
import org.pluribus.vmm.devices.ByteOutput;

/**
 * Where a guest's rounds begin and end: the guest writes a byte to the debug console, and its vCPU
 * waits here until the next round shall begin.
 */
final class Rounds implements ByteOutput {
  private final SynchronousQueue<Boolean> go = new SynchronousQueue<>();
  private final SynchronousQueue<Long> took = new SynchronousQueue<>();
  private long began;
  private volatile boolean ended;

  /** The vCPU's thread. */
  @Override
  public void accept(byte value) {
    long now = System.nanoTime();
    if (ended) {
      return;
    }
    try {
      took.put(now - began);
      go.take();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    began = System.nanoTime();
  }

  /** Waits until the guest has come to its first round. */
  void awaitGuest() throws InterruptedException {
    took.take();
  }

  /** Lets the guest do a round; its nanoseconds. After {@link #awaitGuest}. */
  long next() throws InterruptedException {
    go.put(true);
    return took.take();
  }

  /** Lets the guest go on without anybody waiting for it. */
  void end() throws InterruptedException {
    ended = true;
    go.put(true);
  }
}
