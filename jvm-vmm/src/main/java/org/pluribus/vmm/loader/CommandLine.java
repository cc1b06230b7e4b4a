package org.pluribus.vmm.loader;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.pluribus.vmm.memory.GuestMemory;

/** Puts the command line, NUL-terminated, where all boot protocols find it. */
final class CommandLine {

  private CommandLine() {}

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
