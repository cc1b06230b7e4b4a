package org.pluribus.vmm.emulator.oracle;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import java.lang.foreign.MemorySegment;
import org.pluribus.posix.Mapping;
import org.pluribus.vmm.emulator.CodeCache;
import org.pluribus.vmm.emulator.Cpu;
import org.pluribus.vmm.emulator.CpuEnvironment;
import org.pluribus.vmm.emulator.CpuRegisters;
import org.pluribus.vmm.emulator.GuestFault;
import org.pluribus.vmm.emulator.RegionCompiler;

/**
 * Our CPU, put into the state a Linux user program runs in: CPL 3, paging, the GDT's user
 * selectors, code and data pages where {@link MachineImage} says. One thread.
 */
final class EmulatedCpu implements AutoCloseable {
  private static final long PAGE = 4096;

  // Guest-physical pages.
  private static final int PML4 = 1;
  private static final int PDPT = 2;
  private static final int DIRECTORY = 3;
  private static final int TABLE = 4;
  private static final int CODE = 5;
  private static final int DATA = 6;
  private static final int GDT = 8;
  private static final int SYSTEM_PDPT = 9;
  private static final int SYSTEM_DIRECTORY = 10;
  private static final int SYSTEM_TABLE = 11;
  private static final int PAGES = 16;

  /** Linear address of the GDT, a supervisor page in the upper half as the host kernel's. */
  private static final long GDT_ADDRESS = 0xFFFF_8000_0000_0000L;

  private static final int UPPER_HALF = 256;

  /** Page table entry bits: present, writable, user; SDM volume 3, table 4-20. */
  private static final long PRESENT_WRITABLE_USER = 7;

  private static final long PRESENT_WRITABLE = 3;

  /** Linux's descriptors; arch/x86/kernel/cpu/common.c, gdt_page, and asm/segment.h. */
  private static final long[] DESCRIPTORS = {
    0,
    0x00CF9B000000FFFFL, // 0x08 kernel code, 32-bit
    0x00AF9B000000FFFFL, // 0x10 kernel code
    0x00CF93000000FFFFL, // 0x18 kernel data
    0x00CFFB000000FFFFL, // 0x23 user code, 32-bit
    0x00CFF3000000FFFFL, // 0x2B user data
    0x00AFFB000000FFFFL, // 0x33 user code
    0,
    0x00008B0000004087L, // 0x40 busy TSS, two entries
    0,
    0, // 0x50 no LDT
    0,
    0, // 0x60 to 0x70 no thread-local segments
    0,
    0,
    0x0040F50000000000L, // 0x78 the CPU's number as a limit
  };

  /** Access rights of the three user segments, as {@link CpuRegisters#segAccess} keeps them. */
  private static final int CODE64_ACCESS = 0xA0FB;

  private static final int CODE32_ACCESS = 0xC0FB;
  private static final int DATA_ACCESS = 0xC0F3;

  /** CR0 as Linux runs: PG AM WP NE ET MP PE; CR4: PAE, OSFXSR, OSXMMEXCPT and FSGSBASE. */
  private static final long CR0 =
      CpuRegisters.CR0_PG
          | CpuRegisters.CR0_AM
          | CpuRegisters.CR0_WP
          | CpuRegisters.CR0_NE
          | CpuRegisters.CR0_ET
          | CpuRegisters.CR0_MP
          | CpuRegisters.CR0_PE;

  private static final long CR4 =
      CpuRegisters.CR4_PAE
          | CpuRegisters.CR4_OSFXSR
          | CpuRegisters.CR4_OSXMMEXCPT
          | CpuRegisters.CR4_FSGSBASE
          | CpuRegisters.CR4_OSXSAVE;

  private static final long EFER =
      CpuRegisters.EFER_SCE | CpuRegisters.EFER_LME | CpuRegisters.EFER_LMA | CpuRegisters.EFER_NXE;

  /** A free run looks so often whether it is at its end. */
  private static final int BLOCKS_BETWEEN_POLLS = 8;

  /** FSW bits 13:11 hold TOP. */
  private static final int TOP_MASK = 7 << 11;

