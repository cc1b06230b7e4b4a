package org.pluribus.kvm;

import java.lang.foreign.MemorySegment;

/**
 * General registers, RIP and RFLAGS: {@code struct kvm_regs} (asm/kvm.h), readable and writable.
 *
 * <p>Make one and reuse it; {@link VcpuFd#getRegs} fills it and {@link VcpuFd#setRegs} hands it to
 * the vCPU. Not synchronised.
 */
public final class Regs extends Struct {
  /** Offset of each register by its number in instruction encodings (SDM volume 2, 2.1.5). */
  private static final int[] BY_ENCODING = {
    KvmAbi.REGS_RAX, KvmAbi.REGS_RCX, KvmAbi.REGS_RDX, KvmAbi.REGS_RBX,
    KvmAbi.REGS_RSP, KvmAbi.REGS_RBP, KvmAbi.REGS_RSI, KvmAbi.REGS_RDI,
    KvmAbi.REGS_R8, KvmAbi.REGS_R9, KvmAbi.REGS_R10, KvmAbi.REGS_R11,
    KvmAbi.REGS_R12, KvmAbi.REGS_R13, KvmAbi.REGS_R14, KvmAbi.REGS_R15
  };

  /** All zeros. */
  public Regs() {
    super(KvmAbi.REGS_BYTES);
  }

  /** A view of registers that lie in the run area. */
  Regs(MemorySegment bytes) {
    super(bytes, KvmAbi.REGS_BYTES);
  }

  /** Copies all of another's values. */
  public void copyFrom(Regs other) {
    copyBytes(other);
  }

  /** A general register by its number in instruction encodings: 0 RAX, 1 RCX, ... 15 R15. */
  public long general(int number) {
    return longAt(BY_ENCODING[number]);
  }

  /** Sets a general register by its number in instruction encodings. */
  public void general(int number, long value) {
    longAt(BY_ENCODING[number], value);
  }

  public long rax() {
    return longAt(KvmAbi.REGS_RAX);
  }

  public void rax(long value) {
    longAt(KvmAbi.REGS_RAX, value);
  }

  public long rbx() {
    return longAt(KvmAbi.REGS_RBX);
  }

  public void rbx(long value) {
    longAt(KvmAbi.REGS_RBX, value);
  }

  public long rcx() {
    return longAt(KvmAbi.REGS_RCX);
  }

  public void rcx(long value) {
    longAt(KvmAbi.REGS_RCX, value);
  }

  public long rdx() {
    return longAt(KvmAbi.REGS_RDX);
  }

  public void rdx(long value) {
    longAt(KvmAbi.REGS_RDX, value);
  }

  public long rsi() {
    return longAt(KvmAbi.REGS_RSI);
  }

  public void rsi(long value) {
    longAt(KvmAbi.REGS_RSI, value);
  }

  public long rdi() {
    return longAt(KvmAbi.REGS_RDI);
  }

  public void rdi(long value) {
    longAt(KvmAbi.REGS_RDI, value);
  }

  public long rsp() {
    return longAt(KvmAbi.REGS_RSP);
  }

  public void rsp(long value) {
    longAt(KvmAbi.REGS_RSP, value);
  }

  public long rbp() {
    return longAt(KvmAbi.REGS_RBP);
  }

  public void rbp(long value) {
    longAt(KvmAbi.REGS_RBP, value);
  }

  public long r8() {
    return longAt(KvmAbi.REGS_R8);
  }

  public void r8(long value) {
    longAt(KvmAbi.REGS_R8, value);
  }

  public long r9() {
    return longAt(KvmAbi.REGS_R9);
  }

  public void r9(long value) {
    longAt(KvmAbi.REGS_R9, value);
  }

  public long r10() {
    return longAt(KvmAbi.REGS_R10);
  }

  public void r10(long value) {
    longAt(KvmAbi.REGS_R10, value);
  }

  public long r11() {
    return longAt(KvmAbi.REGS_R11);
  }

  public void r11(long value) {
    longAt(KvmAbi.REGS_R11, value);
  }

  public long r12() {
    return longAt(KvmAbi.REGS_R12);
  }

  public void r12(long value) {
    longAt(KvmAbi.REGS_R12, value);
  }

  public long r13() {
    return longAt(KvmAbi.REGS_R13);
  }

  public void r13(long value) {
    longAt(KvmAbi.REGS_R13, value);
  }

  public long r14() {
    return longAt(KvmAbi.REGS_R14);
  }

  public void r14(long value) {
    longAt(KvmAbi.REGS_R14, value);
  }

  public long r15() {
    return longAt(KvmAbi.REGS_R15);
  }

  public void r15(long value) {
    longAt(KvmAbi.REGS_R15, value);
  }

  public long rip() {
    return longAt(KvmAbi.REGS_RIP);
  }

  public void rip(long value) {
    longAt(KvmAbi.REGS_RIP, value);
  }

  public long rflags() {
    return longAt(KvmAbi.REGS_RFLAGS);
  }

  public void rflags(long value) {
    longAt(KvmAbi.REGS_RFLAGS, value);
  }
}
