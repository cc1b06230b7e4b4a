package org.pluribus.coherence;

/**
 * Where a node keeps twins: the bytes that pages had before this node began to write them; and who
 * compares pages with them. Memory for a fixed number of pages, got beforehand. Called on the
 * controller's thread; must not call the controller.
 */
public interface TwinStore {
  /** Bytes of a block, the grain at which changes are told. A cache line of x86. */
  int BLOCK_BYTES = 64;

  /** No room for any twin. */
  TwinStore NO_ROOM =
      new TwinStore() {
        @Override
        public int slots() {
          return 0;
        }

        @Override
        public void keep(long page, int slot) {
          throw new IllegalStateException("no room for twins");
        }

        @Override
        public long changedBlocks(long page, int slot) {
          throw new IllegalStateException("no room for twins");
        }

        @Override
        public long nonZeroBlocks(long page) {
          throw new IllegalStateException("no room for twins");
        }
      };

  /** How many twins there is room for. Constant. */
  int slots();

  /** Copies the local mirror of a page, which nobody can write at this moment, to a slot. */
  void keep(long page, int slot);

  /**
   * Compares the local mirror of a page, which nobody can write at this moment, with a slot.
   *
   * @return bit i is set if the 64 bytes from offset 64 * i on differ. More than {@link
   *     CoherenceMessage#MAX_BLOCKS} bits need not be all: nobody sends so many blocks
   */
  long changedBlocks(long page, int slot);

  /**
   * Compares the local mirror of a page, which nobody can write at this moment, with zeros, which
   * are everybody's twin of every page.
   *
   * @return as of {@link #changedBlocks}
   */
  long nonZeroBlocks(long page);
}