  private final Mapping ram =
      Mapping.anonymous(PAGES * PAGE, Mapping.PROT_READ | Mapping.PROT_WRITE);
  private final FlatEnvironment environment = new FlatEnvironment(ram.address(), PAGES);
  private final Cpu cpu = new Cpu(0, environment, new CodeCache(PAGES));
  private final MemorySegment data = ram.segment().asSlice(DATA * PAGE, MachineImage.DATA_BYTES);

  EmulatedCpu() {
    cpu.pollBlocks(BLOCKS_BETWEEN_POLLS);
    entry(PML4, 0, PDPT, PRESENT_WRITABLE_USER);
    entry(PDPT, (int) (MachineImage.CODE_ADDRESS >> 30), DIRECTORY, PRESENT_WRITABLE_USER);
    entry(DIRECTORY, 0, TABLE, PRESENT_WRITABLE_USER);
    entry(TABLE, tableIndex(MachineImage.CODE_ADDRESS), CODE, PRESENT_WRITABLE_USER);
    entry(TABLE, tableIndex(MachineImage.DATA_ADDRESS), DATA, PRESENT_WRITABLE_USER);
    entry(TABLE, tableIndex(MachineImage.DATA_ADDRESS) + 1, DATA + 1, PRESENT_WRITABLE_USER);
    entry(PML4, UPPER_HALF, SYSTEM_PDPT, PRESENT_WRITABLE);
    entry(SYSTEM_PDPT, 0, SYSTEM_DIRECTORY, PRESENT_WRITABLE);
    entry(SYSTEM_DIRECTORY, 0, SYSTEM_TABLE, PRESENT_WRITABLE);
    entry(SYSTEM_TABLE, 0, GDT, PRESENT_WRITABLE);
    for (int i = 0; i < DESCRIPTORS.length; i++) {
      ram.segment().set(JAVA_LONG_UNALIGNED, GDT * PAGE + 8L * i, DESCRIPTORS[i]);
    }
  }

  private static int tableIndex(long linear) {
    return (int) (linear >> 12) & 511;
  }

  private void entry(int table, int index, int page, long bits) {
    ram.segment().set(JAVA_LONG_UNALIGNED, table * PAGE + 8L * index, page * PAGE | bits);
  }

  /**
   * Runs the image's instructions one by one, a REP to its end.
   *
   * @param result receives the state and the fault, if any
   */
  void run(MachineImage in, MachineImage result) {
    result.copyFrom(in);
    load(in);
    loadCode(in);
    int vector = MachineImage.NO_FAULT;
    int errorCode = 0;
    try {
      for (int i = 0; i < in.maxSteps() && inside(in); i++) {
        cpu.executeOne();
      }
    } catch (GuestFault f) {
      vector = f.vector;
      errorCode = f.errorCode == GuestFault.NO_ERROR_CODE ? 0 : f.errorCode;
    }
    store(result);
    result.vector(vector);
    result.errorCode(errorCode);
    result.cr2(vector == GuestFault.PF ? cpu.cr2 : 0);
  }

  private boolean inside(MachineImage in) {
    return Long.compareUnsigned(cpu.rip - in.rip(), in.length()) < 0;
  }

  /** Has code compiled that {@link #runFreely} runs again. */
  void compileWith(RegionCompiler compiler) {
    cpu.compileWith(compiler);
  }

  /** Puts the image's code in place for {@link #runFreely}. */
  void loadCodeOf(MachineImage in) {
    load(in);
    loadCode(in);
  }

  /**
   * Runs the image's code by whole blocks, interpreted or compiled, until it spins at its end. The
   * code must be in place and must not fault.
   */
  void runFreely(MachineImage in, MachineImage result) {
    result.copyFrom(in);
    load(in);
    environment.stopAt = in.rip() + in.length();
    cpu.run();
    store(result);
  }

  private void load(MachineImage in) {
    system();
    segments(in);
    for (int i = 0; i < 16; i++) {
      cpu.gpr[i] = in.gpr(i);
    }
    cpu.rip = in.rip();
    int flags = (int) in.rflags();
    cpu.flagsSystem = flags & ~CpuRegisters.ARITHMETIC_FLAGS;
    cpu.setArithmeticFlags(flags);
    loadFpu(in);
    data.copyFrom(in.data());
    cpu.accessModeChanged();
  }

