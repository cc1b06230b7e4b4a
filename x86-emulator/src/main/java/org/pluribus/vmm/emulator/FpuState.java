package org.pluribus.vmm.emulator;

/**
 * Saving, restoring and controlling the x87 and SSE state as a whole: FXSAVE, XSAVE, FNSAVE and
 * their like (SDM volume 1, sections 8.1.10, 10.5 and chapter 13).
 *
 * <p>XSAVE knows two state components, x87 and SSE, in the standard form only. The CPU tells
 * exactly which of them is in its initial configuration (XINUSE).
 */
final class FpuState {
  /** Control word after FNINIT: all exceptions masked, 64-bit precision, nearest. */
  static final int INITIAL_CONTROL = 0x37F;

  static final int INITIAL_MXCSR = 0x1F80;

  /** MXCSR bits that may be set; FXSAVE stores it as MXCSR_MASK (DAZ is supported). */
  static final int MXCSR_MASK = 0xFFFF;

  /** XCR0 and XSTATE_BV bits. */
  static final long STATE_X87 = 1;

  static final long STATE_SSE = 2;

  /** Size of the FXSAVE image and of the part of it that is written. */
  static final int FXSAVE_SIZE = 512;

  /** Size of the XSAVE area of x87 and SSE: legacy region and header. */
  static final int XSAVE_SIZE = FXSAVE_SIZE + 64;

  private static final int OFFSET_MXCSR = 24;
  private static final int OFFSET_ST = 32;
  private static final int OFFSET_XMM = 160;
  private static final int OFFSET_XSTATE_BV = 512;
  private static final int OFFSET_XCOMP_BV = 520;
  private static final int OFFSET_RESERVED = 528;

  private FpuState() {}

  // ---- MXCSR ----

  static void ldmxcsr(Cpu c, Insn i) {
    SseOperands.check(c);
    int v = (int) c.read(i, 0);
    if ((v & ~MXCSR_MASK) != 0) {
      throw c.gp(0);
    }
    c.mxcsr = v;
  }

  static void stmxcsr(Cpu c, Insn i) {
    SseOperands.check(c);
    c.write(i, 0, c.mxcsr);
  }

  // ---- FXSAVE ----

  private static void checkFx(Cpu c) {
    if ((c.cr0 & (CpuRegisters.CR0_EM | CpuRegisters.CR0_TS)) != 0) {
      throw c.fault(GuestFault.NM);
    }
  }

  private static long fxAddress(Cpu c, Insn i, int size, int alignment, boolean write) {
    long la = c.address(i, size, write);
    if ((la & alignment - 1) != 0) {
      throw c.gp(0);
    }
    return la;
  }

  static void fxsave(Cpu c, Insn i) {
    checkFx(c);
    long la = fxAddress(c, i, FXSAVE_SIZE, 16, true);
    c.checkWritable(la, FXSAVE_SIZE);
    saveX87(c, la, wide(i));
    c.store32(la + OFFSET_MXCSR, c.mxcsr);
    c.store32(la + OFFSET_MXCSR + 4, MXCSR_MASK);
    if ((c.cr4 & CpuRegisters.CR4_OSFXSR) != 0) {
      saveXmm(c, la);
    }
  }

  static void fxrstor(Cpu c, Insn i) {
    checkFx(c);
    long la = fxAddress(c, i, FXSAVE_SIZE, 16, false);
    checkReadable(c, la, FXSAVE_SIZE);
    int mxcsr = loadMxcsr(c, la);
    restoreX87(c, la, wide(i));
    c.mxcsr = mxcsr;
    if ((c.cr4 & CpuRegisters.CR4_OSFXSR) != 0) {
      restoreXmm(c, la);
    }
  }

  /** Raises what loading would raise, before anything changes; the end first, as processors do. */
  private static void checkReadable(Cpu c, long la, int size) {
    c.load8(la + size - 1);
    c.load8(la);
  }

  private static int loadMxcsr(Cpu c, long la) {
    int mxcsr = (int) c.load32(la + OFFSET_MXCSR);
    if ((mxcsr & ~MXCSR_MASK) != 0) {
      throw c.gp(0);
    }
    return mxcsr;
  }

  /** FXSAVE64 and XSAVE64 keep 64-bit pointers and no selectors. */
  private static boolean wide(Insn i) {
    return (i.rex & 8) != 0;
  }

