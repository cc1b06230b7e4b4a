package org.pluribus.transport;

import org.jspecify.annotations.Nullable;

/** The two halves of a clock measurement. Codes are those on the wire. */
public enum ClockProbeKind {
  /** Carries t0, the requester's clock when it was sent. */
  REQUEST(0),
  /** Carries t0 back, with t1 and t2, the replier's clock at receipt and at reply. */
  REPLY(1);

  private static final ClockProbeKind[] BY_CODE = values();

  private final int code;

  ClockProbeKind(int code) {
    this.code = code;
  }

  /** The number on the wire. */
  public int code() {
    return code;
  }

  /** The kind with this wire code, or null if there is none. */
  public static @Nullable ClockProbeKind ofCode(int code) {
    return code >= 0 && code < BY_CODE.length ? BY_CODE[code] : null;
  }
}
