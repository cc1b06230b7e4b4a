package org.pluribus.vmm.node;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.HdrHistogram.Histogram;
import org.jspecify.annotations.Nullable;
import org.pluribus.hw.HostProfile;
import org.pluribus.vmm.apic.LocalApic;
import org.pluribus.vmm.apic.VcpuSignal;
import org.pluribus.vmm.emulator.Cpu;
import org.pluribus.vmm.emulator.CpuEnvironment;
import org.pluribus.vmm.emulator.CpuReset;
import org.pluribus.vmm.memory.AddressMap;
import org.pluribus.vmm.memory.GuestRamLayout;
import org.pluribus.vmm.time.GuestClock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One vCPU of this node: the thread that runs it, and the machine as its {@link Cpu} sees it.
 *
 * <p>Threads: {@link #kick} and {@link #post} may be called by others as they say, the rest belongs
 * to the vCPU's own thread.
 */
public final class VcpuThread implements CpuEnvironment, VcpuSignal {
  private static final Logger LOG = LoggerFactory.getLogger(VcpuThread.class);

  /** First sleep of a halted vCPU; later ones grow up to the profile's bound. */
  private static final long HALT_MIN_PARK_NANOS = 20_000;

  private static final long NANOS_PER_MICRO = 1_000;

  /** Distinct unknown instructions kept for the report. */
  private static final int MAX_UNKNOWN = 64;

  /** Longest fault latency the histogram tells apart from "longer": one minute, in nanoseconds. */
  private static final long MAX_LATENCY_NANOS = 60_000_000_000L;

  private final int index;
  private final PluribusNode node;
  private final GuestRamLayout layout;
  private final LocalApic apic;
  private final GuestClock clock;
  private final DeviceAccess devices;
  private final ShootdownQueue shootdowns;
  private final PageWaiter waiter;
  private final IdleBackoff haltIdle;
  private final Histogram latency = new Histogram(MAX_LATENCY_NANOS, 3);
  private final Map<String, AtomicInteger> unknown = new ConcurrentHashMap<>();
  private final Thread thread;
  private final Cpu cpu;
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
      GuestClock clock,
      DeviceAccess devices,
      CpuOfVcpu cpuOf,
      Runnable onTripleFault) {
    this.index = index;
    this.node = node;
    this.layout = node.layout();
    this.clock = clock;
    this.devices = devices;
    this.onTripleFault = onTripleFault;
    shootdowns = new ShootdownQueue(layout);
    waiter = new PageWaiter(shootdowns, profile);
    haltIdle =
        new IdleBackoff(
            profile.haltYields(),
            HALT_MIN_PARK_NANOS,
            Math.max(HALT_MIN_PARK_NANOS, profile.haltMaxSleepMicros() * NANOS_PER_MICRO));
    node.add(waiter);
    thread = new Thread(this::runThread, "vcpu-" + index);
    thread.setDaemon(true);
    cpu = cpuOf.make(this);
    apic = apicOf.make(this);
  }

  /** Makes the vCPU's APIC around the vCPU that it signals. */
  interface ApicOfVcpu {
    LocalApic make(VcpuSignal signal);
  }

  /** Makes the CPU around its environment. */
  interface CpuOfVcpu {
    Cpu make(CpuEnvironment environment);
  }

  public int index() {
    return index;
  }

  public Cpu cpu() {
    return cpu;
  }

  public LocalApic apic() {
    return apic;
  }

  /** Fault latencies in nanoseconds; read it after {@link #join}. */
  Histogram latency() {
    return latency;
  }

  /** Instructions nobody implements, by their bytes, with counts. Any thread. */
  Map<String, AtomicInteger> unknownInstructions() {
    return unknown;
  }

  /** Where the vCPU is, for the log; racy, from any thread. */
  String describe() {
    return String.format(
        "vCPU %d at %x in CR3 %x, CPL %d%s%s%s, %d instructions, apic %s",
        index,
        cpu.rip,
        cpu.cr3,
        cpu.cpl,
        cpu.halted ? ", halted" : "",
        cpu.interruptsEnabled() ? ", IF" : "",
        shootdowns.isRunning() ? ", running" : "",
        cpu.instructions,
        apic);
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
    cpu.raiseAttention(Cpu.ATTENTION_SAFEPOINT | Cpu.ATTENTION_INTERRUPT);
    if (Thread.currentThread() != thread) {
      LockSupport.unpark(thread);
    }
  }

  /** Posts a shoot-down; true when it is complete. Token holder. */
  boolean post(Shootdown s, boolean writeOnly) {
    boolean done = shootdowns.post(s, writeOnly);
    if (!done && shootdowns.isRunning()) {
      cpu.raiseAttention(Cpu.ATTENTION_SAFEPOINT);
    }
    return done;
  }

  private void runThread() {
    try {
      while (!node.stopping()) {
        if (apic.waitingForSipi()) {
          waitForSipi();
          continue;
        }
        enterGuest();
        cpu.run();
        if (initTaken) {
          initTaken = false;
          CpuReset.init(cpu);
        }
      }
    } catch (VcpuStopped expected) {
      LOG.debug("vCPU {} stopped while it waited", index);
    } catch (Throwable t) {
      LOG.error("vCPU {} failed at RIP {}", index, Long.toHexString(cpu.rip), t);
      node.fail("vCPU " + index + " failed: " + t);
    } finally {
      shootdowns.quiet(cpu, node);
    }
  }

  private void enterGuest() {
    shootdowns.run();
    shootdowns.drain(cpu, node);
  }

  private void waitForSipi() {
    shootdowns.quiet(cpu, node);
    haltIdle.reset();
    while (!node.stopping()) {
      int page = apic.takeSipi();
      if (page >= 0) {
        CpuReset.sipi(cpu, page);
        return;
      }
      apic.takeInit(); // an INIT while waiting for SIPI changes nothing, but must not stay pending
      idleTurn();
    }
    throw VcpuStopped.INSTANCE;
  }

  private void idleTurn() {
    if (node.tryDuty() > 0) {
      haltIdle.reset();
    } else {
      haltIdle.idle();
    }
  }

  // ---- pages

  @Override
  public long pageForRead(Cpu c, long gpaPage) {
    return page(gpaPage, false);
  }

  @Override
  public long pageForWrite(Cpu c, long gpaPage) {
    return page(gpaPage, true);
  }

  private long page(long gpaPage, boolean write) {
    long gpa = gpaPage << 12;
    if (!layout.isRam(gpa)) {
      return 0;
    }
    long page = layout.pageOf(gpa);
    if (!node.suffices(page, write)) {
      fetch(page, write);
    }
    return node.hostAddress(page);
  }

  private void fetch(long page, boolean write) {
    long start = System.nanoTime();
    shootdowns.quiet(cpu, node);
    node.acquire(waiter, page, write);
    shootdowns.drainOlder(cpu, node);
    latency.recordValue(Math.min(System.nanoTime() - start, MAX_LATENCY_NANOS));
  }

  @Override
  public boolean isWritable(long gpaPage) {
    return node.suffices(layout.pageOf(gpaPage << 12), true);
  }

  @Override
  public void dropWriteMappings(Cpu c, long gpaPage) {
    shootdowns.quiet(cpu, node);
    node.dropWriteMappings(this, layout.pageOf(gpaPage << 12));
    enterGuest();
  }

  // ---- devices

  @Override
  public long mmioRead(Cpu c, long gpa, int size) {
    if (isApic(gpa)) {
      return apic.read(gpa & 0xFFF, size);
    }
    return access(true, false, gpa, size, 0);
  }

  @Override
  public void mmioWrite(Cpu c, long gpa, int size, long value) {
    if (isApic(gpa)) {
      apic.write(gpa & 0xFFF, size, value);
    } else {
      access(true, true, gpa, size, value);
    }
  }

  private boolean isApic(long gpa) {
    long base = apic.mmioBase(); // negative while it has no MMIO page
    return base >= 0 && gpa - base >= 0 && gpa - base < AddressMap.LAPIC_SIZE;
  }

  @Override
  public long portRead(Cpu c, int port, int size) {
    return access(false, false, port, size, 0);
  }

  @Override
  public void portWrite(Cpu c, int port, int size, long value) {
    access(false, true, port, size, value);
  }

  private long access(boolean mmio, boolean write, long address, int size, long value) {
    if (devices.isLocal()) {
      return devices.local(mmio, write, address, size, value);
    }
    shootdowns.quiet(cpu, node);
    long result = devices.remote(index, mmio, write, address, size, value);
    enterGuest();
    return result;
  }

  // ---- interrupts

  @Override
  public boolean readMsr(Cpu c, int msr) {
    if (!LocalApic.ownsMsr(msr) || !apic.readMsr(msr)) {
      return false;
    }
    c.msrValue = apic.msrValue();
    return true;
  }

  @Override
  public boolean writeMsr(Cpu c, int msr, long value) {
    return LocalApic.ownsMsr(msr) && apic.writeMsr(msr, value);
  }

  @Override
  public int readCr8(Cpu c) {
    return apic.cr8();
  }

  @Override
  public void writeCr8(Cpu c, int value) {
    apic.setCr8(value);
    c.raiseAttention(Cpu.ATTENTION_INTERRUPT);
  }

  @Override
  public boolean interruptPending(Cpu c) {
    return apic.extIntPending() || apic.pendingVector() >= 0;
  }

  @Override
  public int acknowledgeInterrupt(Cpu c) {
    if (apic.extIntPending()) {
      return apic.acknowledgeExtInt();
    }
    return apic.pendingVector() >= 0 ? apic.acknowledge() : -1;
  }

  @Override
  public boolean takeNmi(Cpu c) {
    return apic.takeNmi();
  }

  @Override
  public long tsc(Cpu c) {
    return clock.nanos();
  }

  @Override
  public boolean safepoint(Cpu c) {
    shootdowns.quiet(cpu, node);
    node.tryDuty();
    enterGuest();
    return !node.stopping() && !takeInit();
  }

  @Override
  public boolean halt(Cpu c) {
    shootdowns.quiet(cpu, node);
    haltIdle.reset();
    while (!apic.wakeupPending(c.interruptsEnabled())) {
      if (node.stopping()) {
        return false;
      }
      idleTurn();
    }
    enterGuest();
    return !takeInit();
  }

  private boolean takeInit() {
    initTaken = apic.takeInit();
    return initTaken;
  }

  @Override
  public void tripleFault(Cpu c) {
    LOG.warn("vCPU {} triple fault at RIP {}", index, Long.toHexString(c.rip));
    onTripleFault.run();
  }

  @Override
  public void unknownInstruction(Cpu c, long rip, byte[] bytes, int length) {
    StringBuilder hex = new StringBuilder();
    for (int i = 0; i < Math.min(length, 8); i++) {
      hex.append(String.format("%02x", bytes[i]));
    }
    String key = hex.toString();
    if (unknown.size() < MAX_UNKNOWN || unknown.containsKey(key)) {
      unknown.computeIfAbsent(key, k -> new AtomicInteger()).incrementAndGet();
    }
    LOG.debug("vCPU {} unknown instruction {} at {}", index, key, Long.toHexString(rip));
  }

  @Nullable Thread thread() {
    return thread;
  }
}
