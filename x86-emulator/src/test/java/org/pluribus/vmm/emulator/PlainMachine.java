package org.pluribus.vmm.emulator;

import java.util.HashMap;
import java.util.HexFormat;
import java.util.Map;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.BiConsumer;
import org.pluribus.posix.HostMemory;
import org.pluribus.posix.Mapping;

/**
 * The plainest machine a CPU can run in, for tests: 16 MiB of RAM from 0, one page of MMIO, no
 * interrupts, one CPU (more with {@link #newCpu}).
 *
 * <p>In 64-bit mode memory is identity-mapped by 4 KiB pages, user-accessible and writable; {@link
 * #setPageFlags} changes single pages. Linear addresses from {@link #MMIO} on for one page are
 * device registers that remember what was written; what lies beyond is not mapped.
 */
public final class PlainMachine implements CpuEnvironment, AutoCloseable {
  /** RAM, bytes. */
  public static final long RAM_BYTES = 16 << 20;

  /** Where {@link #code(String)} puts code. */
  public static final long CODE = 0x10_0000;

  /** Initial stack pointer in 32- and 64-bit mode. */
  public static final long STACK = 0x30_0000;

  /** RAM that nothing else uses, up to {@link #RAM_BYTES}. */
  public static final long DATA = 0x40_0000;

  /** Linear address of the MMIO page (the same as its GPA: just above RAM). */
  public static final long MMIO = RAM_BYTES;

  /** Entry flags: present, writable, user. */
  public static final long PRESENT = 1;

  public static final long WRITABLE = 2;
  public static final long USER = 4;

  private static final long PML4 = 0x1000;
  private static final long PDPT = 0x2000;
  private static final long PD = 0x3000;
  private static final long PT = 0x4000;

  private static final int CODE64_ACCESS = 0xA09B;
  private static final int CODE32_ACCESS = 0xC09B;
  private static final int CODE16_ACCESS = 0x9B;
  private static final int DATA32_ACCESS = 0xC093;
  private static final int DATA16_ACCESS = 0x93;

  private final Mapping ram = Mapping.anonymous(RAM_BYTES, Mapping.PROT_READ | Mapping.PROT_WRITE);
  public final CodeCache codeCache = new CodeCache((RAM_BYTES >>> 12) + 16);
  public final Cpu cpu = newCpu(0);

  /** The bytes of the MMIO page. */
  public final byte[] mmio = new byte[4096];

  /** Last value written to each port; what reads give. */
  public final Map<Integer, Long> ports = new HashMap<>();

  /** MSRs of the environment's by number; an access to one that is not here is illegal. */
  public final Map<Integer, Long> msrs = new HashMap<>();

  /** Who shares the bus runs guest code; who locks it is alone. */
  private final ReentrantReadWriteLock bus = new ReentrantReadWriteLock(true);

  /** Called for {@link #dropWriteMappings}. */
  public BiConsumer<Cpu, Long> onDropWriteMappings = (c, page) -> {};

  public int cr8;
  public long tsc;

  /** Vector that {@link #acknowledgeInterrupt} gives next, or -1. */
  public int pendingVector = -1;

  public boolean pendingNmi;

  /** Polls until {@link Cpu#run} returns: ends guest code that runs away. */
  public int safepointsLeft = 20;

  public boolean tripleFaulted;

  /** Unknown instructions met. */
  public int unknownInstructions;

  /** A machine in 64-bit mode. */
  public static PlainMachine in64() {
    PlainMachine m = new PlainMachine();
    m.enter64(m.cpu);
    return m;
  }

  /** A machine in flat 32-bit protected mode without paging. */
  public static PlainMachine in32() {
    PlainMachine m = new PlainMachine();
    m.enterFlat(m.cpu, 32);
    return m;
  }

  /** A machine in real mode: all segment bases 0, code at 0x7C00, stack below it. */
  public static PlainMachine in16() {
    PlainMachine m = new PlainMachine();
    m.enterFlat(m.cpu, 16);
    return m;
  }

  /** Another CPU on the same memory, in its reset state. */
  public Cpu newCpu(int id) {
    return new Cpu(id, this, codeCache);
  }

