package org.pluribus.vmm.cli.litmus;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * What came of a {@link LitmusProgram}, for a table and {@code --report}.
 *
 * @param results by case, in the order of the program
 * @param wanted iterations each case was to have
 */
public record LitmusReport(List<LitmusResult> results, long wanted) {
  private static final String HEADER = "%-14s %4s %-8s %11s %9s %8s %10s  %s%n";
  private static final String ROW = "%-14s %4d %-8s %11d %9s %8d %10d  %s%n";

  /** Judges what the guest has counted. */
  public static LitmusReport of(LitmusProgram program, List<LitmusTally> tallies) {
    List<LitmusResult> results = new ArrayList<>();
    for (int i = 0; i < program.cases().size(); i++) {
      int number = i;
      results.add(
          LitmusResult.of(
              program.cases().get(i), tallies.stream().filter(t -> t.number() == number).toList()));
    }
    return new LitmusReport(results, (long) program.batches() * LitmusProgram.INSTANCES);
  }

  /** Iterations of all cases. */
  @JsonProperty
  public long iterations() {
    return results.stream().mapToLong(LitmusResult::iterations).sum();
  }

  /** How often an outcome came that only store buffers explain. */
  @JsonProperty
  public long weak() {
    return results.stream().mapToLong(LitmusResult::weak).sum();
  }

  /** How often an outcome came that must not. */
  @JsonProperty
  public long forbidden() {
    return results.stream().mapToLong(LitmusResult::forbidden).sum();
  }

  /** What is wrong, in one line; null if nothing is. */
  public @Nullable String failure() {
    for (LitmusResult r : results) {
      for (LitmusResult.Seen seen : r.outcomes()) {
        if (seen.kind() == LitmusResult.Kind.FORBIDDEN) {
          return "x86-TSO forbids %s of %s, which came %d times in %d"
              .formatted(seen.values(), r.title(), seen.count(), r.iterations());
        }
      }
    }
    for (LitmusResult r : results) {
      if (r.iterations() != wanted) {
        return "%s: %d outcomes of %d iterations".formatted(r.title(), r.iterations(), wanted);
      }
    }
    return null;
  }

  /** A line for each case. */
  public String table() {
    StringBuilder text = new StringBuilder();
    text.append(
        HEADER.formatted(
            "test", "CPUs", "pages", "iterations", "outcomes", "weak", "forbidden", "verdict"));
    for (LitmusResult r : results) {
      text.append(
          String.format(
              Locale.ROOT,
              ROW,
              r.test(),
              r.cpus(),
              r.pages().pages(),
              r.iterations(),
              r.distinct() + "/" + r.possible(),
              r.weak(),
              r.forbidden(),
              verdict(r)));
    }
    return text.toString();
  }

  private static String verdict(LitmusResult r) {
    if (r.forbidden() > 0) {
      return "FAILED: " + r.witness() + (r.witnessSeen() > 0 ? " seen" : " not seen, but worse");
    }
    if (!r.allowed()) {
      return "ok: forbidden %s never seen".formatted(r.witness());
    }
    return r.witnessSeen() > 0
        ? "ok: allowed %s seen %d times".formatted(r.witness(), r.witnessSeen())
        : "ok: allowed %s not seen".formatted(r.witness());
  }
}
