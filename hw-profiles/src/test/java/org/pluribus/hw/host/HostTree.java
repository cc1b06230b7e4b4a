package org.pluribus.hw.host;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Makes files as the kernels of other hosts would show them. */
final class HostTree {
  private HostTree() {}

  static void write(Path root, String file, String text) throws IOException {
    Path at = root.resolve(file);
    Files.createDirectories(at.getParent());
    Files.writeString(at, text);
  }
}
