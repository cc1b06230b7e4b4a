package org.pluribus.vmm.devices;

/**
 * What a guest can ask of the machine as a whole. Called on the vCPU thread whose instruction asked
 * for it, which goes on for some instructions until the machine has stopped; must not wait for
 * that.
 */
public interface MachineControl {

  /** The guest went to ACPI state S5: it is done. */
  void powerOff();

  /** The guest asked for a reset of the whole machine. */
  void reset();

  /** A test kernel ended through the debug exit port, with this exit code (always odd). */
  void debugExit(int exitCode);
}
