package org.pluribus.vmm.loader;

import java.nio.file.Path;
import java.util.List;

/**
 * What a kernel is given besides itself.
 *
 * @param commandLine kernel command line; ASCII, no terminator
 * @param initrds initial RAM disks. Linux gets them as one, back to back; Multiboot kernels get
 *     each as a module
 * @param rsdp GPA of the ACPI root pointer, 0 if the guest shall search for it or there is none
 * @param rngSeed seed for the guest kernel's random numbers, empty for none
 * @param farCpus CPUs of other nodes than the devices' one, as Linux writes lists of CPUs ({@code
 *     2-7}), empty if there are none: Linux is asked to do its own work on the others
 */
public record BootOptions(
    String commandLine, List<Path> initrds, long rsdp, byte[] rngSeed, String farCpus) {

  /** A command line and nothing else. */
  public static BootOptions ofCommandLine(String commandLine) {
    return new BootOptions(commandLine, List.of(), 0, new byte[0], "");
  }
}
