package org.pluribus.vmm.emulator;

import static org.pluribus.vmm.emulator.CpuRegisters.CS;
import static org.pluribus.vmm.emulator.CpuRegisters.LDTR;
import static org.pluribus.vmm.emulator.CpuRegisters.TR;

/**
 * Register values after RESET and INIT (SDM volume 3, table 10-1), after a start-up IPI, and as
 * boot protocols want them. vCPU thread, between instructions.
 */
public final class CpuReset {
  private static final long RESET_CS_BASE = 0xFFFF0000L;
  private static final long RESET_IP = 0xFFF0;
  private static final int RESET_CS = 0xF000;
  private static final int REAL_LIMIT = 0xFFFF;
  private static final int MXCSR_DEFAULT = 0x1F80;

  /** As FNINIT leaves it, which firmware does; hardware RESET would leave 0x40 and zeros. */
  private static final int FP_CONTROL_INIT = 0x37F;

  private static final int FP_ALL_EMPTY = 0xFF;

  /** A start-up IPI's vector is the number of a 4 KiB page. */
  private static final int SIPI_SHIFT = 12;

  /** Size of a TSS without I/O map, minus 1. */
  private static final int TSS_LIMIT = 0x67;

  private CpuReset() {}

  /** Power-on reset: everything, the FPU and the MSRs too. */
  public static void reset(Cpu cpu) {
    init(cpu);
    cpu.cr0 = CpuRegisters.CR0_ET | CpuRegisters.CR0_NW | CpuRegisters.CR0_CD;
    java.util.Arrays.fill(cpu.xmm, 0);
    java.util.Arrays.fill(cpu.fpSignificand, 0);
    java.util.Arrays.fill(cpu.fpSignExponent, 0);
    cpu.mxcsr = MXCSR_DEFAULT;
    cpu.fpControl = FP_CONTROL_INIT;
    cpu.fpStatus = 0;
    cpu.fpTop = 0;
    cpu.fpEmpty = FP_ALL_EMPTY;
    cpu.fpOpcode = 0;
    cpu.fpInstructionPointer = 0;
    cpu.fpDataPointer = 0;
    cpu.fpInstructionSelector = 0;
    cpu.fpDataSelector = 0;
    cpu.xcr0 = ControlRegisters.XCR0_X87;
    cpu.star = 0;
    cpu.lstar = 0;
    cpu.cstar = 0;
    cpu.sfmask = 0;
    cpu.kernelGsBase = 0;
    cpu.sysenterCs = 0;
    cpu.sysenterEsp = 0;
    cpu.sysenterEip = 0;
    cpu.tscAux = 0;
    cpu.msrs.reset();
  }

  /**
   * INIT: as RESET, but FPU, XCR0, MSRs (EFER apart), TSC and CR0's cache bits stay. The CPU then
   * begins at the reset vector; an application processor has to be held until {@link #sipi}.
   */
  public static void init(Cpu cpu) {
    java.util.Arrays.fill(cpu.gpr, 0);
    cpu.gpr[CpuRegisters.RDX] = CpuidTable.SIGNATURE;
    cpu.setArithmeticFlags(0);
    cpu.flagsSystem = 2;
    long cacheBits = CpuRegisters.CR0_NW | CpuRegisters.CR0_CD;
    cpu.cr0 = CpuRegisters.CR0_ET | cpu.cr0 & cacheBits;
    cpu.cr2 = 0;
    cpu.cr3 = 0;
    cpu.cr4 = 0;
    cpu.efer = 0;
    cpu.gdtBase = 0;
    cpu.gdtLimit = 0xFFFF;
    cpu.idtBase = 0;
    cpu.idtLimit = 0xFFFF;
    java.util.Arrays.fill(cpu.dr, 0);
    cpu.dr[6] = 0xFFFF0FF0L;
    cpu.dr[7] = 0x400;
    for (int seg = 0; seg <= TR; seg++) {
      cpu.segSelector[seg] = 0;
      cpu.segBase[seg] = 0;
      cpu.segLimit[seg] = REAL_LIMIT;
      cpu.segAccess[seg] = Segments.REAL_DATA;
    }
    cpu.segAccess[LDTR] = Segments.PRESENT | Segments.TYPE_LDT;
    cpu.segAccess[TR] = Segments.PRESENT | Segments.TYPE_TSS_BUSY;
    cpu.segSelector[CS] = RESET_CS;
    cpu.segBase[CS] = RESET_CS_BASE;
    cpu.rip = RESET_IP;
    cpu.nextRip = RESET_IP;
    modeChanged(cpu);
  }

