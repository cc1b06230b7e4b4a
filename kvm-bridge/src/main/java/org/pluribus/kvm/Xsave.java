package org.pluribus.kvm;

import java.lang.foreign.MemorySegment;

/**
 * The whole extended state in XSAVE's standard format: {@code struct kvm_xsave} (asm/kvm.h). The
 * offsets of its parts are those of CPUID leaf 0xD on this host (SDM volume 1, 13.4).
 *
 * <p>Its size is {@link VmFd#xsaveBytes()}. Not synchronised.
 */
public final class Xsave extends Struct {
  /**
   * @param bytes size, at least 4096
   */
  public Xsave(int bytes) {
    super(Math.max(bytes, KvmAbi.XSAVE_BYTES));
  }

  /** The bytes, to read, write or send. */
  public MemorySegment segment() {
    return bytes();
  }
}
