package org.pluribus.vmm.node;

/**
 * How one node enforces what the coherence engine has granted it: the seam between {@link
 * PluribusNode} and what runs the vCPUs. {@link SoftMmuPageRights} keeps a table that emulated
 * vCPUs consult; {@link UffdPageRights} changes the host kernel's page tables under KVM.
 *
 * <p>Threads: the holder of the node's duty token, but for {@link #suffices}.
 */
public interface PageRights {

  /** Told of surrenders that did not complete on the spot. */
  interface Completions {
    /** No vCPU of this node can read or write the page any more. */
    void revoked(long page);

    /** No vCPU of this node can write the page any more. */
    void downgraded(long page);
  }

  /** Whether this node may read, or write, the page now. Any thread. */
  boolean suffices(long page, boolean write);

  /** The page's bytes are complete: this node's vCPUs may read it. */
  void grantShared(long page);

  /** The page's bytes are complete, no other node has rights: vCPUs may read and write it. */
  void grantExclusive(long page);

  /**
   * Takes the right to write away.
   *
   * @return true when no vCPU can write any more, false when {@link Completions} will tell
   */
  boolean downgrade(long page);

  /**
   * Takes all rights away.
   *
   * @return true when no vCPU can read or write any more, false when {@link Completions} will tell
   */
  boolean revoke(long page);

  /**
   * Another node wants a page: for how much longer it should stay, because a vCPU here that waited
   * for it had no chance to use it. See {@link org.pluribus.coherence.CacheEffects#holdLonger}.
   *
   * @param since since when the other node's vCPU gets nowhere, machine's clock
   * @param firstOfEqual whether it goes before one that waits for exactly as long here
   * @return nanoseconds; 0 for no longer
   */
  long holdLonger(long page, long since, boolean firstOfEqual, long nowNanos);

  /** The page about to be granted was never used by anybody. */
  void fresh(long page);

  /** See {@link org.pluribus.coherence.CacheEffects#waitingSince}. */
  long waitingSince(long page);

  /** Java code (a device, the loader) has changed the page's bytes, which may be code. */
  void changed(long page);

  /**
   * Tells of surrenders completed since the last call.
   *
   * @return how many
   */
  int poll(Completions to);
}
