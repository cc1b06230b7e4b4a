package org.pluribus.vmm.apic;

/**
 * The way to the interrupt controllers of other nodes; the node implements it on the transport's
 * interrupt lane. Any thread may call, with the IOAPIC's lock held: calls queue and return.
 */
public interface RemoteInterrupts {

  /**
   * Delivers {@code message} (see {@link IpiMessage}) to {@link IpiRouter#receive} of {@code node}.
   */
  void sendIpi(int node, long message);

  /** Delivers an end of interrupt to {@link IpiRouter#receiveEoi} of {@code node}. */
  void sendEoi(int node, int vector);

  /** For a machine of one node. */
  RemoteInterrupts NONE =
      new RemoteInterrupts() {
        @Override
        public void sendIpi(int node, long message) {
          throw new IllegalStateException("this machine has no node " + node);
        }

        @Override
        public void sendEoi(int node, int vector) {
          throw new IllegalStateException("this machine has no node " + node);
        }
      };
}
