package org.pluribus.vmm.control;

import org.pluribus.posix.Mapping;
import org.pluribus.posix.Memfd;

/**
 * A node's mirror of guest RAM.
 *
 * @param file all of guest RAM, holes at first
 * @param mapping the alias: how this process, and a transport that writes pages where they belong,
 *     reach it past the vCPUs' rights
 */
record NodeRam(Memfd file, Mapping mapping) implements AutoCloseable {

  /** An empty one. */
  static NodeRam create(ClusterConfig config, int self) {
    Memfd file = Memfd.create("pluribus-ram-" + self, config.layout().ramSize());
    try {
      return new NodeRam(file, Mapping.of(file));
    } catch (RuntimeException failed) {
      file.close();
      throw failed;
    }
  }

  /** Gives all of its memory back to the host; it is empty again. */
  void clear() {
    file.punchHole(0, file.size());
  }

  @Override
  public void close() {
    mapping.close();
    file.close();
  }
}
