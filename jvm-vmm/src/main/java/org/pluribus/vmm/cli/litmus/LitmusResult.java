package org.pluribus.vmm.cli.litmus;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Set;

/**
 * What came of one case.
 *
 * @param test its name
 * @param alias its other name, or its name again
 * @param cpus how many it runs on
 * @param pages how many its variables are on
 * @param iterations how often it ran
 * @param witness the outcome in question
 * @param allowed whether x86-TSO allows the witness
 * @param witnessSeen how often it came
 * @param possible how many outcomes x86-TSO allows
 * @param outcomes what came, the most frequent first
 */
public record LitmusResult(
    String test,
    String alias,
    int cpus,
    Layout pages,
    long iterations,
    String witness,
    boolean allowed,
    long witnessSeen,
    int possible,
    List<Seen> outcomes) {

  /** What to think of an outcome. */
  public enum Kind {
    /** Some order of all operations, one after the other, explains it. */
    CONSISTENT,
    /** Only store buffers explain it: allowed on x86. */
    WEAK,
    /** Nothing explains it. */
    FORBIDDEN
  }

  /**
   * An outcome that came.
   *
   * @param values of registers and variables
   * @param kind what to think of it
   * @param count how often
   */
  public record Seen(String values, Kind kind, long count) {}

  /** Judges what the guest has counted of a case. */
  static LitmusResult of(LitmusCase c, List<LitmusTally> tallies) {
    LitmusTest test = c.test();
    Set<Long> consistent = MemoryModel.SEQUENTIAL_CONSISTENCY.outcomes(test);
    Set<Long> possible = MemoryModel.X86_TSO.outcomes(test);
    List<Seen> seen = new ArrayList<>();
    long witnessSeen = 0;
    for (LitmusTally t : tallies) {
      Kind kind =
          consistent.contains(t.outcome())
              ? Kind.CONSISTENT
              : possible.contains(t.outcome()) ? Kind.WEAK : Kind.FORBIDDEN;
      seen.add(new Seen(test.describe(t.outcome()), kind, t.count()));
      witnessSeen += test.witness().matches(t.outcome()) ? t.count() : 0;
    }
    seen.sort(Comparator.comparingLong(Seen::count).reversed());
    return new LitmusResult(
        test.name(),
        test.alias(),
        test.cpus().size(),
        c.layout(),
        tallies.stream().mapToLong(LitmusTally::count).sum(),
        test.describeWitness(),
        possible.stream().anyMatch(test.witness()::matches),
        witnessSeen,
        possible.size(),
        seen);
  }

  /** How many different outcomes came that may. */
  @JsonProperty
  public long distinct() {
    return outcomes.stream().filter(s -> s.kind() != Kind.FORBIDDEN).count();
  }

  /** How often an outcome came that only store buffers explain. */
  @JsonProperty
  public long weak() {
    return count(Kind.WEAK);
  }

  /** How often an outcome came that must not. */
  @JsonProperty
  public long forbidden() {
    return count(Kind.FORBIDDEN);
  }

  private long count(Kind kind) {
    return outcomes.stream().filter(s -> s.kind() == kind).mapToLong(Seen::count).sum();
  }

  /** Test and layout, for a sentence. */
  String title() {
    return "%s with its variables on %s"
        .formatted(test, pages == Layout.ONE_PAGE ? "one page" : "several pages");
  }
}
