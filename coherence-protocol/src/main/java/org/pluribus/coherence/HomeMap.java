package org.pluribus.coherence;

/** Says which node is the home of a page. Pure and constant for the life of the virtual machine. */
@FunctionalInterface
public interface HomeMap {
  /**
   * The home node of a page.
   *
   * @param page page index (GPA &gt;&gt;&gt; 12), within the guest's RAM
   * @return node number, 0 to 63
   */
  int homeOf(long page);
}