  private void loadCode(MachineImage in) {
    for (int at = 0; at < MachineImage.CODE_BYTES; at += 8) {
      // Through the CPU, so that it notices code being overwritten.
      cpu.storeSystem(MachineImage.CODE_ADDRESS + at, 8, in.code().get(JAVA_LONG_UNALIGNED, at));
    }
    cpu.breakBlock = false;
  }

  private void system() {
    boolean changed = cpu.cr0 != CR0 || cpu.cr4 != CR4 || cpu.efer != EFER;
    cpu.cr0 = CR0;
    cpu.cr2 = 0;
    cpu.cr3 = PML4 * PAGE;
    cpu.cr4 = CR4;
    cpu.efer = EFER;
    cpu.cpl = 3;
    cpu.stackBits = 64;
    cpu.gdtBase = GDT_ADDRESS;
    cpu.gdtLimit = 8 * DESCRIPTORS.length - 1;
    cpu.idtBase = 0;
    cpu.idtLimit = 0;
    cpu.interruptShadow = false;
    cpu.halted = false;
    if (changed) {
      cpu.flushTlb();
    }
  }

  private void segments(MachineImage in) {
    boolean wide = in.cs() == MachineImage.USER_CS64;
    cpu.codeBits = wide ? 64 : 32;
    cpu.stackBits = cpu.codeBits;
    segment(CpuRegisters.ES, MachineImage.USER_DS, DATA_ACCESS, -1);
    segment(CpuRegisters.CS, in.cs(), wide ? CODE64_ACCESS : CODE32_ACCESS, -1);
    segment(CpuRegisters.SS, MachineImage.USER_DS, DATA_ACCESS, -1);
    segment(CpuRegisters.DS, MachineImage.USER_DS, DATA_ACCESS, -1);
    segment(CpuRegisters.FS, 0, 0, 0);
    segment(CpuRegisters.GS, 0, 0, 0);
    segment(CpuRegisters.LDTR, 0, 0, 0);
    segment(CpuRegisters.TR, 0, 0, 0);
    base(CpuRegisters.FS, in.fsBase());
    base(CpuRegisters.GS, in.gsBase());
  }

  private void segment(int number, int selector, int access, int limit) {
    cpu.segSelector[number] = selector;
    cpu.segAccess[number] = access;
    cpu.segLimit[number] = limit;
    base(number, 0);
  }

  private void base(int number, long value) {
    cpu.segBase[number] = value;
    cpu.effectiveBase[number] = value;
  }

  private void loadFpu(MachineImage in) {
    MemorySegment fx = in.fxsave();
    for (int i = 0; i < 32; i++) {
      cpu.xmm[i] = fx.get(JAVA_LONG_UNALIGNED, MachineImage.XMM0 + 8L * i);
    }
    cpu.mxcsr = in.mxcsr();
    cpu.fpControl = in.fxWord(MachineImage.FCW);
    cpu.fpOpcode = 0;
    cpu.fpInstructionPointer = 0;
    cpu.fpDataPointer = 0;
    cpu.fpInstructionSelector = 0;
    cpu.fpDataSelector = 0;
    int status = in.fxWord(MachineImage.FSW);
    cpu.fpTop = (status & TOP_MASK) >> 11;
    cpu.fpStatus = status & ~TOP_MASK;
    cpu.fpEmpty = ~fx.get(JAVA_BYTE, MachineImage.FTW) & 0xFF;
    for (int i = 0; i < 8; i++) {
      int physical = cpu.fpTop + i & 7;
      int at = MachineImage.ST0 + 16 * i;
      cpu.fpSignificand[physical] = fx.get(JAVA_LONG_UNALIGNED, at);
      cpu.fpSignExponent[physical] = in.fxWord(at + 8);
    }
  }