  /** Puts {@code c} into 64-bit mode at CPL 0 with flat segments and the identity page tables. */
  public void enter64(Cpu c) {
    enterFlat(c, 32);
    buildPageTables();
    c.cr3 = PML4;
    c.cr4 = CpuRegisters.CR4_PAE | CpuRegisters.CR4_OSFXSR | CpuRegisters.CR4_OSXMMEXCPT;
    c.efer =
        CpuRegisters.EFER_LME
            | CpuRegisters.EFER_LMA
            | CpuRegisters.EFER_NXE
            | CpuRegisters.EFER_SCE;
    c.cr0 =
        CpuRegisters.CR0_PE
            | CpuRegisters.CR0_PG
            | CpuRegisters.CR0_WP
            | CpuRegisters.CR0_NE
            | CpuRegisters.CR0_MP
            | CpuRegisters.CR0_ET;
    c.segAccess[CpuRegisters.CS] = CODE64_ACCESS;
    c.codeBits = 64;
    c.stackBits = 64;
    c.flushTlb();
    c.accessModeChanged();
  }

  private void enterFlat(Cpu c, int bits) {
    c.cr0 = CpuRegisters.CR0_NE | CpuRegisters.CR0_ET | (bits == 32 ? CpuRegisters.CR0_PE : 0);
    c.cr4 = CpuRegisters.CR4_OSFXSR | CpuRegisters.CR4_OSXMMEXCPT;
    for (int s = 0; s < 6; s++) {
      boolean code = s == CpuRegisters.CS;
      c.segSelector[s] = bits == 32 ? code ? 0x8 : 0x10 : 0;
      c.segBase[s] = 0;
      c.effectiveBase[s] = 0;
      c.segLimit[s] = bits == 32 ? -1 : 0xFFFF;
      c.segAccess[s] =
          bits == 32 ? code ? CODE32_ACCESS : DATA32_ACCESS : code ? CODE16_ACCESS : DATA16_ACCESS;
    }
    c.codeBits = bits;
    c.stackBits = bits;
    c.cpl = 0;
    c.rip = codeBase(c);
    c.gpr[CpuRegisters.RSP] = bits == 16 ? 0x7C00 : STACK;
    c.flushTlb();
    c.accessModeChanged();
  }

  private void buildPageTables() {
    long rights = PRESENT | WRITABLE | USER;
    put64(PML4, PDPT | rights);
    put64(PDPT, PD | rights);
    long pages = (RAM_BYTES >>> 12) + 1; // one more for MMIO
    for (long p = 0; p < pages; p++) {
      if ((p & 511) == 0) {
        put64(PD + (p >>> 9) * 8, PT + (p >>> 9) * 4096 | rights);
      }
      put64(PT + p * 8, p << 12 | rights);
    }
  }

  /** Replaces the rights of the page at {@code la} ({@link #PRESENT}...; 0 unmaps it). */
  public void setPageFlags(long la, long flags) {
    long entry = PT + (la >>> 12) * 8;
    put64(entry, (la & CpuMemory.PAGE_MASK) | flags);
    cpu.flushTlbPage(la);
  }

  private static long codeBase(Cpu c) {
    return c.codeBits == 16 ? 0x7C00 : CODE;
  }

  // ---- code ----

  /** Puts bytes (hexadecimal, blanks allowed) where code goes and sets RIP there. */
  public PlainMachine code(String hex) {
    long at = codeBase(cpu);
    code(at, hex);
    cpu.rip = at;
    return this;
  }

  /** Puts bytes at {@code address}, for any CPU to execute. */
  public PlainMachine code(long address, String hex) {
    put(address, HexFormat.of().parseHex(hex.replaceAll("\\s", "")));
    for (long p = address >>> 12; p <= address + hex.length() >>> 12; p++) {
      codeCache.markStale(p);
    }
    return this;
  }

  /**
   * Executes {@code n} instructions without delivering faults.
   *
   * @throws GuestFault what an instruction raised; its state is as before that instruction
   */
  public PlainMachine run(int n) {
    for (int k = 0; k < n; k++) {
      cpu.executeOne();
    }
    return this;
  }

  /** Interprets one block on {@code c}, as one of several CPUs that run at once. */
  public void runShared(Cpu c) {
    bus.readLock().lock();
    try {
      c.interpret(c.currentBlock());
    } finally {
      bus.readLock().unlock();
    }
  }

  /** {@link #code(String)} and {@link #run(int)} of one instruction (all repeats of a REP). */
  public PlainMachine exec(String hex) {
    code(hex);
    long at = cpu.rip;
    do {
      cpu.executeOne();
    } while (cpu.rip == at);
    return this;
  }

  /** Executes one instruction that must raise a fault; its vector. */
  public int vectorOf(String hex) {
    code(hex);
    try {
      cpu.executeOne();
    } catch (GuestFault f) {
      return f.vector;
    }
    throw new AssertionError("no fault raised by " + hex);
  }

