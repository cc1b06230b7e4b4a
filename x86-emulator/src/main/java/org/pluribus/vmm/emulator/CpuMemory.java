package org.pluribus.vmm.emulator;

import java.lang.invoke.VarHandle;
import org.pluribus.posix.HostMemory;

/**
 * A CPU's view of memory: linear accesses through the soft TLB, with the page walk behind it.
 *
 * <p>Order: every load is followed by an acquire fence and every store preceded by a release fence.
 * On an x86 host they cost nothing and keep the JIT from breaking x86-TSO (SDM volume 3, section
 * 9.2); guest fences and LOCK use stronger means.
 */
public abstract class CpuMemory extends CpuRegisters {
  public static final long PAGE_SIZE = 4096;
  public static final long PAGE_MASK = -PAGE_SIZE;

  /** Page-fault error code bits (SDM volume 3, section 4.7). */
  public static final int PF_PRESENT = 1;

  public static final int PF_WRITE = 2;
  public static final int PF_USER = 4;
  public static final int PF_RESERVED = 8;
  public static final int PF_FETCH = 16;

  /** Attempts to hold both pages of a crossing store at once before it is done bytewise. */
  private static final int CROSSING_ATTEMPTS = 64;

  protected final CpuEnvironment env;
  protected final CodeCache codeCache;
  final CodeWriter codeWriter;
  protected final GuestFault fault = new GuestFault();
  private final PageWalker walker;

  private final Tlb supervisorTlb = new Tlb();
  private final Tlb userTlb = new Tlb();
  private final Tlb smapTlb = new Tlb();
  private Tlb tlb = supervisorTlb;

  /** The current TLB's arrays; compiled code reads them. */
  long[] readTag = tlb.readTag;

  long[] writeTag = tlb.writeTag;
  long[] hostDelta = tlb.hostDelta;

  static final int ITLB_MASK = 255;
  final long[] fetchTag = new long[ITLB_MASK + 1];
  final CodePage[] fetchPage = new CodePage[ITLB_MASK + 1];

  /** Set when the block being run was overwritten: leave it after this instruction. */
  public boolean breakBlock;

  /** Segment of the last access, for telling #SS from #GP. */
  int accessSeg;

  /** Whether the current TLB is a supervisor's although CPL may be 3 (descriptor accesses). */
  private boolean implicitSupervisor;

  public long tlbFills;

  /** Data breakpoints are armed: their pages stay out of the TLB, so that each access is seen. */
  boolean watching;

  /** Data and I/O breakpoints met by the instruction being run: bits 0 to 3 of DR6. */
  int watchHits;

  protected CpuMemory(CpuEnvironment env, CodeCache codeCache) {
    this.env = env;
    this.codeCache = codeCache;
    this.codeWriter = codeCache.join();
    this.walker = new PageWalker(this);
    java.util.Arrays.fill(fetchTag, Tlb.INVALID);
  }

  // ---- raising faults ----

  /** The CPU's fault, set up to be thrown. */
  public final GuestFault fault(int vector, int errorCode) {
    fault.vector = vector;
    fault.errorCode = errorCode;
    return fault;
  }

  public final GuestFault fault(int vector) {
    return fault(vector, GuestFault.NO_ERROR_CODE);
  }

  public final GuestFault gp(int errorCode) {
    return fault(GuestFault.GP, errorCode);
  }

  public final GuestFault ud() {
    return fault(GuestFault.UD);
  }

  final GuestFault pageFault(long la, int errorCode) {
    cr2 = la;
    return fault(GuestFault.PF, errorCode);
  }

  // ---- linear loads; results are zero-extended ----

  public final long load8(long la) {
    int i = (int) (la >>> 12) & Tlb.MASK;
    if (readTag[i] != (la & PAGE_MASK)) {
      return loadSlow(la, 1);
    }
    long v = HostMemory.getByte(la + hostDelta[i]) & 0xFF;
    VarHandle.acquireFence();
    return v;
  }

  public final long load16(long la) {
    int i = (int) (la >>> 12) & Tlb.MASK;
    if (readTag[i] != (la + 1 & PAGE_MASK)) {
      return loadSlow(la, 2);
    }
    long v = HostMemory.getShort(la + hostDelta[i]) & 0xFFFF;
    VarHandle.acquireFence();
    return v;
  }

