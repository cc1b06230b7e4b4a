package org.pluribus.kvm;

/**
 * x87 and SSE state: {@code struct kvm_fpu} (asm/kvm.h). {@link Xsave} holds AVX and newer too.
 * Make one and reuse it. Not synchronised.
 */
public final class Fpu extends Struct {
  private static final int REGISTER_BYTES = 16;
  private static final int X87_REGISTERS = 8;
  private static final int XMM_REGISTERS = 16;

  /** All zeros. */
  public Fpu() {
    super(KvmAbi.FPU_BYTES);
  }

  /** Bits 0 to 63 of ST0 to ST7: by place in the register stack, as FXSAVE has them. */
  public long x87Significand(int register) {
    return longAt(x87(register));
  }

  /** Sign and exponent (bits 64 to 79) of ST0 to ST7. */
  public int x87Exponent(int register) {
    return shortAt(x87(register) + Long.BYTES);
  }

  public void x87(int register, long significand, int exponent) {
    longAt(x87(register), significand);
    shortAt(x87(register) + Long.BYTES, exponent);
  }

  /** Low half of XMM register 0 to 15. */
  public long xmmLow(int register) {
    return longAt(xmm(register));
  }

  /** High half of XMM register 0 to 15. */
  public long xmmHigh(int register) {
    return longAt(xmm(register) + Long.BYTES);
  }

  public void xmm(int register, long low, long high) {
    longAt(xmm(register), low);
    longAt(xmm(register) + Long.BYTES, high);
  }

  private static long x87(int register) {
    return KvmAbi.FPU_FPR + offset(register, X87_REGISTERS);
  }

  private static long xmm(int register) {
    return KvmAbi.FPU_XMM + offset(register, XMM_REGISTERS);
  }

  private static long offset(int register, int count) {
    if (register < 0 || register >= count) {
      throw new IndexOutOfBoundsException("register " + register + " of " + count);
    }
    return (long) register * REGISTER_BYTES;
  }

  public int fcw() {
    return shortAt(KvmAbi.FPU_FCW);
  }

  public void fcw(int value) {
    shortAt(KvmAbi.FPU_FCW, value);
  }

  public int fsw() {
    return shortAt(KvmAbi.FPU_FSW);
  }

  public void fsw(int value) {
    shortAt(KvmAbi.FPU_FSW, value);
  }

  public int ftwx() {
    return byteAt(KvmAbi.FPU_FTWX);
  }

  public void ftwx(int value) {
    byteAt(KvmAbi.FPU_FTWX, value);
  }

  public int lastOpcode() {
    return shortAt(KvmAbi.FPU_LAST_OPCODE);
  }

  public void lastOpcode(int value) {
    shortAt(KvmAbi.FPU_LAST_OPCODE, value);
  }

  public long lastIp() {
    return longAt(KvmAbi.FPU_LAST_IP);
  }

  public void lastIp(long value) {
    longAt(KvmAbi.FPU_LAST_IP, value);
  }

  public long lastDp() {
    return longAt(KvmAbi.FPU_LAST_DP);
  }

  public void lastDp(long value) {
    longAt(KvmAbi.FPU_LAST_DP, value);
  }

  public int mxcsr() {
    return intAt(KvmAbi.FPU_MXCSR);
  }

  public void mxcsr(int value) {
    intAt(KvmAbi.FPU_MXCSR, value);
  }
}
