package org.pluribus.hw.host;

import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.util.Locale;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import org.pluribus.kvm.Kvm;
import org.pluribus.kvm.VcpuExit;
import org.pluribus.kvm.VcpuFd;
import org.pluribus.kvm.VmFd;
import org.pluribus.posix.Mapping;

/**
 * Finds out whether this host's KVM executes a guest's kernel on the processor itself: a small
 * guest computes with integer, SSE2 and x87 instructions in CPL 0 at a kernel's address. Its
 * results have to be right, and one of them has to be there within a time that only a processor
 * keeps to. One of several, since a busy host interrupts some; but no instruction emulator is ever
 * that fast.
 *
 * <p>A KVM without hardware virtualisation runs such code in an instruction emulator, some hundred
 * nanoseconds per instruction, and gives up at most SSE and x87 instructions.
 *
 * <p>Takes some milliseconds where kernel code is native or KVM gives up, else {@link #LIMIT_NANOS}
 * of CPU time at most, {@link #WALL_LIMIT_NANOS} at most on a host without free CPUs.
 */
public final class KernelCodeProbe {
  /**
   * What was found out.
   *
   * @param isNative whether the guest's code ran on the processor
   * @param reason why, part of a sentence
   */
  public record Verdict(boolean isNative, String reason) {}

  /** Rounds of the guest's loop for a result: twenty thousand instructions. */
  static final int ROUNDS = 2_000;

  /** How many results may take too long. */
  private static final int ATTEMPTS = 20;

  /**
   * How long a result may take, nanoseconds: 100 ns per instruction. Processors take less than 1
   * ns, processors that are emulated by translation some 5 ns, instruction emulators 700 ns.
   */
  private static final long RESULT_NANOS = 2_000_000;

  /** CPU time that all results together may take. */
  static final long LIMIT_NANOS = 400_000_000;

  /**
   * Rounds before those that count: the first entry makes KVM map the guest's pages, and tells
   * whether it can execute all instructions.
   */
  private static final int WARM_UP_ROUNDS = 10;

  /** The same by the clock on the wall: the CPUs may be busy with something else. */
  private static final long WALL_LIMIT_NANOS = 3_000_000_000L;

  /** How often the guest's CPU time is looked at. */
  private static final long LOOK_MILLIS = 20;

  /** A kicked vCPU needs microseconds to leave the guest. */
  private static final long STOP_MILLIS = 2_000;

  private static final double NANOS_PER_MILLI = 1e6;

  private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();

  private final ProbeGuest guest;
  private final int rounds;
  private volatile @Nullable VcpuFd running;
  private volatile boolean expired;

  /** CPU time of the vCPU's thread before it entered the guest; written before {@link #running}. */
  private long cpuBefore;

  private KernelCodeProbe(ProbeGuest.Privilege privilege, int rounds) {
    this.guest = new ProbeGuest(privilege);
    this.rounds = rounds;
  }

  /**
   * Runs the guest in CPL 0.
   *
   * @throws org.pluribus.posix.PosixException when KVM refuses to make a VM
   */
  public static Verdict run(Kvm kvm) {
    return run(kvm, ProbeGuest.Privilege.KERNEL, ROUNDS);
  }

  /** The same guest with a privilege and a length of its own. */
  static Verdict run(Kvm kvm, ProbeGuest.Privilege privilege, int rounds) {
    return new KernelCodeProbe(privilege, rounds).watch(kvm);
  }

  /** Waits for the guest's end, and brings it about when the time is up. */
  private Verdict watch(Kvm kvm) {
    FutureTask<Verdict> task = new FutureTask<>(() -> execute(kvm));
    Thread thread = new Thread(task, "kvm-probe");
    thread.setDaemon(true);
    thread.start();
    long deadline = System.nanoTime() + WALL_LIMIT_NANOS;
    try {
      while (!isOver(thread, deadline)) {
        try {
          return task.get(LOOK_MILLIS, TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
          // look again
        }
      }
      return expire(task);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return new Verdict(false, "the probe was interrupted");
    } catch (ExecutionException e) {
      if (e.getCause() instanceof RuntimeException r) {
        throw r;
      }
      throw new IllegalStateException(e.getCause());
    }
  }

  private boolean isOver(Thread thread, long deadline) {
    return System.nanoTime() - deadline > 0
        || running != null && THREADS.getThreadCpuTime(thread.threadId()) - cpuBefore > LIMIT_NANOS;
  }

  private Verdict expire(FutureTask<Verdict> task) throws InterruptedException, ExecutionException {
    expired = true;
    VcpuFd vcpu = running;
    if (vcpu != null) {
      vcpu.kick();
    }
    try {
      return task.get(STOP_MILLIS, TimeUnit.MILLISECONDS);
    } catch (TimeoutException e) {
      return new Verdict(false, "a vCPU cannot be stopped");
    }
  }

  /** The vCPU's thread: makes the VM, runs it, takes it away. */
  private Verdict execute(Kvm kvm) {
    try (Mapping ram = guest.ram();
        VmFd vm = kvm.createVm()) {
      ProbeGuest.prepare(vm, ram);
      try (VcpuFd vcpu = vm.createVcpu(0)) {
        guest.prepare(kvm, vcpu, WARM_UP_ROUNDS, rounds);
        cpuBefore = THREADS.getCurrentThreadCpuTime();
        running = vcpu;
        return judge(vcpu);
      }
    }
  }

  private Verdict judge(VcpuFd vcpu) {
    long best = Long.MAX_VALUE;
    for (int i = 0; i <= ATTEMPTS; i++) {
      boolean warmUp = i == 0;
      long start = System.nanoTime();
      String failure = awaitResult(vcpu, warmUp ? WARM_UP_ROUNDS : rounds);
      long nanos = System.nanoTime() - start;
      if (failure != null) {
        return new Verdict(false, failure);
      }
      if (!warmUp) {
        best = Math.min(best, nanos);
      }
      if (best <= RESULT_NANOS) {
        return new Verdict(true, work() + " took " + inMillis(best));
      }
    }
    return new Verdict(false, work() + " took at least " + inMillis(best));
  }

  /** Runs until the guest tells a result; answers what is wrong, or null. */
  private @Nullable String awaitResult(VcpuFd vcpu, int rounds) {
    VcpuExit exit = vcpu.run();
    while (exit instanceof VcpuExit.Interrupted && !expired) {
      exit = vcpu.run();
    }
    if (exit instanceof VcpuExit.Interrupted) {
      return work() + " were not done in time";
    }
    if (exit instanceof VcpuExit.InternalError error && error.isEmulation()) {
      return "its emulator lacks '" + guest.instruction(vcpu) + "'";
    }
    if (!ProbeGuest.isResult(exit)) {
      return "the probe's guest ended with " + exit;
    }
    return ((VcpuExit.Mmio) exit).data() == ProbeGuest.expected(rounds)
        ? null
        : "the probe's guest computed a wrong result";
  }

  private String work() {
    return String.format(
        Locale.ROOT, "%,d instructions", (long) rounds * ProbeGuest.INSTRUCTIONS_PER_ROUND);
  }

  private static String inMillis(long nanos) {
    return String.format(Locale.ROOT, "%.2f ms", nanos / NANOS_PER_MILLI);
  }
}
