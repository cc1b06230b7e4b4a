package org.pluribus.vmm.acpi;

/** System locality information table: distances between nodes (ACPI 6.5, 5.2.17). */
final class Slit {

  private static final int REVISION = 1;

  /** Distance to oneself, by definition. */
  static final int LOCAL = 10;

  /**
   * Distance to any other node. The truth is some hundred times as far, for whoever has to fetch
   * the page. But beyond 30 (node_reclaim_distance) Linux starts every task on the node of who made
   * it, and leaves it to idle CPUs elsewhere to look for work; those that Linux does no work of its
   * own on (nohz_full) hardly ever do, so that programs would share one node's CPUs for seconds.
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
