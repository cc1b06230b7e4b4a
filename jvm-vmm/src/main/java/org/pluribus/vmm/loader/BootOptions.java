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
 */
public record BootOptions(String commandLine, List<Path> initrds, long rsdp, byte[] rngSeed) {

  /** A command line and nothing else. */
  public static BootOptions ofCommandLine(String commandLine) {
    return new BootOptions(commandLine, List.of(), 0, new byte[0]);
  }
}