  private static void saveX87(Cpu c, long la, boolean wide) {
    c.store16(la, c.fpControl);
    c.store16(la + 2, statusWord(c));
    c.store8(la + 4, ~c.fpEmpty & 0xFF);
    c.store8(la + 5, 0);
    c.store16(la + 6, c.fpOpcode);
    if (wide) {
      c.store64(la + 8, c.fpInstructionPointer);
      c.store64(la + 16, c.fpDataPointer);
    } else {
      c.store32(la + 8, c.fpInstructionPointer);
      c.store32(la + 12, c.fpInstructionSelector);
      c.store32(la + 16, c.fpDataPointer);
      c.store32(la + 20, c.fpDataSelector);
    }
    for (int k = 0; k < 8; k++) {
      int r = c.fpTop + k & 7;
      c.store64(la + OFFSET_ST + 16 * k, c.fpSignificand[r]);
      c.store64(la + OFFSET_ST + 16 * k + 8, c.fpSignExponent[r]);
    }
  }

  private static void restoreX87(Cpu c, long la, boolean wide) {
    c.fpControl = legalControl((int) c.load16(la));
    setStatusWord(c, (int) c.load16(la + 2));
    c.fpEmpty = ~(int) c.load8(la + 4) & 0xFF;
    c.fpOpcode = (int) c.load16(la + 6) & 0x7FF;
    if (wide) {
      c.fpInstructionPointer = c.load64(la + 8);
      c.fpDataPointer = c.load64(la + 16);
      c.fpInstructionSelector = 0;
      c.fpDataSelector = 0;
    } else {
      c.fpInstructionPointer = c.load32(la + 8);
      c.fpInstructionSelector = (int) c.load16(la + 12);
      c.fpDataPointer = c.load32(la + 16);
      c.fpDataSelector = (int) c.load16(la + 20);
    }
    for (int k = 0; k < 8; k++) {
      int r = c.fpTop + k & 7;
      c.fpSignificand[r] = c.load64(la + OFFSET_ST + 16 * k);
      c.fpSignExponent[r] = (int) c.load16(la + OFFSET_ST + 16 * k + 8);
    }
  }

  /** Outside 64-bit mode only XMM0 to XMM7 exist. */
  private static int xmmWords(Cpu c) {
    return c.code64() ? 32 : 16;
  }

  private static void saveXmm(Cpu c, long la) {
    int n = xmmWords(c);
    for (int k = 0; k < n; k++) {
      c.store64(la + OFFSET_XMM + 8 * k, c.xmm[k]);
    }
  }

  private static void restoreXmm(Cpu c, long la) {
    int n = xmmWords(c);
    for (int k = 0; k < n; k++) {
      c.xmm[k] = c.load64(la + OFFSET_XMM + 8 * k);
    }
  }

  // ---- XSAVE ----

  private static void checkX(Cpu c) {
    if ((c.cr4 & CpuRegisters.CR4_OSXSAVE) == 0) {
      throw c.ud();
    }
    if ((c.cr0 & CpuRegisters.CR0_TS) != 0) {
      throw c.fault(GuestFault.NM);
    }
  }

  /** The requested-feature bitmap: EDX:EAX within XCR0. */
  private static long requested(Cpu c) {
    return (c.gpr[CpuRegisters.RAX] & 0xFFFFFFFFL | c.gpr[CpuRegisters.RDX] << 32) & c.xcr0;
  }

  static void xsave(Cpu c, Insn i) {
    checkX(c);
    long la = fxAddress(c, i, XSAVE_SIZE, 64, true);
    long rfbm = requested(c);
    c.checkWritable(la, XSAVE_SIZE);
    long old = c.load64(la + OFFSET_XSTATE_BV);
    if ((rfbm & STATE_X87) != 0) {
      saveX87(c, la, wide(i));
    }
    if ((rfbm & STATE_SSE) != 0) {
      c.store32(la + OFFSET_MXCSR, c.mxcsr);
      c.store32(la + OFFSET_MXCSR + 4, MXCSR_MASK);
      saveXmm(c, la);
    }
    c.store64(la + OFFSET_XSTATE_BV, old & ~rfbm | rfbm & inUse(c));
  }

  /** XINUSE: the components that are not in their initial configuration. */
  static long inUse(Cpu c) {
    long used = 0;
    for (int k = 0; k < xmmWords(c); k++) {
      if (c.xmm[k] != 0) {
        used = STATE_SSE;
        break;
      }
    }
    boolean x87 =
        c.fpControl != INITIAL_CONTROL
            || c.fpStatus != 0
            || c.fpTop != 0
            || c.fpEmpty != 0xFF
            || (c.fpOpcode | c.fpInstructionSelector | c.fpDataSelector) != 0
            || (c.fpInstructionPointer | c.fpDataPointer) != 0;
    for (int r = 0; r < 8 && !x87; r++) {
      x87 = c.fpSignificand[r] != 0 || c.fpSignExponent[r] != 0;
    }
    return x87 ? used | STATE_X87 : used;
  }