  public final long load32(long la) {
    int i = (int) (la >>> 12) & Tlb.MASK;
    if (readTag[i] != (la + 3 & PAGE_MASK)) {
      return loadSlow(la, 4);
    }
    long v = HostMemory.getInt(la + hostDelta[i]) & 0xFFFFFFFFL;
    VarHandle.acquireFence();
    return v;
  }

  public final long load64(long la) {
    int i = (int) (la >>> 12) & Tlb.MASK;
    if (readTag[i] != (la + 7 & PAGE_MASK)) {
      return loadSlow(la, 8);
    }
    long v = HostMemory.getLong(la + hostDelta[i]);
    VarHandle.acquireFence();
    return v;
  }

  /** Loads 1, 2, 4 or 8 bytes, zero-extended. */
  public final long load(long la, int size) {
    return switch (size) {
      case 1 -> load8(la);
      case 2 -> load16(la);
      case 4 -> load32(la);
      default -> load64(la);
    };
  }

  // ---- linear stores ----

  public final void store8(long la, long v) {
    int i = (int) (la >>> 12) & Tlb.MASK;
    if (writeTag[i] != (la & PAGE_MASK)) {
      storeSlow(la, 1, v);
      return;
    }
    VarHandle.releaseFence();
    HostMemory.putByte(la + hostDelta[i], (byte) v);
  }

  public final void store16(long la, long v) {
    int i = (int) (la >>> 12) & Tlb.MASK;
    if (writeTag[i] != (la + 1 & PAGE_MASK)) {
      storeSlow(la, 2, v);
      return;
    }
    VarHandle.releaseFence();
    HostMemory.putShort(la + hostDelta[i], (short) v);
  }

  public final void store32(long la, long v) {
    int i = (int) (la >>> 12) & Tlb.MASK;
    if (writeTag[i] != (la + 3 & PAGE_MASK)) {
      storeSlow(la, 4, v);
      return;
    }
    VarHandle.releaseFence();
    HostMemory.putInt(la + hostDelta[i], (int) v);
  }

  public final void store64(long la, long v) {
    int i = (int) (la >>> 12) & Tlb.MASK;
    if (writeTag[i] != (la + 7 & PAGE_MASK)) {
      storeSlow(la, 8, v);
      return;
    }
    VarHandle.releaseFence();
    HostMemory.putLong(la + hostDelta[i], v);
  }

  /** Stores the low 1, 2, 4 or 8 bytes of {@code v}. */
  public final void store(long la, int size, long v) {
    switch (size) {
      case 1 -> store8(la, v);
      case 2 -> store16(la, v);
      case 4 -> store32(la, v);
      default -> store64(la, v);
    }
  }

  /**
   * Host address of {@code size} bytes at {@code la}, with the right to read and write them, until
   * the next memory access: for read-modify-write and LOCK. 0 when the bytes cross a page or are
   * not RAM; the caller then loads and stores ({@link #checkWritable} first).
   */
  public final long hostForWrite(long la, int size) {
    int i = (int) (la >>> 12) & Tlb.MASK;
    if (writeTag[i] == (la + size - 1 & PAGE_MASK)) {
      return la + hostDelta[i];
    }
    if (((la ^ la + size - 1) & PAGE_MASK) != 0) {
      return 0;
    }
    long host = writableHost(la, size);
    if (codeWriter.isWriting()) {
      self().raiseAttention(Cpu.ATTENTION_CODE_WRITTEN); // at the end of the block it is written
    }
    return host;
  }

  /** Raises the fault that a store of {@code size} bytes at {@code la} would raise, if any. */
  public final void checkWritable(long la, int size) {
    translate(la, PF_WRITE);
    long last = la + size - 1;
    if (((la ^ last) & PAGE_MASK) != 0) {
      translate(last & PAGE_MASK, PF_WRITE);
    }
  }

  // ---- accesses with supervisor rights whatever CPL is: descriptor tables, TSS ----

  /** Loads with supervisor privilege (SDM volume 3, section 4.6: implicit supervisor access). */
  public final long loadSystem(long la, int size) {
    Tlb saved = enterSystem();
    try {
      return load(la, size);
    } finally {
      leaveSystem(saved);
    }
  }

  /** Stores with supervisor privilege. */
  public final void storeSystem(long la, int size, long v) {
    Tlb saved = enterSystem();
    try {
      store(la, size, v);
    } finally {
      leaveSystem(saved);
    }
  }

