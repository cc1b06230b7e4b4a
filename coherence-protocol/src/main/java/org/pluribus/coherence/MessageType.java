package org.pluribus.coherence;

import org.jspecify.annotations.Nullable;

/**
 * The coherence messages. Wire codes are stable: a code is never given a new meaning. Code 11 is
 * kept for DataDelta (changed blocks of a page only).
 */
public enum MessageType {
  /** Requester to home: I want to read this page and have no copy. */
  GET_S(1, Receiver.DIRECTORY, false),
  /** Requester to home: I want to write this page and have no copy. */
  GET_M(2, Receiver.DIRECTORY, false),
  /**
   * Requester to home: I have a shared copy and want to write. Answered with {@link #GRANT} if the
   * copy is still valid when the home serves the request, else as a {@link #GET_M}.
   */
  UPGRADE(3, Receiver.DIRECTORY, false),
  /** Home to owner or a sharer: send a shared copy to the requester; an owner becomes a sharer. */
  FWD_GET_S(4, Receiver.CACHE, false),
  /**
   * Home to owner or a sharer: send the page to the requester and drop your copy. {@code ackCount}
   * is how many other sharers the requester has to hear from, to be passed on with the data.
   */
  FWD_GET_M(5, Receiver.CACHE, false),
  /** Home to a sharer: drop your copy and tell the requester. */
  INV(6, Receiver.CACHE, false),
  /** Sharer to requester: my copy is gone. */
  INV_ACK(7, Receiver.CACHE, false),
  /** Owner or sharer to requester: the page's 4096 bytes, and how many InvAcks to await. */
  DATA(8, Receiver.CACHE, true),
  /**
   * Home to requester: rights without bytes. Either the page is all zero ({@link
   * CoherenceMessage#ZERO}) or the requester's shared copy is good (answer to {@link #UPGRADE}).
   */
  GRANT(9, Receiver.CACHE, false),
  /** Requester to home: transaction complete, serve the next one for this page. */
  UNBLOCK(10, Receiver.DIRECTORY, false),
  /** Holder to home: I have a copy, owned or shared, that I would like to be rid of. */
  PUT(12, Receiver.DIRECTORY, false),
  /** Home to holder: drop your shared copy, there are others, and say {@link #UNBLOCK}. */
  PUT_ACK(13, Receiver.CACHE, false),
  /**
   * Home to holder: there is nothing to drop. Your copy is gone already or on its way, or it is the
   * only one; then the home may fetch it as any other node does.
   */
  PUT_NACK(14, Receiver.CACHE, false);

  private enum Receiver {
    DIRECTORY,
    CACHE
  }

  /** One more than the largest wire code. */
  private static final int CODE_LIMIT = 15;

  private static final @Nullable MessageType[] BY_CODE = new MessageType[CODE_LIMIT];

  static {
    for (MessageType type : values()) {
      BY_CODE[type.code] = type;
    }
  }

  private final int code;
  private final Receiver receiver;
  private final boolean carriesData;

  MessageType(int code, Receiver receiver, boolean carriesData) {
    this.code = code;
    this.receiver = receiver;
    this.carriesData = carriesData;
  }

  /** The type with this wire code, or null if there is none. */
  public static @Nullable MessageType ofCode(int code) {
    return code >= 0 && code < CODE_LIMIT ? BY_CODE[code] : null;
  }

  /** The stable wire code. */
  public int code() {
    return code;
  }

  /** Whether the receiving node hands it to its directory controller (else to its cache's). */
  public boolean forDirectory() {
    return receiver == Receiver.DIRECTORY;
  }

  /** Whether the 4096 bytes of the page go with the message. */
  public boolean carriesData() {
    return carriesData;
  }

  /** The lane it travels on. */
  public Lane lane() {
    return carriesData ? Lane.PAGE : Lane.CONTROL;
  }
}