  static void xrstor(Cpu c, Insn i) {
    checkX(c);
    long la = fxAddress(c, i, XSAVE_SIZE, 64, false);
    checkReadable(c, la, XSAVE_SIZE);
    long present = c.load64(la + OFFSET_XSTATE_BV);
    boolean reservedSet = (c.load64(la + OFFSET_XCOMP_BV) | c.load64(la + OFFSET_RESERVED)) != 0;
    if (reservedSet || (present & ~c.xcr0) != 0) {
      throw c.gp(0); // the compacted form is not supported
    }
    long rfbm = requested(c);
    int mxcsr = (rfbm & STATE_SSE) != 0 ? loadMxcsr(c, la) : c.mxcsr;
    if ((rfbm & present & STATE_X87) != 0) {
      restoreX87(c, la, wide(i));
    } else if ((rfbm & STATE_X87) != 0) {
      initialize(c);
      java.util.Arrays.fill(c.fpSignificand, 0);
      java.util.Arrays.fill(c.fpSignExponent, 0);
    }
    c.mxcsr = mxcsr;
    if ((rfbm & present & STATE_SSE) != 0) {
      restoreXmm(c, la);
    } else if ((rfbm & STATE_SSE) != 0) {
      java.util.Arrays.fill(c.xmm, 0, xmmWords(c), 0);
    }
  }

  // ---- x87 control and status ----

  /** The status word with TOP. */
  static int statusWord(Cpu c) {
    return c.fpStatus | c.fpTop << 11;
  }

  /** Replaces the status word; the summary bits follow from flags and masks. */
  static void setStatusWord(Cpu c, int v) {
    c.fpTop = v >> 11 & 7;
    c.fpStatus = v & ~(7 << 11) & 0xFFFF;
    summarize(c);
  }

  /** Bit 6 of the control word always reads as 1, bits 7 and 13 to 15 as 0. */
  static int legalControl(int v) {
    return v & 0x1F7F | 0x40;
  }

  /** Recomputes the error summary (ES) and busy (B) bits. */
  static void summarize(Cpu c) {
    boolean pending = (c.fpStatus & ~c.fpControl & 0x3F) != 0;
    c.fpStatus = pending ? c.fpStatus | 0x8080 : c.fpStatus & ~0x8080;
  }

  /** FNINIT: everything but the registers' contents. */
  static void initialize(Cpu c) {
    c.fpControl = INITIAL_CONTROL;
    c.fpStatus = 0;
    c.fpTop = 0;
    c.fpEmpty = 0xFF;
    c.fpOpcode = 0;
    c.fpInstructionPointer = 0;
    c.fpDataPointer = 0;
    c.fpInstructionSelector = 0;
    c.fpDataSelector = 0;
  }

  /**
   * Raises what any x87 instruction but WAIT raises when it may not run now.
   *
   * @throws GuestFault #NM for CR0.EM or CR0.TS
   */
  static void checkAvailable(Cpu c) {
    if ((c.cr0 & (CpuRegisters.CR0_EM | CpuRegisters.CR0_TS)) != 0) {
      throw c.fault(GuestFault.NM);
    }
  }

  /**
   * As {@link #checkAvailable}, and #MF when an unmasked exception waits. With CR0.NE = 0 nothing
   * is raised, as if the machine held IGNNE# asserted: no chipset of ours wires FERR#.
   */
  static void checkWaiting(Cpu c) {
    if ((c.cr0 & (CpuRegisters.CR0_EM | CpuRegisters.CR0_TS)) != 0) {
      throw c.fault(GuestFault.NM);
    }
    checkPending(c);
  }

  static void checkPending(Cpu c) {
    if ((c.fpStatus & 0x80) != 0 && (c.cr0 & CpuRegisters.CR0_NE) != 0) {
      throw c.fault(GuestFault.MF);
    }
  }

  static void fwait(Cpu c, Insn i) {
    long both = CpuRegisters.CR0_MP | CpuRegisters.CR0_TS;
    if ((c.cr0 & both) == both) {
      throw c.fault(GuestFault.NM);
    }
    checkPending(c);
  }

  static void fninit(Cpu c, Insn i) {
    checkAvailable(c);
    initialize(c);
  }

  static void fnclex(Cpu c, Insn i) {
    checkAvailable(c);
    c.fpStatus &= 0x7F00; // exception flags, SF, ES and B go; condition codes stay
  }

  /** FNSETPM, FNDISI and FNENI do nothing since the 387. */
  static void fnop(Cpu c, Insn i) {
    checkAvailable(c);
  }

  static void fnstcw(Cpu c, Insn i) {
    checkAvailable(c);
    c.write(i, 0, c.fpControl);
  }

  static void fldcw(Cpu c, Insn i) {
    checkWaiting(c);
    c.fpControl = legalControl((int) c.read(i, 0));
    summarize(c);
  }

  /** FNSTSW to AX or memory. */
  static void fnstsw(Cpu c, Insn i) {
    checkAvailable(c);
    c.write(i, 0, statusWord(c));
  }
}