  private Tlb enterSystem() {
    Tlb saved = tlb;
    implicitSupervisor = true;
    use(supervisorTlb);
    return saved;
  }

  private void leaveSystem(Tlb saved) {
    implicitSupervisor = false;
    use(saved);
  }

  // ---- slow paths ----

  final long loadSlow(long la, int size) {
    if (((la ^ la + size - 1) & PAGE_MASK) != 0) {
      long v = 0;
      for (int k = 0; k < size; k++) {
        v |= load8(la + k) << 8 * k;
      }
      return v;
    }
    long host = translate(la, 0);
    if (watching && !implicitSupervisor) {
      Debug.dataAccess(self(), la, size, false);
    }
    if (host == 0) {
      return env.mmioRead(self(), walker.gpa, size) & (-1L >>> 64 - 8 * size);
    }
    long v = RawAccess.get(host, size);
    VarHandle.acquireFence();
    return v;
  }

  final void storeSlow(long la, int size, long v) {
    if (((la ^ la + size - 1) & PAGE_MASK) != 0) {
      storeCrossing(la, size, v);
      return;
    }
    long host = writableHost(la, size);
    if (host == 0) {
      env.mmioWrite(self(), walker.gpa, size, v);
      return;
    }
    VarHandle.releaseFence();
    RawAccess.put(host, size, v);
    codeWriter.end();
  }

  /** Both pages must be writable before a byte is stored; then the bytes go one by one. */
  private void storeCrossing(long la, int size, long v) {
    long second = la + size - 1 & PAGE_MASK;
    for (int attempt = 0; attempt < CROSSING_ATTEMPTS; attempt++) {
      translate(la, PF_WRITE);
      translate(second, PF_WRITE);
      int i = (int) (la >>> 12) & Tlb.MASK;
      if (writeTag[i] == (la & PAGE_MASK)) {
        break; // fetching the second page did not cost us the first
      }
    }
    for (int k = 0; k < size; k++) {
      store8(la + k, v >>> 8 * k);
    }
  }

  /** As {@link #hostForWrite} for bytes in one page; blocks decoded from them are thrown away. */
  final long writableHost(long la, int size) {
    long host = translate(la, PF_WRITE);
    if (watching && !implicitSupervisor) {
      Debug.dataAccess(self(), la, size, true);
    }
    if (host != 0) {
      throwOutBlocks(walker.gpa >>> 12, (int) la & 0xFFF, size);
    }
    return host;
  }

  /**
   * Throws away the blocks decoded from bytes that are about to be written, and announces the page.
   * When the bytes are there the caller takes that back ({@link CodeWriter#end}).
   */
  final void throwOutBlocks(long page, int offset, int size) {
    if (!codeCache.isCode(page)) {
      return;
    }
    codeWriter.begin(page);
    if (codeCache.written(page, offset, size)) {
      breakBlock = true;
    }
  }

  /**
   * Walks the page tables, gets the page with the right needed and fills the TLB.
   *
   * @param access 0, {@link #PF_WRITE} or {@link #PF_FETCH}
   * @return the host address of {@code la}, 0 when it is not RAM (its GPA is in the walker)
   * @throws GuestFault #PF, or #GP or #SS for a non-canonical address
   */
  final long translate(long la, int access) {
    boolean user = cpl == 3 && !implicitSupervisor;
    walker.walk(la, access, user);
    long page = walker.gpa >>> 12;
    boolean write = access == PF_WRITE;
    long host = write ? env.pageForWrite(self(), page) : env.pageForRead(self(), page);
    if (host == 0) {
      return 0;
    }
    tlbFills++;
    if (access != PF_FETCH && !(watching && Debug.watchesPage(this, la))) {
      boolean fillWrite =
          (write || (walker.writable && env.isWritable(page))) && !codeCache.isCode(page);
      tlb.fill(la, host, page, fillWrite, walker.global);
    }
    return host + (la & 0xFFF);
  }

  /** GPA of the last {@link #translate}. */
  final long translatedGpa() {
    return walker.gpa;
  }

  private Cpu self() {
    return (Cpu) this;
  }

  // ---- TLB upkeep ----

