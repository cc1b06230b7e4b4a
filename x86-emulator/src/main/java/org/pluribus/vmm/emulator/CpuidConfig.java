package org.pluribus.vmm.emulator;

import java.util.Set;

/**
 * One vCPU's place in the machine, as CPUID tells it.
 *
 * @param apicId APIC id, in x2APIC width: package number above {@code packageShift}, core below
 * @param nodeShift bits of the APIC id below the node number: CPUs of a node share the last cache
 * @param packageShift bits of the APIC id below the package number; a package holds several nodes,
 *     because Linux lets a CPU that is the first of its package measure its delay loop anew, by
 *     waiting for ticks of another CPU
 * @param coresPerPackage vCPUs of this vCPU's package, at least 1
 * @param tscHz frequency of the TSC
 * @param without what this machine's CPUs do not promise, though the emulator has it
 * @param model which processor they say they are
 */
public record CpuidConfig(
    int apicId,
    int nodeShift,
    int packageShift,
    int coresPerPackage,
    long tscHz,
    Set<CpuFeature> without,
    CpuModel model) {
  /** Frequency of the guest's TSC: one tick a nanosecond. */
  public static final int STANDARD_TSC_HZ = 1_000_000_000;

  /** Slower than any processor with an invariant TSC. */
  public static final long MIN_TSC_HZ = 100_000_000L;

  /** Leaf 0x15 has 32 bits for the hertz. */
  public static final long MAX_TSC_HZ = 0xFFFF_FFFFL;

  /** AMD's NODE_ID register has as many bits for a node's number in its package. */
  public static final int NODE_BITS = 3;

  /** Checks the counts against each other. */
  public CpuidConfig {
    if (nodeShift < 0
        || packageShift < nodeShift
        || packageShift > 24
        || packageShift - nodeShift > NODE_BITS
        || coresPerPackage < 1) {
      throw new IllegalArgumentException(
          "CPU topology with " + coresPerPackage + " cores in " + packageShift + " bits");
    }
    if (coresPerPackage > 1 << packageShift) {
      throw new IllegalArgumentException(
          coresPerPackage + " cores do not fit in " + packageShift + " APIC id bits");
    }
    if (tscHz < MIN_TSC_HZ || tscHz > MAX_TSC_HZ) {
      throw new IllegalArgumentException("TSC frequency of " + tscHz + " Hz");
    }
    without = Set.copyOf(without);
  }

  /** A place in a machine whose CPUs say that they execute in order. */
  public CpuidConfig(
      int apicId, int packageShift, int coresPerPackage, long tscHz, Set<CpuFeature> without) {
    this(apicId, packageShift, packageShift, coresPerPackage, tscHz, without, CpuModel.IN_ORDER);
  }

  /** A place with every feature there is. */
  public CpuidConfig(int apicId, int packageShift, int coresPerPackage, long tscHz) {
    this(apicId, packageShift, coresPerPackage, tscHz, Set.of());
  }

  /** Node's number within its package. */
  public int nodeInPackage() {
    return apicId >>> nodeShift & (1 << packageShift - nodeShift) - 1;
  }

  /** A machine with one CPU. */
  public static CpuidConfig uniprocessor() {
    return new CpuidConfig(0, 0, 1, STANDARD_TSC_HZ);
  }
}
