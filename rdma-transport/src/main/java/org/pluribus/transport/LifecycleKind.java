package org.pluribus.transport;

import org.jspecify.annotations.Nullable;

/** Steps in the life of a node and of the machine. Codes are those on the wire. */
public enum LifecycleKind {
  /** This node is set up and waits for the start. */
  READY(0),
  /** Run the first instruction. */
  START(1),
  /** Stop the machine; code and text say why. */
  STOP(2),
  /** This node leaves in good order. Nothing comes after it. */
  BYE(3),
  /** A sign of life. Transports send and swallow it; handlers never see it. */
  HEARTBEAT(4),
  /**
   * A word about which transport to take, before the machine's life begins; the code says which.
   */
  TRANSPORT(5);

  /** Longest text that goes with a lifecycle message, bytes of UTF-8. */
  public static final int MAX_TEXT_BYTES = 512;

  private static final LifecycleKind[] BY_CODE = values();

  private final int code;

  LifecycleKind(int code) {
    this.code = code;
  }

  /** The number on the wire. */
  public int code() {
    return code;
  }

  /** The kind with this wire code, or null if there is none. */
  public static @Nullable LifecycleKind ofCode(int code) {
    return code >= 0 && code < BY_CODE.length ? BY_CODE[code] : null;
  }
}
