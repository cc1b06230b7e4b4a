package org.pluribus.vmm.apic;

/** Who is meant by a destination (SDM 3A, "Determining IPI Destination"). Pure. */
final class DestinationMatch {

  private DestinationMatch() {}

  /**
   * Whether an APIC is among a message's destinations, shorthand aside.
   *
   * @param id the APIC's id
   * @param logicalId its LDR: in xAPIC mode the logical id in bits 24 to 31
   * @param destinationFormat its DFR: which model the xAPIC's logical id follows
   * @param x2apic whether it is in x2APIC mode
   */
  static boolean matches(
      long message, int id, int logicalId, int destinationFormat, boolean x2apic) {
    int destination = IpiMessage.destination(message);
    if (destination == IpiMessage.BROADCAST) {
      return true;
    }
    if (!IpiMessage.logical(message)) {
      return destination == id;
    }
    if (x2apic) {
      return destination >>> 16 == logicalId >>> 16 && (destination & logicalId & 0xFFFF) != 0;
    }
    int logical = logicalId >>> 24;
    return switch (destinationFormat >>> 28) {
      case 0xF -> (destination & logical & 0xFF) != 0;
      case 0x0 -> inCluster(destination, logical);
      default -> false;
    };
  }

  /** The logical id of x2APIC mode: cluster = id / 16 above, one bit of 16 below. */
  static int x2apicLogicalId(int id) {
    return id >>> 4 << 16 | 1 << (id & 0xF);
  }

  /** Cluster model: cluster in the high four bits (15 = all clusters), members in the low four. */
  private static boolean inCluster(int destination, int logical) {
    int cluster = destination >>> 4 & 0xF;
    boolean sameCluster = cluster == 0xF || cluster == logical >>> 4;
    return sameCluster && (destination & logical & 0xF) != 0;
  }
}