  private void store(MachineImage result) {
    for (int i = 0; i < 16; i++) {
      result.gpr(i, cpu.gpr[i]);
    }
    result.rip(cpu.rip);
    result.rflags(cpu.eflags() & 0xFFFFFFFFL);
    result.fsBase(cpu.segBase[CpuRegisters.FS]);
    result.gsBase(cpu.segBase[CpuRegisters.GS]);
    result.selectors(cpu.segSelector[CpuRegisters.CS], cpu.segSelector[CpuRegisters.SS]);
    result.data().copyFrom(data);
    storeFpu(result);
  }

  private void storeFpu(MachineImage result) {
    MemorySegment fx = result.fxsave();
    for (int i = 0; i < 32; i++) {
      fx.set(JAVA_LONG_UNALIGNED, MachineImage.XMM0 + 8L * i, cpu.xmm[i]);
    }
    result.mxcsr(cpu.mxcsr);
    result.fxWord(MachineImage.FCW, cpu.fpControl);
    result.fxWord(MachineImage.FSW, cpu.fpStatus & ~TOP_MASK | cpu.fpTop << 11);
    fx.set(JAVA_BYTE, MachineImage.FTW, (byte) ~cpu.fpEmpty);
    for (int i = 0; i < 8; i++) {
      int physical = cpu.fpTop + i & 7;
      int at = MachineImage.ST0 + 16 * i;
      fx.set(JAVA_LONG_UNALIGNED, at, cpu.fpSignificand[physical]);
      result.fxWord(at + 8, cpu.fpSignExponent[physical]);
    }
  }

  @Override
  public void close() {
    ram.close();
  }

  /** A machine of RAM only: everything else is refused. */
  private static final class FlatEnvironment implements CpuEnvironment {
    private final long base;
    private final int pages;

    /** Where a free run ends. */
    private long stopAt;

    FlatEnvironment(long base, int pages) {
      this.base = base;
      this.pages = pages;
    }

    @Override
    public long pageForRead(Cpu cpu, long page) {
      return page >= 0 && page < pages ? base + page * PAGE : 0;
    }

    @Override
    public long pageForWrite(Cpu cpu, long page) {
      return pageForRead(cpu, page);
    }

    @Override
    public boolean isWritable(long page) {
      return page >= 0 && page < pages;
    }

    @Override
    public void dropWriteMappings(Cpu cpu, long page) {}

    @Override
    public void lockBus(Cpu cpu) {}

    @Override
    public void unlockBus(Cpu cpu) {}

    @Override
    public long mmioRead(Cpu cpu, long gpa, int size) {
      throw new IllegalStateException("MMIO read at " + Long.toHexString(gpa));
    }

    @Override
    public void mmioWrite(Cpu cpu, long gpa, int size, long value) {
      throw new IllegalStateException("MMIO write at " + Long.toHexString(gpa));
    }

    @Override
    public long portRead(Cpu cpu, int port, int size) {
      throw new IllegalStateException("IN from port " + port + " at CPL 3");
    }

    @Override
    public void portWrite(Cpu cpu, int port, int size, long value) {
      throw new IllegalStateException("OUT to port " + port + " at CPL 3");
    }

    @Override
    public boolean readMsr(Cpu cpu, int msr) {
      return false;
    }

    @Override
    public boolean writeMsr(Cpu cpu, int msr, long value) {
      return false;
    }

    @Override
    public int readCr8(Cpu cpu) {
      return 0;
    }

    @Override
    public void writeCr8(Cpu cpu, int value) {
      throw new IllegalStateException("MOV CR8 at CPL 3");
    }

    @Override
    public boolean interruptPending(Cpu cpu) {
      return false;
    }

    @Override
    public int acknowledgeInterrupt(Cpu cpu) {
      return -1;
    }

    @Override
    public boolean takeNmi(Cpu cpu) {
      return false;
    }

    @Override
    public long tsc(Cpu cpu) {
      return 0;
    }

    @Override
    public boolean safepoint(Cpu cpu) {
      return cpu.rip != stopAt;
    }

    @Override
    public boolean halt(Cpu cpu) {
      return false;
    }

    @Override
    public void tripleFault(Cpu cpu) {
      throw new IllegalStateException("triple fault at " + Long.toHexString(cpu.rip));
    }

    @Override
    public void unknownInstruction(Cpu cpu, long rip, byte[] bytes, int length) {}
  }
}