  private static void modeChanged(Cpu cpu) {
    cpu.cpl = 0;
    cpu.halted = false;
    cpu.interruptShadow = false;
    cpu.trapSuppressed = false;
    cpu.nmiBlocked = false;
    Segments.refresh(cpu);
    cpu.accessModeChanged();
    Debug.armed(cpu);
    cpu.flushTlb();
  }

  /** Start-up IPI after INIT: begins in real mode at physical address {@code vector << 12}. */
  public static void sipi(Cpu cpu, int vector) {
    int page = vector & 0xFF;
    cpu.segSelector[CS] = page << SIPI_SHIFT - 4;
    cpu.segBase[CS] = (long) page << SIPI_SHIFT;
    cpu.rip = 0;
    cpu.nextRip = 0;
    cpu.halted = false;
    Segments.refresh(cpu);
  }

  /**
   * 64-bit mode with paging on, interrupts off, an empty IDT and flat segments, as the Linux 64-bit
   * boot protocol asks (kernel Documentation/arch/x86/boot.rst).
   *
   * @param rip first instruction
   * @param rsp stack pointer
   * @param rsi boot_params (GPA)
   * @param cr3 page table root (GPA)
   * @param gdtBase GPA of the GDT that holds the selectors
   * @param gdtLimit its size in bytes minus 1
   */
  public static void enterLong64(
      Cpu cpu, long rip, long rsp, long rsi, long cr3, long gdtBase, int gdtLimit, int cs, int ds) {
    reset(cpu);
    cpu.efer = CpuRegisters.EFER_LME | CpuRegisters.EFER_LMA;
    cpu.cr4 = CpuRegisters.CR4_PAE;
    cpu.cr3 = cr3;
    enterFlat(cpu, CpuRegisters.CR0_PG, Segments.LONG, gdtBase, gdtLimit, cs, ds);
    start(cpu, rip, rsp);
    cpu.gpr[CpuRegisters.RSI] = rsi;
  }

  /**
   * 32-bit protected mode without paging, interrupts off, flat segments, as PVH and Multiboot ask.
   *
   * @param rip first instruction
   * @param rsp stack pointer, 0 where the protocol promises none
   * @param rax Multiboot's magic number
   * @param rbx parameter block (GPA)
   */
  public static void enterProtected32(
      Cpu cpu, long rip, long rsp, long rax, long rbx, long gdtBase, int gdtLimit, int cs, int ds) {
    reset(cpu);
    enterFlat(cpu, 0, Segments.BIG, gdtBase, gdtLimit, cs, ds);
    start(cpu, rip, rsp);
    cpu.gpr[CpuRegisters.RAX] = rax;
    cpu.gpr[CpuRegisters.RBX] = rbx;
  }

  private static void enterFlat(
      Cpu cpu, long paging, int codeWidth, long gdtBase, int gdtLimit, int cs, int ds) {
    cpu.cr0 = CpuRegisters.CR0_PE | CpuRegisters.CR0_ET | paging;
    cpu.gdtBase = gdtBase;
    cpu.gdtLimit = gdtLimit;
    cpu.idtLimit = 0;
    for (int seg = CpuRegisters.ES; seg <= CpuRegisters.GS; seg++) {
      Segments.setFlat(cpu, seg, ds, Segments.FLAT_DATA);
    }
    Segments.setFlat(cpu, CS, cs, Segments.FLAT_CODE | codeWidth);
    cpu.segLimit[TR] = TSS_LIMIT;
    cpu.segAccess[LDTR] = 0;
    modeChanged(cpu);
  }

  private static void start(Cpu cpu, long rip, long rsp) {
    cpu.gpr[CpuRegisters.RDX] = 0;
    cpu.gpr[CpuRegisters.RSP] = rsp;
    cpu.rip = rip;
    cpu.nextRip = rip;
  }
}
