package org.pluribus.coherence;

/** State of a page at a node, in the Primer's names. */
public enum CacheState {
  /** No copy, no rights. */
  I(false, false),
  /** Shared copy: read only. */
  S(true, false),
  /** The only copy: read and write. */
  M(true, true),
  /** GetS sent, waiting for the data. */
  IS_D(false, false),
  /** GetM sent (or an Upgrade whose copy got lost), waiting for the data and for InvAcks. */
  IM_AD(false, false),
  /** Data is here, InvAcks are missing. */
  IM_A(false, false),
  /** Upgrade sent, still sharing, waiting for the Grant and for InvAcks. */
  SM_AD(true, false),
  /** Grant is here, InvAcks are missing; still readable. */
  SM_A(true, false);

  private static final CacheState[] VALUES = values();

  private final boolean readable;
  private final boolean writable;

  CacheState(boolean readable, boolean writable) {
    this.readable = readable;
    this.writable = writable;
  }

  static CacheState of(byte ordinal) {
    return VALUES[ordinal];
  }

  /** Whether the node may read the page. */
  public boolean readable() {
    return readable;
  }

  /** Whether no request of this node is under way. */
  public boolean stable() {
    return this == I || this == S || this == M;
  }

  /** Whether the node may write the page. */
  public boolean writable() {
    return writable;
  }
}