  /** Chooses the TLB after CPL, EFLAGS.AC or CR4.SMAP changed. */
  public final void accessModeChanged() {
    if (cpl == 3) {
      use(userTlb);
    } else if ((cr4 & CR4_SMAP) != 0 && (flagsSystem & FLAG_AC) == 0) {
      use(smapTlb);
    } else {
      use(supervisorTlb);
    }
  }

  private void use(Tlb t) {
    tlb = t;
    readTag = t.readTag;
    writeTag = t.writeTag;
    hostDelta = t.hostDelta;
  }

  /** Whether a supervisor data access to a user page is forbidden now (SMAP). */
  final boolean smapForbids() {
    return tlb == smapTlb;
  }

  /** Flushes everything: CR0.PG, CR4.PGE, PAE, SMEP, EFER.NXE changes. */
  public final void flushTlb() {
    supervisorTlb.flushAll();
    userTlb.flushAll();
    smapTlb.flushAll();
    java.util.Arrays.fill(fetchTag, Tlb.INVALID);
  }

  /** Flushes all but global pages: MOV to CR3. */
  public final void flushTlbNonGlobal() {
    supervisorTlb.flushNonGlobal();
    userTlb.flushNonGlobal();
    smapTlb.flushNonGlobal();
    java.util.Arrays.fill(fetchTag, Tlb.INVALID);
  }

  /** INVLPG. */
  public final void flushTlbPage(long la) {
    supervisorTlb.flushPage(la);
    userTlb.flushPage(la);
    smapTlb.flushPage(la);
    fetchTag[(int) (la >>> 12) & ITLB_MASK] = Tlb.INVALID;
  }

  /**
   * Shoot-down: forgets every mapping of guest-physical page {@code page}, or only the right to
   * write it. vCPU thread, between instructions or inside an environment's page method.
   */
  public final void dropPhysicalPage(long page, boolean writeOnly) {
    supervisorTlb.dropPhysical(page, writeOnly);
    userTlb.dropPhysical(page, writeOnly);
    smapTlb.dropPhysical(page, writeOnly);
    if (!writeOnly) {
      for (int i = 0; i <= ITLB_MASK; i++) {
        if (fetchTag[i] != Tlb.INVALID && fetchPage[i].page == page) {
          fetchTag[i] = Tlb.INVALID;
        }
      }
    }
  }

  // ---- addresses ----

  /** Effective address (offset in the segment) of an instruction's memory operand. */
  public final long effectiveAddress(Insn i) {
    long v = i.disp;
    if (i.base >= 0) {
      v += i.base == Insn.BASE_RIP ? nextRip : gpr[i.base];
    }
    if (i.index >= 0) {
      v += gpr[i.index] << i.scale;
    }
    return i.addrSize == 8 ? v : i.addrSize == 4 ? v & 0xFFFFFFFFL : v & 0xFFFF;
  }

  /** Linear address of an instruction's memory operand of {@code size} bytes. */
  public final long address(Insn i, int size, boolean write) {
    return linear(i.seg, effectiveAddress(i), size, write);
  }

  /**
   * Linear address of {@code size} bytes at {@code offset} in a segment, with the segment's checks
   * (SDM volume 3, sections 5.3 to 5.5; none but the base in 64-bit mode).
   */
  public final long linear(int seg, long offset, int size, boolean write) {
    accessSeg = seg;
    if (codeBits == 64) {
      return effectiveBase[seg] + offset;
    }
    checkSegment(seg, offset, size, write);
    return segBase[seg] + offset & 0xFFFFFFFFL;
  }

  private void checkSegment(int seg, long offset, int size, boolean write) {
    int access = segAccess[seg];
    long last = (offset & 0xFFFFFFFFL) + size - 1;
    long limit = segLimit[seg] & 0xFFFFFFFFL;
    boolean ok;
    if ((access & 0xC) == 4) { // expand-down data
      long top = (access & 1 << 14) != 0 ? 0xFFFFFFFFL : 0xFFFF;
      ok = offset > limit && last <= top;
    } else {
      ok = last <= limit;
    }
    if (protectedMode() && !virtual8086()) {
      boolean code = (access & 8) != 0;
      boolean typeOk = code ? !write && (access & 2) != 0 : !write || (access & 2) != 0;
      ok &= (access & 0x80) != 0 && (typeOk || seg == CS && !write);
    }
    if (!ok) {
      throw fault(seg == SS ? GuestFault.SS : GuestFault.GP, 0);
    }
  }
}
