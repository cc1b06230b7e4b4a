package org.pluribus.vmm.apic;

/**
 * An interrupt message in 64 bits, laid out as the x2APIC interrupt command register (SDM 3A, "ICR
 * Operation in x2APIC Mode"), so that it is at once what the guest wrote and what goes on the wire.
 *
 * <pre>
 *   0..7    vector
 *   8..10   delivery mode: FIXED, LOWEST_PRIORITY, SMI, NMI, INIT, STARTUP, EXTINT
 *   11      destination mode: 1 = logical
 *   14      level: 0 = de-assert (INIT only)
 *   15      trigger: 1 = level
 *   18..19  destination shorthand: NONE, SELF, ALL, ALL_BUT_SELF
 *   20..31  nodes already asked (reserved in the ICR); see {@link IpiRouter} on lowest priority
 *   32..63  destination; {@link #BROADCAST} = all
 * </pre>
 */
public final class IpiMessage {

  public static final int FIXED = 0;
  public static final int LOWEST_PRIORITY = 1;
  public static final int SMI = 2;
  public static final int NMI = 4;
  public static final int INIT = 5;
  public static final int STARTUP = 6;
  public static final int EXTINT = 7;

  public static final int SHORTHAND_NONE = 0;
  public static final int SHORTHAND_SELF = 1;
  public static final int SHORTHAND_ALL = 2;
  public static final int SHORTHAND_ALL_BUT_SELF = 3;

  /** The destination of everybody, physical or logical. */
  public static final int BROADCAST = 0xFFFF_FFFF;

  /** Most nodes a lowest-priority message can visit: what fits in the hop count. */
  public static final int MAX_HOPS = 0xFFF;

  private static final int MODE_SHIFT = 8;
  private static final long LOGICAL = 1L << 11;
  private static final long ASSERT = 1L << 14;
  private static final long LEVEL_TRIGGERED = 1L << 15;
  private static final int SHORTHAND_SHIFT = 18;
  private static final int HOPS_SHIFT = 20;
  private static final int DESTINATION_SHIFT = 32;

  /** The broadcast destination of 8-bit (xAPIC, IOAPIC) messages. */
  private static final int XAPIC_BROADCAST = 0xFF;

  private IpiMessage() {}

  /** A message with an asserted level and no shorthand. */
  public static long of(
      int deliveryMode, int vector, boolean logical, int destination, boolean levelTriggered) {
    return (vector & 0xFF)
        | (long) (deliveryMode & 7) << MODE_SHIFT
        | (logical ? LOGICAL : 0)
        | ASSERT
        | (levelTriggered ? LEVEL_TRIGGERED : 0)
        | (long) destination << DESTINATION_SHIFT;
  }

  /** Widens the 8-bit destination of an xAPIC or IOAPIC message; its broadcast becomes ours. */
  public static int widen(int destination) {
    return destination == XAPIC_BROADCAST ? BROADCAST : destination;
  }

  /** The same message to everybody, without shorthand, addressed physically. */
  static long toAll(long message) {
    long kept = message & 0xFFFF_FFFFL & ~(3L << SHORTHAND_SHIFT) & ~LOGICAL;
    return kept | (long) BROADCAST << DESTINATION_SHIFT;
  }

  /** The same message, edge-triggered: an ICR's trigger bit means something for INIT only. */
  static long edge(long message) {
    return message & ~LEVEL_TRIGGERED | ASSERT;
  }

  /** The same message with one more node asked. */
  static long nextHop(long message) {
    return message + (1L << HOPS_SHIFT);
  }

  public static int vector(long message) {
    return (int) message & 0xFF;
  }

  public static int deliveryMode(long message) {
    return (int) (message >>> MODE_SHIFT) & 7;
  }

  public static boolean logical(long message) {
    return (message & LOGICAL) != 0;
  }

  public static boolean levelTriggered(long message) {
    return (message & LEVEL_TRIGGERED) != 0;
  }

  /** True for the INIT level de-assert, which processors since the Pentium 4 ignore. */
  static boolean initDeassert(long message) {
    return deliveryMode(message) == INIT && levelTriggered(message) && (message & ASSERT) == 0;
  }

  public static int shorthand(long message) {
    return (int) (message >>> SHORTHAND_SHIFT) & 3;
  }

  public static int hops(long message) {
    return (int) (message >>> HOPS_SHIFT) & MAX_HOPS;
  }

  public static int destination(long message) {
    return (int) (message >>> DESTINATION_SHIFT);
  }

  /** For log lines and test failures. */
  public static String toString(long message) {
    return "mode %d vector 0x%02x %s destination 0x%x shorthand %d hops %d%s"
        .formatted(
            deliveryMode(message),
            vector(message),
            logical(message) ? "logical" : "physical",
            destination(message),
            shorthand(message),
            hops(message),
            levelTriggered(message) ? " level" : "");
  }
}
