package org.pluribus.vmm.emulator.oracle;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * A user-visible CPU state, a few instruction bytes at {@link #CODE_ADDRESS} and two pages of data
 * at {@link #DATA_ADDRESS}. The layout is that of {@code struct image} in {@code native-oracle.c}.
 */
final class MachineImage {
  static final int BYTES = 1024 + 8192;

  /** Linear address of the first instruction byte; one page is mapped there. */
  static final long CODE_ADDRESS = 0x4000_0000L;

  /** Linear address of the data window; the pages around it are not mapped. */
  static final long DATA_ADDRESS = 0x4010_0000L;

  static final int DATA_BYTES = 8192;
  static final int CODE_BYTES = 64;
  static final int FXSAVE_BYTES = 512;

  /** The part of an FXSAVE image that the CPU defines; SDM volume 1, section 10.5.1. */
  static final int FXSAVE_DEFINED_BYTES = 416;

  /** {@link #vector()} of a run without a fault. */
  static final int NO_FAULT = -1;

  static final int RAX = 0;
  static final int RCX = 1;
  static final int RDX = 2;
  static final int RBX = 3;
  static final int RSP = 4;
  static final int RSI = 6;
  static final int RDI = 7;

  /** Linux's selectors for user code, 64-bit and 32-bit, and user data; asm/segment.h. */
  static final int USER_CS64 = 0x33;

  static final int USER_CS32 = 0x23;
  static final int USER_DS = 0x2B;

  // Offsets in the FXSAVE image, SDM volume 1, table 10-2.
  static final int FCW = 0;
  static final int FSW = 2;
  static final int FTW = 4;
  static final int FOP = 6;
  static final int MXCSR = 24;
  static final int MXCSR_MASK = 28;
  static final int ST0 = 32;
  static final int XMM0 = 160;

  private static final int RIP_AT = 128;
  private static final int RFLAGS_AT = 136;
  private static final int FS_BASE_AT = 144;
  private static final int GS_BASE_AT = 152;
  private static final int CR2_AT = 160;
  private static final int VECTOR_AT = 168;
  private static final int ERROR_AT = 172;
  private static final int CS_AT = 176;
  private static final int SS_AT = 178;
  private static final int STEPS_AT = 180;
  private static final int LENGTH_AT = 184;
  private static final int FPU_AT = 192;
  private static final int FXSAVE_AT = 256;
  private static final int CODE_AT = FXSAVE_AT + FXSAVE_BYTES;
  private static final int DATA_AT = 1024;

  private final MemorySegment bytes;
  private final MemorySegment code;
  private final MemorySegment data;
  private final MemorySegment fxsave;

  MachineImage(MemorySegment bytes) {
    this.bytes = bytes.asSlice(0, BYTES);
    this.fxsave = bytes.asSlice(FXSAVE_AT, FXSAVE_BYTES);
    this.code = bytes.asSlice(CODE_AT, CODE_BYTES);
    this.data = bytes.asSlice(DATA_AT, DATA_BYTES);
  }

  /** An image in native memory of its own. */
  static MachineImage allocate() {
    return new MachineImage(Arena.ofAuto().allocate(BYTES, 64));
  }

  void copyFrom(MachineImage other) {
    bytes.copyFrom(other.bytes);
  }

  /** General register by its number in the encoding: RAX RCX RDX RBX RSP RBP RSI RDI R8 to R15. */
  long gpr(int number) {
    return bytes.get(JAVA_LONG_UNALIGNED, 8L * number);
  }

  void gpr(int number, long value) {
    bytes.set(JAVA_LONG_UNALIGNED, 8L * number, value);
  }

  long rip() {
    return bytes.get(JAVA_LONG_UNALIGNED, RIP_AT);
  }

  void rip(long value) {
    bytes.set(JAVA_LONG_UNALIGNED, RIP_AT, value);
  }

  long rflags() {
    return bytes.get(JAVA_LONG_UNALIGNED, RFLAGS_AT);
  }

  void rflags(long value) {
    bytes.set(JAVA_LONG_UNALIGNED, RFLAGS_AT, value);
  }

  long fsBase() {
    return bytes.get(JAVA_LONG_UNALIGNED, FS_BASE_AT);
  }

  void fsBase(long value) {
    bytes.set(JAVA_LONG_UNALIGNED, FS_BASE_AT, value);
  }

  long gsBase() {
    return bytes.get(JAVA_LONG_UNALIGNED, GS_BASE_AT);
  }

  void gsBase(long value) {
    bytes.set(JAVA_LONG_UNALIGNED, GS_BASE_AT, value);
  }

  /** Faulting address of a page fault, else 0. */
  long cr2() {
    return bytes.get(JAVA_LONG_UNALIGNED, CR2_AT);
  }

  void cr2(long value) {
    bytes.set(JAVA_LONG_UNALIGNED, CR2_AT, value);
  }

  /** The exception the run ended with, or {@link #NO_FAULT}. */
  int vector() {
    return bytes.get(JAVA_INT_UNALIGNED, VECTOR_AT);
  }

  void vector(int value) {
    bytes.set(JAVA_INT_UNALIGNED, VECTOR_AT, value);
  }

  int errorCode() {
    return bytes.get(JAVA_INT_UNALIGNED, ERROR_AT);
  }

  void errorCode(int value) {
    bytes.set(JAVA_INT_UNALIGNED, ERROR_AT, value);
  }

  int cs() {
    return Short.toUnsignedInt(bytes.get(JAVA_SHORT_UNALIGNED, CS_AT));
  }

  int ss() {
    return Short.toUnsignedInt(bytes.get(JAVA_SHORT_UNALIGNED, SS_AT));
  }

  void selectors(int cs, int ss) {
    bytes.set(JAVA_SHORT_UNALIGNED, CS_AT, (short) cs);
    bytes.set(JAVA_SHORT_UNALIGNED, SS_AT, (short) ss);
  }

  /** How often the instruction may come back to its own start (REP) before the run ends. */
  int maxSteps() {
    return bytes.get(JAVA_INT_UNALIGNED, STEPS_AT);
  }

  void maxSteps(int value) {
    bytes.set(JAVA_INT_UNALIGNED, STEPS_AT, value);
  }

  /** x87, MMX and SSE state as FXSAVE64 stores it. */
  MemorySegment fxsave() {
    return fxsave;
  }

  int fxWord(int offset) {
    return Short.toUnsignedInt(fxsave.get(JAVA_SHORT_UNALIGNED, offset));
  }

  void fxWord(int offset, int value) {
    fxsave.set(JAVA_SHORT_UNALIGNED, offset, (short) value);
  }

  int mxcsr() {
    return fxsave.get(JAVA_INT_UNALIGNED, MXCSR);
  }

  void mxcsr(int value) {
    fxsave.set(JAVA_INT_UNALIGNED, MXCSR, value);
  }

  /** Whether the x87 and SSE state counts; libunicorn is faster without. */
  boolean usesFpu() {
    return bytes.get(JAVA_INT_UNALIGNED, FPU_AT) != 0;
  }

  void usesFpu(boolean uses) {
    bytes.set(JAVA_INT_UNALIGNED, FPU_AT, uses ? 1 : 0);
  }

  /** Length of the instruction in bytes. */
  int length() {
    return bytes.get(JAVA_INT_UNALIGNED, LENGTH_AT);
  }

  MemorySegment code() {
    return code;
  }

  /** The data window, {@link #DATA_BYTES} from {@link #DATA_ADDRESS}. */
  MemorySegment data() {
    return data;
  }

  /** Sets the instruction; the rest of the code bytes become NOP. */
  void instruction(byte[] instruction) {
    code.fill((byte) 0x90);
    bytes.set(JAVA_INT_UNALIGNED, LENGTH_AT, instruction.length);
    for (int i = 0; i < instruction.length; i++) {
      code.set(JAVA_BYTE, i, instruction[i]);
    }
  }

  /** All zero, RIP at the code, RSP mid-window, FPU and SSE as after FNINIT and reset. */
  void reset() {
    bytes.fill((byte) 0);
    rip(CODE_ADDRESS);
    rflags(0x202);
    gpr(RSP, DATA_ADDRESS + DATA_BYTES / 2);
    selectors(USER_CS64, USER_DS);
    vector(NO_FAULT);
    maxSteps(1);
    usesFpu(true);
    fxWord(FCW, 0x37F);
    mxcsr(0x1F80);
    fxsave.set(JAVA_INT_UNALIGNED, MXCSR_MASK, 0x2FFFF);
  }
}
