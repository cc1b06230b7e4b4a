package org.pluribus.coherence;

/**
 * What a {@link DirectoryController} makes its node do. The node executes each at once, on the
 * controller's thread, in the order given, and does not call the controller from inside.
 */
public interface DirectoryEffects {
  /**
   * Sends a message; it never carries page bytes. The holder is reused after return. A message to
   * this node itself goes to a local FIFO and is delivered after the current call into the
   * controller returned.
   */
  void send(CoherenceMessage message);

  /**
   * Has this node's cache controller fetch a page of this home ({@link CacheController#take}), if
   * there is room: its only holder wants to be rid of it.
   */
  void take(long page);

  /**
   * Lets a node know of whom it keeps waiting ({@link CacheController#hurry}). A node may leave it:
   * it only makes a wait shorter that ends by itself. It must not overtake messages sent before.
   *
   * @param node which was asked to give the page up, maybe this one itself
   * @param waitingSince {@link CoherenceMessage#waitingSince} of one who waits behind the one for
   *     whom it was asked
   */
  default void hurry(int node, long page, long waitingSince) {}

  /**
   * A message was refused; nothing changed. The node logs it and closes the sender's channel.
   *
   * @param message the refused message; its fields may hold any value
   */
  void protocolError(ProtocolError reason, CoherenceMessage message);
}
