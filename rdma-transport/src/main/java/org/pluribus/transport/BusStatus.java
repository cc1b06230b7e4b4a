package org.pluribus.transport;

import org.jspecify.annotations.Nullable;

/** How a forwarded device access ended. Codes are those on the wire. */
public enum BusStatus {
  /** Done; for a read, the value counts. */
  DONE(0),
  /** No device answers at that address: reads give all ones, writes go nowhere. */
  NO_DEVICE(1),
  /** The device or its node failed. */
  FAILED(2);

  private static final BusStatus[] BY_CODE = values();

  private final int code;

  BusStatus(int code) {
    this.code = code;
  }

  /** The number on the wire. */
  public int code() {
    return code;
  }

  /** The status with this wire code, or null if there is none. */
  public static @Nullable BusStatus ofCode(int code) {
    return code >= 0 && code < BY_CODE.length ? BY_CODE[code] : null;
  }
}
