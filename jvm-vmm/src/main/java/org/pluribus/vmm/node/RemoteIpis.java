package org.pluribus.vmm.node;

import org.pluribus.transport.IpiMessage;

/**
 * Turns the interrupt controllers' 64-bit messages (see {@link org.pluribus.vmm.apic.IpiMessage})
 * into the transport's and back.
 */
final class RemoteIpis {
  private static final ThreadLocal<IpiMessage> HOLDER = ThreadLocal.withInitial(IpiMessage::new);

  private static final long DELIVERY_SHIFT = 8;
  private static final long LOGICAL = 1L << 11;
  private static final long ASSERT = 1L << 14;
  private static final long LEVEL = 1L << 15;
  private static final int SHORTHAND_SHIFT = 18;
  private static final int HOPS_SHIFT = 20;
  private static final int DESTINATION_SHIFT = 32;

  private RemoteIpis() {}

  /** Valid until this thread encodes the next one: channels copy it. */
  static IpiMessage encode(long message) {
    return HOLDER
        .get()
        .set(
            (int) (message >>> DESTINATION_SHIFT),
            (message & LOGICAL) != 0,
            (int) (message >>> DELIVERY_SHIFT) & IpiMessage.MAX_DELIVERY_MODE,
            (int) message & IpiMessage.MAX_VECTOR,
            (message & ASSERT) != 0,
            (message & LEVEL) != 0,
            (int) (message >>> SHORTHAND_SHIFT) & IpiMessage.MAX_SHORTHAND,
            (int) (message >>> HOPS_SHIFT) & IpiMessage.MAX_HOPS);
  }

  static long decode(IpiMessage m) {
    return (long) m.destination << DESTINATION_SHIFT
        | (long) m.hops << HOPS_SHIFT
        | (long) m.shorthand << SHORTHAND_SHIFT
        | (m.levelTriggered ? LEVEL : 0)
        | (m.assertLevel ? ASSERT : 0)
        | (m.logical ? LOGICAL : 0)
        | (long) m.deliveryMode << DELIVERY_SHIFT
        | m.vector;
  }
}
