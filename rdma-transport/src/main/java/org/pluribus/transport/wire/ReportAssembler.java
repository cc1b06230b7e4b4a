package org.pluribus.transport.wire;

import org.jspecify.annotations.Nullable;
import org.pluribus.transport.TransportLimits;
import org.pluribus.transport.wire.sbe.ReportDecoder;

/** Puts the pieces of one peer's report together again. */
final class ReportAssembler {
  private byte @Nullable [] whole;
  private int received;

  /**
   * Takes a piece whose length has been checked against the frame. Returns what is wrong or null.
   */
  @Nullable String add(ReportDecoder piece, int pieceLength) {
    long total = piece.totalLength();
    if (total < 1 || total > TransportLimits.MAX_REPORT_BYTES) {
      return "report of " + total + " bytes";
    }
    byte[] target = whole;
    if (target == null) {
      target = new byte[(int) total];
      whole = target;
      received = 0;
    }
    if (total != target.length || piece.pieceOffset() != received) {
      return "report piece at "
          + piece.pieceOffset()
          + " of "
          + total
          + " bytes after "
          + received
          + " of "
          + target.length;
    }
    if (pieceLength > target.length - received) {
      return "report piece of " + pieceLength + " bytes runs over the report's end";
    }
    piece.getPiece(target, received, pieceLength);
    received += pieceLength;
    return null;
  }

  /** The report if it is complete, once; else null. */
  byte @Nullable [] takeComplete() {
    byte[] complete = whole;
    if (complete == null || received != complete.length) {
      return null;
    }
    whole = null;
    return complete;
  }
}
