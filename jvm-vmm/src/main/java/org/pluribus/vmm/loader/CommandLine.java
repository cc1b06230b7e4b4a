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

  /**
   * Keeps Linux's own work (its threads, work queues, RCU's callbacks) off CPUs that are far from
   * the devices: a thread that makes device nodes, tests ciphers or prints, and is woken up by the
   * boot CPU for each of them, costs a hundred page moves a time when it runs on another node's
   * CPU. Programs still run on all CPUs. A kernel built without it warns and goes on.
   */
  private static final String HOUSEKEEPING = "nohz_full=";

  /**
   * A timer that a CPU of {@link #HOUSEKEEPING} starts would go to another CPU's queue, on another
   * node; this leaves it where it is (Documentation/admin-guide/sysctl/kernel.rst).
   */
  private static final String LOCAL_TIMERS = "sysctl.kernel.timer_migration=0";

  private CommandLine() {}

  /**
   * Like {@link #write}, for Linux: with what it should know about this machine in front, except
   * for what the line says something about itself or has no room for.
   */
  static void writeForLinux(GuestMemory memory, BootOptions options, long maxLength)
      throws BadImageException {
    long limit = Math.min(maxLength, BootAddresses.COMMAND_LINE_ROOM - 1);
    String line = options.commandLine();
    if (!options.farCpus().isEmpty() && !says(line, HOUSEKEEPING) && !says(line, "isolcpus=")) {
      line = withHint(HOUSEKEEPING + options.farCpus() + " " + LOCAL_TIMERS, line, limit);
    }
    if (!says(line, "tsc=")) {
      line = withHint(TRUST_TSC, line, limit);
    }
    write(memory, line, maxLength);
  }

  private static boolean says(String line, String parameter) {
    return line.startsWith(parameter) || line.contains(" " + parameter);
  }

  private static String withHint(String hint, String line, long limit) {
    String longer = (hint + " " + line).stripTrailing();
    return longer.length() <= limit ? longer : line;
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
