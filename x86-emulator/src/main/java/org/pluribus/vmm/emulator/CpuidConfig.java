package org.pluribus.vmm.emulator;

/**
 * One vCPU's place in the machine, as CPUID tells it.
 *
 * @param apicId APIC id, in x2APIC width: package number above {@code packageShift}, core below
 * @param packageShift bits of the APIC id below the package number; a node is a package
 * @param coresPerPackage vCPUs of this vCPU's package, at least 1
 * @param tscHz frequency of TSC and of the APIC timer's clock
 */
public record CpuidConfig(int apicId, int packageShift, int coresPerPackage, int tscHz) {
  /** Frequency of the guest's TSC: one tick a nanosecond. */
  public static final int STANDARD_TSC_HZ = 1_000_000_000;

  /** Checks the counts against each other. */
  public CpuidConfig {
    if (packageShift < 0 || packageShift > 24 || coresPerPackage < 1) {
      throw new IllegalArgumentException(
          "CPU topology with " + coresPerPackage + " cores in " + packageShift + " bits");
    }
    if (coresPerPackage > 1 << packageShift) {
      throw new IllegalArgumentException(
          coresPerPackage + " cores do not fit in " + packageShift + " APIC id bits");
    }
    if (tscHz <= 0) {
      throw new IllegalArgumentException("TSC frequency must be positive, not " + tscHz);
    }
  }

  /** A machine with one CPU. */
  public static CpuidConfig uniprocessor() {
    return new CpuidConfig(0, 0, 1, STANDARD_TSC_HZ);
  }
}
