package org.pluribus.containers;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * What a machine boots.
 *
 * @param kernel a file of this host
 * @param initrd likewise, or null for none
 * @param append the kernel's command line
 * @param memory of the whole machine, as the cluster file has it
 */
record Guest(Path kernel, @Nullable Path initrd, String append, String memory) {
  private static final String LINUX_MEMORY = "384M";
  private static final String STORM_MEMORY = "64M";

  /** Debian's kernel with {@code ci/guest/link-init}, which calculates for so many rounds. */
  static Guest linux(Path kernel, Path initrd, int rounds) {
    return new Guest(
        kernel, initrd, "console=ttyS0 panic=-1 quiet check.rounds=" + rounds, LINUX_MEMORY);
  }

  /** The bare-metal program whose CPUs take pages from each other, without an end. */
  static Guest storm(Path payloads) {
    return new Guest(payloads, null, "payload=storm scale=1000000000 limit=600", STORM_MEMORY);
  }
}
