package org.pluribus.vmm.node;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * The rights this node has to each page of guest RAM, as its emulated vCPUs consult them when they
 * fill their soft TLBs. Written by the token's holder, read by vCPU threads.
 *
 * <p>A vCPU may read a right just before it is taken away: it then is running, and the taker waits
 * for its acknowledgement (see {@link ShootdownQueue}).
 */
final class SoftMmuPageRights {
  private static final VarHandle CELL = MethodHandles.arrayElementVarHandle(byte[].class);
  private static final byte NONE = 0;
  private static final byte SHARED = 1;
  private static final byte EXCLUSIVE = 2;

  private final byte[] rights;

  SoftMmuPageRights(long pageCount) {
    rights = new byte[Math.toIntExact(pageCount)];
  }

  /** Whether the node may read, or write, the page. Any thread. */
  boolean suffices(long page, boolean write) {
    return (byte) CELL.getAcquire(rights, (int) page) >= (write ? EXCLUSIVE : SHARED);
  }

  void grantShared(long page) {
    CELL.setRelease(rights, (int) page, SHARED);
  }

  void grantExclusive(long page) {
    CELL.setRelease(rights, (int) page, EXCLUSIVE);
  }

  /** Takes the right to write away; vCPUs must be shot down before it counts. */
  void downgrade(long page) {
    CELL.setVolatile(rights, (int) page, SHARED);
  }

  /** Takes all rights away; vCPUs must be shot down before it counts. */
  void revoke(long page) {
    CELL.setVolatile(rights, (int) page, NONE);
  }
}
