package org.pluribus.coherence;

import org.jspecify.annotations.Nullable;

/** The coherence messages. Wire codes are stable: a code is never given a new meaning. */
public enum MessageType {
  /** Requester to home: I want to read this page and have no copy. */
  GET_S(1, Receiver.DIRECTORY, Bytes.NONE),
  /** Requester to home: I want to write this page and have no copy. */
  GET_M(2, Receiver.DIRECTORY, Bytes.NONE),
  /**
   * Requester to home: I have a shared copy and want to write. Answered with {@link #GRANT} if the
   * copy is still valid when the home serves the request, else as a {@link #GET_M}.
   */
  UPGRADE(3, Receiver.DIRECTORY, Bytes.NONE),
  /** Home to owner or a sharer: send a shared copy to the requester; an owner becomes a sharer. */
  FWD_GET_S(4, Receiver.CACHE, Bytes.NONE),
  /**
   * Home to owner or a sharer: send the page to the requester and drop your copy. {@code ackCount}
   * is how many other sharers the requester has to hear from, to be passed on with the data.
   */
  FWD_GET_M(5, Receiver.CACHE, Bytes.NONE),
  /** Home to a sharer: drop your copy and tell the requester. */
  INV(6, Receiver.CACHE, Bytes.NONE),
  /** Sharer to requester: my copy is gone. */
  INV_ACK(7, Receiver.CACHE, Bytes.NONE),
  /** Owner or sharer to requester: the page's 4096 bytes, and how many InvAcks to await. */
  DATA(8, Receiver.CACHE, Bytes.PAGE),
  /**
   * Home to requester: rights without bytes. Either the page is all zero ({@link
   * CoherenceMessage#ZERO}) or the requester's shared copy is good (answer to {@link #UPGRADE}).
   */
  GRANT(9, Receiver.CACHE, Bytes.NONE),
  /** Requester to home: transaction complete, serve the next one for this page. */
  UNBLOCK(10, Receiver.DIRECTORY, Bytes.NONE),
  /**
   * Owner or sharer to requester: as {@link #DATA}, but only the {@linkplain
   * CoherenceMessage#blocks blocks} that have changed since {@linkplain CoherenceMessage#base the
   * version} whose bytes the requester still has.
   */
  DATA_DELTA(11, Receiver.CACHE, Bytes.BLOCKS),
  /** Holder to home: I have a copy, owned or shared, that I would like to be rid of. */
  PUT(12, Receiver.DIRECTORY, Bytes.NONE),
  /** Home to holder: drop your shared copy, there are others, and say {@link #UNBLOCK}. */
  PUT_ACK(13, Receiver.CACHE, Bytes.NONE),
  /**
   * Home to holder: there is nothing to drop. Your copy is gone already or on its way, or it is the
   * only one; then the home may fetch it as any other node does.
   */
  PUT_NACK(14, Receiver.CACHE, Bytes.NONE),
  /**
   * Owner or sharer to requester: as {@link #DATA}, the whole page, but all of it is zero save the
   * {@linkplain CoherenceMessage#blocks blocks} that go with the message. What the requester still
   * has does not matter.
   */
  DATA_SPARSE(15, Receiver.CACHE, Bytes.BLOCKS);

  private enum Receiver {
    DIRECTORY,
    CACHE
  }

  private enum Bytes {
    NONE,
    PAGE,
    BLOCKS
  }

  /** One more than the largest wire code. */
  private static final int CODE_LIMIT = 16;

  private static final @Nullable MessageType[] BY_CODE = new MessageType[CODE_LIMIT];

  static {
    for (MessageType type : values()) {
      BY_CODE[type.code] = type;
    }
  }

  private final int code;
  private final Receiver receiver;
  private final Bytes bytes;

  MessageType(int code, Receiver receiver, Bytes bytes) {
    this.code = code;
    this.receiver = receiver;
    this.bytes = bytes;
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
    return bytes == Bytes.PAGE;
  }

  /** Whether some blocks of the page go with the message: those changed, or those not zero. */
  public boolean carriesBlocks() {
    return bytes == Bytes.BLOCKS;
  }

  /** Whether any bytes of the page, be it all, go with the message. */
  public boolean carriesBytes() {
    return bytes != Bytes.NONE;
  }

  /** The lane it travels on. */
  public Lane lane() {
    return carriesBytes() ? Lane.PAGE : Lane.CONTROL;
  }
}
