package org.pluribus.vmm.cli.litmus;

import java.util.ArrayList;
import java.util.List;

/** A test with its variables in a certain place. */
public record LitmusCase(LitmusTest test, Layout layout) {

  /**
   * Tests in either layout (with a single variable there is but one), in the order in which they
   * run: those of many CPUs first.
   *
   * @param cpus what the machine has; tests that take more are left out
   */
  public static List<LitmusCase> of(List<LitmusTest> tests, int cpus) {
    List<LitmusCase> cases = new ArrayList<>();
    for (LitmusTest test : tests) {
      if (test.cpus().size() <= cpus) {
        cases.add(new LitmusCase(test, Layout.ONE_PAGE));
        if (test.variables() > 1) {
          cases.add(new LitmusCase(test, Layout.SEVERAL_PAGES));
        }
      }
    }
    return List.copyOf(cases);
  }
}
