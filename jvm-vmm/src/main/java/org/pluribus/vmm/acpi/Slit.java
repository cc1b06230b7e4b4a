package org.pluribus.vmm.acpi;

/** System locality information table: distances between nodes (ACPI 6.5, 5.2.17). */
final class Slit {

  private static final int REVISION = 1;

  /** Distance to oneself, by definition. */
  static final int LOCAL = 10;

  /**
   * Distance to any other node: "twice as far". The truth is farther, but Linux stops balancing and
   * reclaiming across nodes beyond 30 (RECLAIM_DISTANCE), and a VM of many hosts wants both.
   */
  static final int REMOTE = 20;

  private Slit() {}

  static byte[] build(int nodes) {
    TableWriter table = new TableWriter("SLIT", REVISION);
    table.u64(nodes);
    for (int from = 0; from < nodes; from++) {
      for (int to = 0; to < nodes; to++) {
        table.u8(from == to ? LOCAL : REMOTE);
      }
    }
    return table.finish();
  }
}
