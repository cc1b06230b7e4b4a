package org.pluribus.kvm;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.BitSet;

/**
 * Which accesses to a range of MSRs the guest may do itself: {@code struct kvm_msr_filter_range}
 * (asm/kvm.h). A value.
 *
 * @param reads whether the range says something of RDMSR
 * @param writes whether the range says something of WRMSR
 * @param base the first MSR's index
 * @param count how many MSRs, 1 to 12288
 * @param allowed bit n: MSR base+n is allowed; clear bits are denied
 */
public record MsrFilterRange(boolean reads, boolean writes, int base, int count, BitSet allowed) {
  public MsrFilterRange {
    int most = KvmAbi.KVM_MSR_FILTER_MAX_BITMAP_SIZE * Byte.SIZE;
    if (count < 1 || count > most) {
      throw new IllegalArgumentException(
          "%d MSRs in a filter range: 1 to %d".formatted(count, most));
    }
    if (!reads && !writes) {
      throw new IllegalArgumentException("an MSR filter range is for reads, writes or both");
    }
    allowed = (BitSet) allowed.clone();
  }

  /** Denies reads and writes of so many MSRs from an index on. */
  public static MsrFilterRange deny(int base, int count) {
    return new MsrFilterRange(true, true, base, count, new BitSet());
  }

  @Override
  public BitSet allowed() {
    return (BitSet) allowed.clone();
  }

  /** Writes it as the kernel wants it; the bitmap lives as long as the arena. */
  void write(MemorySegment range, Arena arena) {
    MemorySegment bitmap = arena.allocate(KvmAbi.KVM_MSR_FILTER_MAX_BITMAP_SIZE, Long.BYTES);
    for (int bit = allowed.nextSetBit(0);
        bit >= 0 && bit < count;
        bit = allowed.nextSetBit(bit + 1)) {
      long at = bit / Byte.SIZE;
      bitmap.set(JAVA_BYTE, at, (byte) (bitmap.get(JAVA_BYTE, at) | 1 << bit % Byte.SIZE));
    }
    int flags =
        (reads ? KvmAbi.KVM_MSR_FILTER_READ : 0) | (writes ? KvmAbi.KVM_MSR_FILTER_WRITE : 0);
    range.set(JAVA_INT, KvmAbi.MSR_RANGE_FLAGS, flags);
    range.set(JAVA_INT, KvmAbi.MSR_RANGE_NMSRS, count);
    range.set(JAVA_INT, KvmAbi.MSR_RANGE_BASE, base);
    range.set(JAVA_LONG, KvmAbi.MSR_RANGE_BITMAP, bitmap.address());
  }
}