  // ---- registers and memory ----

  public long reg(int n) {
    return cpu.gpr[n];
  }

  public PlainMachine reg(int n, long value) {
    cpu.gpr[n] = value;
    return this;
  }

  /** All of EFLAGS. */
  public int flags() {
    return cpu.eflags();
  }

  /** Sets the six arithmetic flags. */
  public PlainMachine flags(int arithmetic) {
    cpu.setArithmeticFlags(arithmetic);
    return this;
  }

  /** Host address of guest-physical address {@code gpa}. */
  public long host(long gpa) {
    return ram.address() + gpa;
  }

  public PlainMachine put(long gpa, byte[] bytes) {
    for (int k = 0; k < bytes.length; k++) {
      HostMemory.putByte(host(gpa + k), bytes[k]);
    }
    return this;
  }

  public byte[] get(long gpa, int count) {
    byte[] b = new byte[count];
    for (int k = 0; k < count; k++) {
      b[k] = HostMemory.getByte(host(gpa + k));
    }
    return b;
  }

  public PlainMachine put64(long gpa, long value) {
    HostMemory.putLong(host(gpa), value);
    return this;
  }

  public long get64(long gpa) {
    return HostMemory.getLong(host(gpa));
  }

  @Override
  public void close() {
    ram.close();
  }

  // ---- CpuEnvironment ----

  @Override
  public long pageForRead(Cpu c, long page) {
    return page < RAM_BYTES >>> 12 ? host(page << 12) : 0;
  }

  @Override
  public long pageForWrite(Cpu c, long page) {
    return pageForRead(c, page);
  }

  @Override
  public boolean isWritable(long page) {
    return page < RAM_BYTES >>> 12;
  }

  @Override
  public void dropWriteMappings(Cpu c, long page) {
    // Most tests with several CPUs put their code in place before they start.
    onDropWriteMappings.accept(c, page);
  }

  @Override
  public void lockBus(Cpu c) {
    if (bus.getReadHoldCount() > 0) { // in runShared
      bus.readLock().unlock();
      bus.writeLock().lock();
    }
  }

  @Override
  public void unlockBus(Cpu c) {
    if (bus.isWriteLockedByCurrentThread()) {
      bus.readLock().lock();
      bus.writeLock().unlock();
    }
  }

  @Override
  public long mmioRead(Cpu c, long gpa, int size) {
    long v = 0;
    for (int k = 0; k < size; k++) {
      v |= (mmio[(int) (gpa + k) & 0xFFF] & 0xFFL) << 8 * k;
    }
    return v;
  }

  @Override
  public void mmioWrite(Cpu c, long gpa, int size, long value) {
    for (int k = 0; k < size; k++) {
      mmio[(int) (gpa + k) & 0xFFF] = (byte) (value >>> 8 * k);
    }
  }

  @Override
  public long portRead(Cpu c, int port, int size) {
    return ports.getOrDefault(port, -1L) & (-1L >>> 64 - 8 * size);
  }

  @Override
  public void portWrite(Cpu c, int port, int size, long value) {
    ports.put(port, value);
  }

  @Override
  public boolean readMsr(Cpu c, int msr) {
    Long v = msrs.get(msr);
    if (v != null) {
      c.msrValue = v;
    }
    return v != null;
  }

  @Override
  public boolean writeMsr(Cpu c, int msr, long value) {
    return msrs.replace(msr, value) != null;
  }

  @Override
  public int readCr8(Cpu c) {
    return cr8;
  }

  @Override
  public void writeCr8(Cpu c, int value) {
    cr8 = value;
  }

  @Override
  public boolean interruptPending(Cpu c) {
    return pendingVector >= 0;
  }

  @Override
  public int acknowledgeInterrupt(Cpu c) {
    int v = pendingVector;
    pendingVector = -1;
    return v;
  }

  @Override
  public boolean takeNmi(Cpu c) {
    boolean was = pendingNmi;
    pendingNmi = false;
    return was;
  }

  @Override
  public long tsc(Cpu c) {
    return ++tsc;
  }

  @Override
  public boolean safepoint(Cpu c) {
    return safepointsLeft-- > 0;
  }

  @Override
  public boolean halt(Cpu c) {
    return false;
  }

  @Override
  public void tripleFault(Cpu c) {
    tripleFaulted = true;
  }

  @Override
  public void unknownInstruction(Cpu c, long rip, byte[] bytes, int length) {
    unknownInstructions++;
  }
}
