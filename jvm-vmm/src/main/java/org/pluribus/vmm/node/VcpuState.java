package org.pluribus.vmm.node;

import java.util.List;
import java.util.SortedMap;
import org.jspecify.annotations.Nullable;

/**
 * Everything a vCPU is between two instructions, in the SDM's terms and whatever executes it: what
 * {@link VcpuBackend#capture} of one kind gives can be handed to {@link VcpuBackend#restore} of
 * another. A value: two states are equal when every register is.
 *
 * <p>Not part of it: the local APIC with CR8 (both kinds of vCPU have ours), and the TSC, which is
 * the machine's clock.
 *
 * @param general registers by number: RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8 to R15
 * @param rip address of the next instruction, offset in CS
 * @param rflags with bit 1 set, as PUSHF shows it
 * @param segments by number: ES, CS, SS, DS, FS, GS, then LDTR and TR
 * @param gdt global descriptor table
 * @param idt interrupt descriptor table
 * @param control control registers
 * @param debug DR0 to DR3, DR6, DR7
 * @param msrs value by index, for {@link VcpuMsrs#ALL}
 * @param fpu x87 and SSE
 * @param activity what is under way
 */
public record VcpuState(
    List<Long> general,
    long rip,
    long rflags,
    List<Segment> segments,
    Table gdt,
    Table idt,
    Control control,
    List<Long> debug,
    SortedMap<Integer, Long> msrs,
    Fpu fpu,
    Activity activity) {

  /** General registers of 64-bit mode. */
  static final int GENERAL_REGISTERS = 16;

  /** ES, CS, SS, DS, FS, GS, LDTR, TR. */
  static final int SEGMENT_REGISTERS = 8;

  /** DR0 to DR3, DR6, DR7. */
  static final int DEBUG_REGISTERS = 6;

  /** Checks that nothing is missing. */
  public VcpuState {
    require("general registers", general.size(), GENERAL_REGISTERS);
    require("segment registers", segments.size(), SEGMENT_REGISTERS);
    require("debug registers", debug.size(), DEBUG_REGISTERS);
    general = List.copyOf(general);
    segments = List.copyOf(segments);
    debug = List.copyOf(debug);
    msrs = java.util.Collections.unmodifiableSortedMap(new java.util.TreeMap<>(msrs));
  }

  private static void require(String what, int is, int should) {
    if (is != should) {
      throw new IllegalArgumentException(is + " " + what + " in a vCPU's state: " + should);
    }
  }

  /**
   * A segment register with its hidden part (SDM volume 3, 3.4.3).
   *
   * @param base address of offset 0
   * @param limit last offset, bytes, unsigned; 0 of an unusable segment
   * @param access bits 40 to 55 of the descriptor, the limit's among them cleared: type (3:0), S
   *     (4), DPL (6:5), P (7), AVL (12), L (13), D/B (14), G (15); 0 of an unusable segment
   */
  public record Segment(int selector, long base, int limit, int access) {
    /** P: what is not present is unusable. */
    static final int PRESENT = 1 << 7;

    /** A segment as it is compared: nobody can see limit and rights of one that is unusable. */
    static Segment of(int selector, long base, int limit, int access) {
      boolean usable = (access & PRESENT) != 0;
      return new Segment(selector, base, usable ? limit : 0, usable ? access : 0);
    }

    /** Whether accesses through it can succeed; in 64-bit mode they don't ask. */
    boolean usable() {
      return (access & PRESENT) != 0;
    }
  }

  /** GDTR or IDTR. */
  public record Table(long base, int limit) {}

  /** CR0, CR2, CR3, CR4, and XCR0. */
  public record Control(long cr0, long cr2, long cr3, long cr4, long xcr0) {}

  /**
   * x87 and SSE registers, as FXSAVE64 names them (SDM volume 1, 10.5.1).
   *
   * @param control FCW
   * @param status FSW with TOP
   * @param tags abridged: a bit for each physical register, set if it is not empty
   * @param opcode of the last x87 instruction
   * @param instructionPointer of the last x87 instruction
   * @param dataPointer of the last x87 instruction
   * @param significands of ST0 to ST7
   * @param signExponents of ST0 to ST7: sign (bit 15) and exponent
   * @param mxcsr control and status of SSE
   * @param xmm XMM0 to XMM15, the low quadword of each before its high one
   */
  public record Fpu(
      int control,
      int status,
      int tags,
      int opcode,
      long instructionPointer,
      long dataPointer,
      List<Long> significands,
      List<Integer> signExponents,
      int mxcsr,
      List<Long> xmm) {

    /** ST0 to ST7. */
    static final int STACK = 8;

    /** Quadwords of XMM0 to XMM15. */
    static final int XMM_WORDS = 32;

    /** Checks that nothing is missing. */
    public Fpu {
      require("x87 significands", significands.size(), STACK);
      require("x87 exponents", signExponents.size(), STACK);
      require("XMM quadwords", xmm.size(), XMM_WORDS);
      significands = List.copyOf(significands);
      signExponents = List.copyOf(signExponents);
      xmm = List.copyOf(xmm);
    }
  }

  /**
   * What is under way between two instructions.
   *
   * @param halted HLT waits for an interrupt
   * @param interruptShadow interrupts are held off for an instruction, after STI or MOV SS
   * @param nmiBlocked an NMI is being handled, until IRET
   * @param nmiPending an NMI that the APIC gave away waits
   * @param event an interrupt or exception that was taken but whose handler is not entered yet
   */
  public record Activity(
      boolean halted,
      boolean interruptShadow,
      boolean nmiBlocked,
      boolean nmiPending,
      @Nullable Event event) {}

  /**
   * An event on its way to its handler.
   *
   * @param vector 0 to 255
   * @param exception whether it is an exception, not an external interrupt
   * @param errorCode what an exception pushes, or {@link #NO_ERROR_CODE}
   */
  public record Event(int vector, boolean exception, int errorCode) {
    /** Of interrupts, and of exceptions that push none. */
    public static final int NO_ERROR_CODE = -1;
  }
}
