package org.pluribus.kvm;

/**
 * One answer of the CPUID instruction: {@code struct kvm_cpuid_entry2} (asm/kvm.h). A value.
 *
 * @param function the leaf, EAX on entry
 * @param index the subleaf, ECX on entry; counts only if {@link #indexCounts()}
 * @param flags KVM_CPUID_FLAG_ bits
 */
public record CpuidEntry(int function, int index, int flags, int eax, int ebx, int ecx, int edx) {
  /** The subleaf matters for this leaf. */
  public static final int FLAG_SIGNIFICANT_INDEX = KvmAbi.KVM_CPUID_FLAG_SIGNIFCANT_INDEX;

  /** Whether the answer depends on the subleaf. */
  public boolean indexCounts() {
    return (flags & FLAG_SIGNIFICANT_INDEX) != 0;
  }

  /** The same leaf with other register values. */
  public CpuidEntry with(int newEax, int newEbx, int newEcx, int newEdx) {
    return new CpuidEntry(function, index, flags, newEax, newEbx, newEcx, newEdx);
  }

  @Override
  public String toString() {
    return "%08x.%x: eax=%08x ebx=%08x ecx=%08x edx=%08x"
        .formatted(function, index, eax, ebx, ecx, edx);
  }
}
