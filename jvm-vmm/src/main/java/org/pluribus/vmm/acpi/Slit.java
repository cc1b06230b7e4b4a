package org.pluribus.vmm.acpi;

/** System locality information table: distances between nodes (ACPI 6.5, 5.2.17). */
final class Slit {

  private static final int REVISION = 1;

  /** Distance to oneself, by definition. */
  static final int LOCAL = 10;

  /**
   * Distance to any other node. The truth is some hundred times as far, for whoever has to fetch
   * the page. What counts is that it is beyond 30 (32 on AMD's processors; node_reclaim_distance):
   * then Linux starts tasks on the node of who made them and wakes them where they ran, instead of
   * where a CPU is idle. To balance load it moves them all the same.
   */
  static final int REMOTE = 100;

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
