package org.pluribus.kvm;

/** Extended control registers (XCR0): {@code struct kvm_xcrs} (asm/kvm.h). Not synchronised. */
public final class Xcrs extends Struct {
  /** Empty list. */
  public Xcrs() {
    super(KvmAbi.XCRS_BYTES);
  }

  /** How many registers the list holds, at most {@code KVM_MAX_XCRS}. */
  public int count() {
    return Math.min(intAt(KvmAbi.XCRS_COUNT), KvmAbi.KVM_MAX_XCRS);
  }

  /** XCR0: which states XSAVE may hold (SDM volume 1, 13.3); 0 if the list lacks it. */
  public long xcr0() {
    for (int i = 0; i < count(); i++) {
      if (intAt(entry(i) + KvmAbi.XCR_INDEX) == 0) {
        return longAt(entry(i) + KvmAbi.XCR_VALUE);
      }
    }
    return 0;
  }

  /** Makes this a list of XCR0 alone. */
  public void xcr0(long value) {
    intAt(KvmAbi.XCRS_COUNT, 1);
    intAt(entry(0) + KvmAbi.XCR_INDEX, 0);
    longAt(entry(0) + KvmAbi.XCR_VALUE, value);
  }

  private static long entry(int i) {
    return KvmAbi.XCRS_ENTRIES + (long) i * KvmAbi.XCR_BYTES;
  }
}
