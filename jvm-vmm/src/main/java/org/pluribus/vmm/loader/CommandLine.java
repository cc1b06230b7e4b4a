package org.pluribus.vmm.loader;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.pluribus.vmm.memory.GuestMemory;

/** Puts the command line, NUL-terminated, where all boot protocols find it. */
final class CommandLine {

  /**
   * Tells Linux not to doubt the TSC (Documentation/admin-guide/kernel-parameters.txt). We align
   * the TSCs of all nodes and never let a thread see them run backwards. Linux, when it counts more
   * NUMA nodes than it has seen TSCs agree on (two before 6.3), compares the TSC with timer ticks
   * instead, and a vCPU that waits for a page or for a busy host's core misses some. It then does
   * without the TSC: every look at the time becomes a device access on node 0. If that happens
   * while another CPU checks its TSC against CPU 0's, the kernel hangs: one side of the check sees
   * the TSC in doubt and doesn't come.
   */
  private static final String TRUST_TSC = "tsc=reliable";

  private CommandLine() {}

  /**
   * Like {@link #write}, for Linux: with {@code tsc=reliable} in front, unless the line says
   * something about {@code tsc=} itself or has no room for it.
   */
  static void writeForLinux(GuestMemory memory, String commandLine, long maxLength)
      throws BadImageException {
    boolean saysItself = commandLine.startsWith("tsc=") || commandLine.contains(" tsc=");
    String longer = (TRUST_TSC + " " + commandLine).stripTrailing();
    boolean fits = longer.length() <= Math.min(maxLength, BootAddresses.COMMAND_LINE_ROOM - 1);
    write(memory, saysItself || !fits ? commandLine : longer, maxLength);
  }

  /**
   * Writes it to {@link BootAddresses#COMMAND_LINE}.
   *
   * @param maxLength most bytes the kernel takes, without the terminator
   * @throws BadImageException if it is longer, or has a NUL in it
   */
  static void write(GuestMemory memory, String commandLine, long maxLength)
      throws BadImageException {
    byte[] text = commandLine.getBytes(StandardCharsets.UTF_8);
    long limit = Math.min(maxLength, BootAddresses.COMMAND_LINE_ROOM - 1);
    if (text.length > limit) {
      throw new BadImageException(
          "command line of %d characters is too long: the kernel takes %d, shorten --append"
              .formatted(text.length, limit));
    }
    if (commandLine.indexOf('\0') >= 0) {
      throw new BadImageException(
          "command line has a NUL character in it: take it out of --append");
    }
    memory.writeBytes(BootAddresses.COMMAND_LINE, Arrays.copyOf(text, text.length + 1));
  }
}
