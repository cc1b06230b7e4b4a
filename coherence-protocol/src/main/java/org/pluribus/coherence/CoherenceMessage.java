package org.pluribus.coherence;

/**
 * One coherence message, as a reusable holder of plain fields. Page bytes are not in it: when
 * {@link #carriesBytes()}, the transport sends and receives them next to it.
 *
 * <p>Whoever hands a message to another party reuses it after the call returns; to keep one, copy
 * it with {@link #copyFrom}. Not thread-safe.
 */
public final class CoherenceMessage {
  /** Flag: the page has never been written, it is all zero, and no bytes are sent. */
  public static final int ZERO = 1;

  /** Flag: the rights given are read and write. Without it: read only. */
  public static final int EXCLUSIVE = 2;

  /** All flags that have a meaning. */
  public static final int ALL_FLAGS = ZERO | EXCLUSIVE;

  /**
   * Most blocks of a DataDelta or DataSparse: half a page. Beyond, the page is little more to send,
   * and over RDMA it goes without a copy, which blocks don't.
   */
  public static final int MAX_BLOCKS = 32;

  /** What the message says. */
  public MessageType type = MessageType.UNBLOCK;

  /** Page index (GPA &gt;&gt;&gt; 12). */
  public long page;

  /** Sending node. The transport checks it against the channel the message came on. */
  public int from;

  /** Receiving node. */
  public int to;

  /** Node on whose behalf the transaction runs; where Data and InvAcks go. */
  public int requester;

  /** InvAcks the requester has to await (FwdGetM, Data, Grant); else 0. */
  public int ackCount;

  /**
   * Version of the page bytes the message is about (Data, DataDelta, DataSparse); else 0. A page's
   * version is the number of times it has been granted for writing.
   */
  public long version;

  /**
   * Version of the bytes that the requester still has from an earlier copy, or 0 if it has none or
   * wants whole pages (requests, and what homes make of them); the version against which {@link
   * #blocks} were found (DataDelta); else 0.
   */
  public long base;

  /**
   * The blocks that go with the message (DataDelta, DataSparse), at most {@link #MAX_BLOCKS}; else
   * 0. Bit i stands for the {@link TwinStore#BLOCK_BYTES} bytes from offset 64 * i on.
   */
  public long blocks;

  /**
   * Since when the requester's vCPU has got nowhere, for want of this page and perhaps others
   * (requests, and what homes make of them); else 0. In nanoseconds of the machine's clock, which
   * all nodes share: of two that keep each other waiting, the one that waits longer goes first.
   */
  public long waitingSince;

  /** {@link #ZERO} and {@link #EXCLUSIVE}, or'ed. */
  public int flags;

  /** Sets every field; {@link #waitingSince}, {@link #base} and {@link #blocks} to 0. */
  public CoherenceMessage set(
      MessageType type,
      long page,
      int from,
      int to,
      int requester,
      int ackCount,
      long version,
      int flags) {
    this.type = type;
    this.page = page;
    this.from = from;
    this.to = to;
    this.requester = requester;
    this.ackCount = ackCount;
    this.version = version;
    this.flags = flags;
    this.waitingSince = 0;
    this.base = 0;
    this.blocks = 0;
    return this;
  }

  /** Sets {@link #base}. */
  public CoherenceMessage base(long version) {
    base = version;
    return this;
  }

  /** Sets {@link #blocks}. */
  public CoherenceMessage blocks(long bits) {
    blocks = bits;
    return this;
  }

  /** Sets {@link #waitingSince}. */
  public CoherenceMessage waitingSince(long nanos) {
    waitingSince = nanos;
    return this;
  }

  /** Takes over every field of another message. */
  public CoherenceMessage copyFrom(CoherenceMessage other) {
    set(
        other.type,
        other.page,
        other.from,
        other.to,
        other.requester,
        other.ackCount,
        other.version,
        other.flags);
    waitingSince = other.waitingSince;
    base = other.base;
    blocks = other.blocks;
    return this;
  }

  /** Whether the page's 4096 bytes go with this message. */
  public boolean carriesData() {
    return type.carriesData();
  }

  /** Whether the page's bytes, or {@linkplain #blocks some}, go with this message. */
  public boolean carriesBytes() {
    return type.carriesBytes();
  }

  /** Bytes of the page that go with this message. */
  public int bytesCarried() {
    int blockBytes = type.carriesBlocks() ? Long.bitCount(blocks) * TwinStore.BLOCK_BYTES : 0;
    return type.carriesData() ? Long.SIZE * TwinStore.BLOCK_BYTES : blockBytes;
  }

  /** The lane this message travels on. */
  public Lane lane() {
    return type.lane();
  }

  /** Whether the receiving node hands it to its directory controller (else to its cache's). */
  public boolean forDirectory() {
    return type.forDirectory();
  }

  /** Whether a flag is set. */
  public boolean has(int flag) {
    return (flags & flag) != 0;
  }

  @Override
  public String toString() {
    StringBuilder text = new StringBuilder(64);
    text.append(type).append(" page ").append(page).append(' ');
    text.append(from).append("->").append(to).append(" req ").append(requester);
    if (ackCount != 0) {
      text.append(" acks ").append(ackCount);
    }
    if (version != 0) {
      text.append(" v").append(version);
    }
    if (base != 0) {
      text.append(" base v").append(base);
    }
    if (type.carriesBlocks()) {
      text.append(" blocks 0x").append(Long.toHexString(blocks));
    }
    if (has(EXCLUSIVE)) {
      text.append(" EXCLUSIVE");
    }
    if (has(ZERO)) {
      text.append(" ZERO");
    }
    return text.toString();
  }
}
