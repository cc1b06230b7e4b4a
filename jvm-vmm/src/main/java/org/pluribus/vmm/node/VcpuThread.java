package org.pluribus.vmm.node;

import java.util.concurrent.locks.LockSupport;
import org.pluribus.hw.HostProfile;
import org.pluribus.vmm.apic.LocalApic;
import org.pluribus.vmm.apic.VcpuSignal;
import org.pluribus.vmm.loader.EntryState;
import org.pluribus.vmm.memory.AddressMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One vCPU of this node: the thread that runs it, its APIC, and how its accesses reach devices.
 * What executes the instructions is its {@link VcpuBackend}, which calls the methods below for what
 * leaves the CPU.
 *
 * <p>Threads: {@link #kick} may be called by others, the rest belongs to the vCPU's own thread.
 */
public final class VcpuThread implements VcpuSignal {
  private static final Logger LOG = LoggerFactory.getLogger(VcpuThread.class);

  /** First sleep of a halted vCPU; later ones grow up to the profile's bound. */
  private static final long HALT_MIN_PARK_NANOS = 20_000;

  /** Sleep of a halted vCPU whose node has a duty thread; bounds what a kick gone wrong costs. */
  private static final long PARK_NANOS = 10_000_000;

  private static final long NANOS_PER_MICRO = 1_000;

  /** Where the register pages of APICs are moved to is a page number. */
  private static final int APIC_OFFSET_MASK = 0xFFF;

  private final int index;
  private final PluribusNode node;
  private final LocalApic apic;
  private final DeviceAccess devices;
  private final IdleBackoff haltIdle;
  private final Thread thread;
  private final VcpuBackend backend;
  private final Runnable onTripleFault;
  private boolean initTaken;

  /**
   * @param index number of the vCPU in the machine
   * @param onTripleFault told once, from this thread
   */
  VcpuThread(
      int index,
      PluribusNode node,
      HostProfile profile,
      ApicOfVcpu apicOf,
      DeviceAccess devices,
      BackendOfVcpu backendOf,
      Runnable onTripleFault) {
    this.index = index;
    this.node = node;
    this.devices = devices;
    this.onTripleFault = onTripleFault;
    haltIdle =
        new IdleBackoff(
            profile.haltYields(),
            HALT_MIN_PARK_NANOS,
            Math.max(HALT_MIN_PARK_NANOS, profile.haltMaxSleepMicros() * NANOS_PER_MICRO));
    thread = new Thread(this::runThread, "vcpu-" + index);
    thread.setDaemon(true);
    backend = backendOf.make(this);
    apic = apicOf.make(this);
  }

  /** Makes the vCPU's APIC around the vCPU that it signals. */
  interface ApicOfVcpu {
    LocalApic make(VcpuSignal signal);
  }

  /** Makes what executes the vCPU's instructions; it may use the thread's APIC once it runs. */
  interface BackendOfVcpu {
    VcpuBackend make(VcpuThread vcpu);
  }

  public int index() {
    return index;
  }

  public LocalApic apic() {
    return apic;
  }

  VcpuBackend backend() {
    return backend;
  }

  PluribusNode node() {
    return node;
  }

  /** Where the vCPU is, for the log; racy, from any thread. */
  String describe() {
    return "vCPU " + index + " " + backend.describe() + ", apic " + apic;
  }

  /** Sets the boot vCPU's registers. Before {@link #start}. */
  void enter(EntryState state) {
    backend.enter(state);
  }

  void start() {
    thread.start();
  }

  /** Waits for the thread's end, for at most {@code millis}; false if it still runs. */
  boolean join(long millis) throws InterruptedException {
    thread.join(millis);
    return !thread.isAlive();
  }

  /** Makes the vCPU look around soon: out of HLT, out of its block. Any thread. */
  @Override
  public void kick() {
    backend.kick();
    if (Thread.currentThread() != thread) {
      LockSupport.unpark(thread);
    }
  }

  private void runThread() {
    try {
      while (!node.stopping()) {
        if (apic.waitingForSipi()) {
          waitForSipi();
          continue;
        }
        backend.run();
        if (initTaken) {
          initTaken = false;
          backend.init();
        }
      }
    } catch (VcpuStopped expected) {
      LOG.debug("vCPU {} stopped while it waited", index);
    } catch (Throwable t) {
      LOG.error("vCPU {} failed, {}", index, backend.describe(), t);
      node.fail("vCPU " + index + " failed: " + t.getMessage());
    } finally {
      backend.quiet();
    }
  }

  private void waitForSipi() {
    backend.quiet();
    haltIdle.reset();
    while (!node.stopping()) {
      int page = apic.takeSipi();
      if (page >= 0) {
        backend.sipi(page);
        return;
      }
      apic.takeInit(); // an INIT while waiting for SIPI changes nothing, but must not stay pending
      idleTurn();
    }
    throw VcpuStopped.INSTANCE;
  }

  private void idleTurn() {
    if (node.hasDutyThread()) {
      LockSupport.parkNanos(this, PARK_NANOS); // a kick ends it
    } else if (node.tryDuty() > 0) {
      haltIdle.reset();
    } else {
      haltIdle.idle();
    }
  }

  // ---- what leaves the CPU

  long mmioRead(long gpa, int size) {
    if (isApic(gpa)) {
      return apic.read(gpa & APIC_OFFSET_MASK, size);
    }
    return access(true, false, gpa, size, 0);
  }

  void mmioWrite(long gpa, int size, long value) {
    if (isApic(gpa)) {
      apic.write(gpa & APIC_OFFSET_MASK, size, value);
    } else {
      access(true, true, gpa, size, value);
    }
  }

  private boolean isApic(long gpa) {
    long base = apic.mmioBase(); // negative while it has no MMIO page
    return base >= 0 && gpa - base >= 0 && gpa - base < AddressMap.LAPIC_SIZE;
  }

  long portRead(int port, int size) {
    return access(false, false, port, size, 0);
  }

  void portWrite(int port, int size, long value) {
    access(false, true, port, size, value);
  }

  private long access(boolean mmio, boolean write, long address, int size, long value) {
    if (devices.isLocal()) {
      return devices.local(mmio, write, address, size, value);
    }
    backend.quiet();
    long result = devices.remote(index, mmio, write, address, size, value);
    backend.resume();
    return result;
  }

  /**
   * The vCPU has executed HLT: waits for a reason to go on.
   *
   * @return false when {@link VcpuBackend#run} shall return
   */
  boolean halt(boolean interruptsEnabled) {
    backend.quiet();
    haltIdle.reset();
    while (!apic.wakeupPending(interruptsEnabled)) {
      if (node.stopping()) {
        return false;
      }
      idleTurn();
    }
    backend.resume();
    return !takeInit();
  }

  /** Takes an INIT, if one came: {@link VcpuBackend#run} shall return then. */
  boolean takeInit() {
    initTaken = apic.takeInit();
    return initTaken;
  }

  void tripleFault() {
    LOG.warn("vCPU {} triple fault, {}", index, backend.describe());
    onTripleFault.run();
  }
}
