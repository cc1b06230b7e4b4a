package org.pluribus.vmm.apic;

/** The interrupt controller behind a local APIC's LINT0 pin: the 8259 pair, as the vCPU sees it. */
public interface ExtIntSource {

  /** True while INTR is asserted. Any thread. */
  boolean intr();

  /** The INTA cycle: the vector, spurious perhaps, which is now in service. The vCPU's thread. */
  int acknowledgeInterrupt();

  /** For vCPUs whose LINT0 leads nowhere. */
  ExtIntSource NONE =
      new ExtIntSource() {
        @Override
        public boolean intr() {
          return false;
        }

        @Override
        public int acknowledgeInterrupt() {
          throw new IllegalStateException("there is no interrupt controller behind this LINT0");
        }
      };
}
