package org.pluribus.kvm;

import java.lang.foreign.MemorySegment;

/**
 * Exceptions, interrupts and NMIs in flight: {@code struct kvm_vcpu_events} (asm/kvm.h). Part of a
 * vCPU's state between two runs. Make one and reuse it. Not synchronised.
 *
 * <p>The flag values are 0 or 1. {@link #flags()} says which optional fields count when set: the
 * {@code VALID_} constants.
 */
public final class VcpuEvents extends Struct {
  /** {@link #nmiPending()} counts. */
  public static final int VALID_NMI_PENDING = KvmAbi.KVM_VCPUEVENT_VALID_NMI_PENDING;

  /** {@link #sipiVector()} counts. */
  public static final int VALID_SIPI_VECTOR = KvmAbi.KVM_VCPUEVENT_VALID_SIPI_VECTOR;

  /** {@link #interruptShadow()} counts. */
  public static final int VALID_SHADOW = KvmAbi.KVM_VCPUEVENT_VALID_SHADOW;

  /** All zeros. */
  public VcpuEvents() {
    super(KvmAbi.EVENTS_BYTES);
  }

  /** A view of the run area's. */
  VcpuEvents(MemorySegment bytes) {
    super(bytes, KvmAbi.EVENTS_BYTES);
  }

  public int exceptionInjected() {
    return byteAt(KvmAbi.EVENTS_EXCEPTION_INJECTED);
  }

  public void exceptionInjected(int value) {
    byteAt(KvmAbi.EVENTS_EXCEPTION_INJECTED, value);
  }

  public int exceptionVector() {
    return byteAt(KvmAbi.EVENTS_EXCEPTION_NR);
  }

  public void exceptionVector(int value) {
    byteAt(KvmAbi.EVENTS_EXCEPTION_NR, value);
  }

  public int exceptionHasError() {
    return byteAt(KvmAbi.EVENTS_EXCEPTION_HAS_ERROR);
  }

  public void exceptionHasError(int value) {
    byteAt(KvmAbi.EVENTS_EXCEPTION_HAS_ERROR, value);
  }

  public int exceptionPending() {
    return byteAt(KvmAbi.EVENTS_EXCEPTION_PENDING);
  }

  public void exceptionPending(int value) {
    byteAt(KvmAbi.EVENTS_EXCEPTION_PENDING, value);
  }

  public int exceptionError() {
    return intAt(KvmAbi.EVENTS_EXCEPTION_ERROR);
  }

  public void exceptionError(int value) {
    intAt(KvmAbi.EVENTS_EXCEPTION_ERROR, value);
  }

  public int interruptInjected() {
    return byteAt(KvmAbi.EVENTS_INTERRUPT_INJECTED);
  }

  public void interruptInjected(int value) {
    byteAt(KvmAbi.EVENTS_INTERRUPT_INJECTED, value);
  }

  public int interruptVector() {
    return byteAt(KvmAbi.EVENTS_INTERRUPT_NR);
  }

  public void interruptVector(int value) {
    byteAt(KvmAbi.EVENTS_INTERRUPT_NR, value);
  }

  public int interruptSoft() {
    return byteAt(KvmAbi.EVENTS_INTERRUPT_SOFT);
  }

  public void interruptSoft(int value) {
    byteAt(KvmAbi.EVENTS_INTERRUPT_SOFT, value);
  }

  public int interruptShadow() {
    return byteAt(KvmAbi.EVENTS_INTERRUPT_SHADOW);
  }

  public void interruptShadow(int value) {
    byteAt(KvmAbi.EVENTS_INTERRUPT_SHADOW, value);
  }

  public int nmiInjected() {
    return byteAt(KvmAbi.EVENTS_NMI_INJECTED);
  }

  public void nmiInjected(int value) {
    byteAt(KvmAbi.EVENTS_NMI_INJECTED, value);
  }

  public int nmiPending() {
    return byteAt(KvmAbi.EVENTS_NMI_PENDING);
  }

  public void nmiPending(int value) {
    byteAt(KvmAbi.EVENTS_NMI_PENDING, value);
  }

  public int nmiMasked() {
    return byteAt(KvmAbi.EVENTS_NMI_MASKED);
  }

  public void nmiMasked(int value) {
    byteAt(KvmAbi.EVENTS_NMI_MASKED, value);
  }

  public int sipiVector() {
    return intAt(KvmAbi.EVENTS_SIPI_VECTOR);
  }

  public void sipiVector(int value) {
    intAt(KvmAbi.EVENTS_SIPI_VECTOR, value);
  }

  public int flags() {
    return intAt(KvmAbi.EVENTS_FLAGS);
  }

  public void flags(int value) {
    intAt(KvmAbi.EVENTS_FLAGS, value);
  }
}
