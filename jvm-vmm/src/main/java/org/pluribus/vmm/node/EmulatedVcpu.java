package org.pluribus.vmm.node;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.HdrHistogram.Histogram;
import org.pluribus.hw.HostProfile;
import org.pluribus.vmm.apic.IpiMessage;
import org.pluribus.vmm.apic.LocalApic;
import org.pluribus.vmm.emulator.Cpu;
import org.pluribus.vmm.emulator.CpuEnvironment;
import org.pluribus.vmm.emulator.CpuReset;
import org.pluribus.vmm.loader.EntryState;
import org.pluribus.vmm.memory.GuestRamLayout;
import org.pluribus.vmm.time.GuestClock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A vCPU whose instructions our own emulator executes, and the machine as its {@link Cpu} sees it.
 *
 * <p>Threads: {@link #kick} and {@link #post} may be called by others as they say, the rest belongs
 * to the vCPU's own thread.
 */
final class EmulatedVcpu implements VcpuBackend, CpuEnvironment, SoftMmuPageRights.Target {
  private static final Logger LOG = LoggerFactory.getLogger(EmulatedVcpu.class);

  /** Distinct unknown instructions kept for the report. */
  private static final int MAX_UNKNOWN = 64;

  /** Bytes of an unknown instruction that the report shows. */
  private static final int UNKNOWN_BYTES = 8;

  /** Longest fault latency the histogram tells apart from "longer": one minute, in nanoseconds. */
  private static final long MAX_LATENCY_NANOS = 60_000_000_000L;

  /** Longest first pause of {@link #backOff}: about what fetching two pages takes. */
  private static final long BACK_OFF_NANOS = 200_000;

  /** Up to 64 times that: a dozen milliseconds, for nodes that wait for a core, too. */
  private static final int BACK_OFF_DOUBLINGS = 6;

  /** How long peers' messages may wait meanwhile. */
  private static final long BACK_OFF_PARK_NANOS = 50_000;

  private final VcpuThread vcpu;
  private final PluribusNode node;
  private final SoftMmuPageRights rights;
  private final GuestRamLayout layout;
  private final GuestClock clock;
  private final ShootdownQueue shootdowns;
  private final PageWaiter waiter;
  private final BusLock.Member bus;
  private final Histogram latency = new Histogram(MAX_LATENCY_NANOS, 3);
  private final Map<String, AtomicInteger> unknown = new ConcurrentHashMap<>();
  private final Cpu cpu;

  EmulatedVcpu(
      VcpuThread vcpu,
      SoftMmuPageRights rights,
      HostProfile profile,
      GuestClock clock,
      BusLock busLock,
      CpuOfVcpu cpuOf) {
    this.vcpu = vcpu;
    this.rights = rights;
    this.clock = clock;
    node = vcpu.node();
    layout = node.layout();
    shootdowns = new ShootdownQueue(layout);
    waiter = new PageWaiter(shootdowns, profile);
    node.add(waiter);
    cpu = cpuOf.make(this);
    bus =
        busLock.join(shootdowns, () -> cpu.raiseAttention(Cpu.ATTENTION_SAFEPOINT), node::stopping);
    rights.add(this);
  }

  /** Makes the CPU around its environment. */
  interface CpuOfVcpu {
    Cpu make(CpuEnvironment environment);
  }

  /** Fault latencies in nanoseconds; read it after the thread's end. */
  Histogram latency() {
    return latency;
  }

  /** Instructions nobody implements, by their bytes, with counts. Any thread. */
  Map<String, AtomicInteger> unknownInstructions() {
    return unknown;
  }

  // ---- backend

  @Override
  public void enter(EntryState e) {
    if (e.mode() == EntryState.Mode.LONG64) {
      CpuReset.enterLong64(
          cpu, e.rip(), e.rsp(), e.rsi(), e.cr3(), e.gdtBase(), e.gdtLimit(), e.cs(), e.ds());
    } else {
      CpuReset.enterProtected32(
          cpu, e.rip(), e.rsp(), e.rax(), e.rbx(), e.gdtBase(), e.gdtLimit(), e.cs(), e.ds());
    }
  }

  @Override
  public void init() {
    CpuReset.init(cpu);
  }

  @Override
  public void sipi(int page) {
    CpuReset.sipi(cpu, page);
  }

  @Override
  public void run() {
    resume();
    cpu.run();
  }

  @Override
  public void quiet() {
    shootdowns.quiet(cpu, rights);
  }

  @Override
  public void resume() {
    shootdowns.run();
    shootdowns.drain(cpu, rights);
    bus.pass();
  }

  @Override
  public VcpuState capture() {
    return EmulatedState.capture(cpu);
  }

  @Override
  public void restore(VcpuState state) {
    resume(); // an event that waits is delivered, through guest memory
    EmulatedState.restore(cpu, state);
    quiet();
    if (state.activity().nmiPending()) {
      vcpu.apic().accept(IpiMessage.NMI, 0, false);
    }
  }

  @Override
  public void kick() {
    cpu.raiseAttention(Cpu.ATTENTION_SAFEPOINT | Cpu.ATTENTION_INTERRUPT);
  }

  @Override
  public long instructions() {
    return cpu.instructions;
  }

  @Override
  public String describe() {
    return String.format(
        "at %x in CR3 %x, CPL %d%s%s%s, %d instructions",
        cpu.rip,
        cpu.cr3,
        cpu.cpl,
        cpu.halted ? ", halted" : "",
        cpu.interruptsEnabled() ? ", IF" : "",
        shootdowns.isRunning() ? ", running" : "",
        cpu.instructions);
  }

  @Override
  public void close() {
    // Nothing outside the Java heap belongs to it.
  }

  @Override
  public boolean post(Shootdown s, boolean writeOnly) {
    boolean done = shootdowns.post(s, writeOnly);
    if (!done && shootdowns.isRunning()) {
      cpu.raiseAttention(Cpu.ATTENTION_SAFEPOINT);
    }
    return done;
  }

  @Override
  public long waits() {
    return cpu.waits();
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
    if (!rights.suffices(page, write)) {
      fetch(page, write);
    }
    return node.hostAddress(page);
  }

  private void fetch(long page, boolean write) {
    long start = System.nanoTime();
    quiet();
    node.acquire(waiter, page, write);
    shootdowns.drainOlder(cpu, rights);
    bus.pass();
    latency.recordValue(Math.min(System.nanoTime() - start, MAX_LATENCY_NANOS));
  }

  @Override
  public boolean isWritable(long gpaPage) {
    return rights.suffices(layout.pageOf(gpaPage << 12), true);
  }

  @Override
  public void dropWriteMappings(Cpu c, long gpaPage) {
    quiet();
    rights.dropWriteMappings(node, layout.pageOf(gpaPage << 12));
    resume();
  }

  @Override
  public void lockBus(Cpu c) {
    bus.lock();
  }

  @Override
  public void unlockBus(Cpu c) {
    bus.unlock();
  }

  @Override
  public void backOff(Cpu c, int attempt) {
    long most = BACK_OFF_NANOS << Math.min(attempt, BACK_OFF_DOUBLINGS);
    long until = System.nanoTime() + ThreadLocalRandom.current().nextLong(most);
    quiet();
    while (System.nanoTime() - until < 0 && !node.stopping()) {
      if (node.tryDuty() == 0) {
        LockSupport.parkNanos(this, BACK_OFF_PARK_NANOS);
      }
    }
    resume();
  }

  // ---- devices

  @Override
  public long mmioRead(Cpu c, long gpa, int size) {
    return vcpu.mmioRead(gpa, size);
  }

  @Override
  public void mmioWrite(Cpu c, long gpa, int size, long value) {
    vcpu.mmioWrite(gpa, size, value);
  }

  @Override
  public long portRead(Cpu c, int port, int size) {
    return vcpu.portRead(port, size);
  }

  @Override
  public void portWrite(Cpu c, int port, int size, long value) {
    vcpu.portWrite(port, size, value);
  }

  // ---- interrupts

  @Override
  public boolean readMsr(Cpu c, int msr) {
    LocalApic apic = vcpu.apic();
    if (!LocalApic.ownsMsr(msr) || !apic.readMsr(msr)) {
      return false;
    }
    c.msrValue = apic.msrValue();
    return true;
  }

  @Override
  public boolean writeMsr(Cpu c, int msr, long value) {
    return LocalApic.ownsMsr(msr) && vcpu.apic().writeMsr(msr, value);
  }

  @Override
  public int readCr8(Cpu c) {
    return vcpu.apic().cr8();
  }

  @Override
  public void writeCr8(Cpu c, int value) {
    vcpu.apic().setCr8(value);
    c.raiseAttention(Cpu.ATTENTION_INTERRUPT);
  }

  @Override
  public boolean interruptPending(Cpu c) {
    return vcpu.apic().interruptPending();
  }

  @Override
  public int acknowledgeInterrupt(Cpu c) {
    return vcpu.apic().acknowledgeInterrupt();
  }

  @Override
  public boolean takeNmi(Cpu c) {
    return vcpu.apic().takeNmi();
  }

  @Override
  public long tsc(Cpu c) {
    return clock.tsc();
  }

  @Override
  public boolean safepoint(Cpu c) {
    quiet();
    node.tryDuty();
    resume();
    return !node.stopping() && !vcpu.takeInit();
  }

  @Override
  public boolean halt(Cpu c) {
    return vcpu.halt(c.interruptsEnabled());
  }

  @Override
  public void tripleFault(Cpu c) {
    vcpu.tripleFault();
  }

  @Override
  public void unknownInstruction(Cpu c, long rip, byte[] bytes, int length) {
    StringBuilder hex = new StringBuilder();
    for (int i = 0; i < Math.min(length, UNKNOWN_BYTES); i++) {
      hex.append(String.format("%02x", bytes[i]));
    }
    String key = hex.toString();
    if (unknown.size() < MAX_UNKNOWN || unknown.containsKey(key)) {
      unknown.computeIfAbsent(key, k -> new AtomicInteger()).incrementAndGet();
    }
    LOG.debug("vCPU {} unknown instruction {} at {}", vcpu.index(), key, Long.toHexString(rip));
  }
}
