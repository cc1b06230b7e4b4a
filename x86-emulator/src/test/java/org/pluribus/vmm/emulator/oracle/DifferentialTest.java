package org.pluribus.vmm.emulator.oracle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.pluribus.vmm.emulator.OpcodeRow;
import org.pluribus.vmm.emulator.OpcodeTable;

/**
 * Every row of the opcode table, in random forms on random states, against the host CPU and against
 * libunicorn.
 *
 * <p>{@code -Dpluribus.seed=N} repeats a run, {@code -Dpluribus.rows=TEXT} keeps only rows whose
 * text contains TEXT, {@code -Dpluribus.cases=N} sets the cases per row and mode, {@code
 * -Dpluribus.shown=N} how many differences are shown per row. The tables of what was covered are
 * {@code target/opcode-coverage-*.txt}.
 */
class DifferentialTest {
  private static final long SEED = Long.getLong("pluribus.seed", 20_251_101L);
  private static final int CASES =
      Math.min(OracleProcess.ROOM, Integer.getInteger("pluribus.cases", 64));
  private static final String ROWS = System.getProperty("pluribus.rows", "");
  private static final int SHOWN_PER_ROW = Integer.getInteger("pluribus.shown", 1);
  private static final int SHOWN = 60;

  /** Draws for each case wanted, before a row goes with fewer. */
  private static final int ATTEMPTS_PER_CASE = 3;

  private final List<String> failures = new ArrayList<>();
  private final MachineImage ours = MachineImage.allocate();
  private int failed;

  private record Case(MachineImage in, Encoding encoding) {}

  @Test
  void everyRowAgreesWithTheHostCpu() throws IOException {
    assumeAvailable(OracleProcess.noHostCpu());
    Coverage coverage = new Coverage("the host CPU");
    try (OracleProcess host = OracleProcess.hostCpu();
        EmulatedCpu emulated = new EmulatedCpu()) {
      for (OpcodeRow row : rows()) {
        Coverage.Line line = coverage.of(row);
        line.note = OracleLimits.nativeReason(row);
        if (line.note == null) {
          compareWithHost(row, 64, host, emulated, line);
          compareWithHost(row, 32, host, emulated, line);
        }
      }
    }
    finish(coverage, "native");
  }

  private void compareWithHost(
      OpcodeRow row, int codeBits, OracleProcess host, EmulatedCpu emulated, Coverage.Line line)
      throws IOException {
    List<Case> cases = draw(row, codeBits, host);
    host.run(cases.size(), row.text());
    for (int i = 0; i < cases.size(); i++) {
      Case c = cases.get(i);
      MachineImage theirs = host.result(i);
      line.count(theirs);
      emulated.run(c.in, ours);
      report(
          c, Comparison.withHostCpu(c.in, c.encoding.insn(), theirs, ours), "the host CPU", line);
    }
  }

  /** Where libunicorn differs, the host CPU decides: it is known to err (see UnicornErrors). */
  @Test
  void everyRowAgreesWithUnicornOrElseWithTheHostCpu() throws IOException {
    assumeAvailable(UnicornLibrary.unavailable());
    assumeAvailable(OracleProcess.noHostCpu());
    Coverage coverage = new Coverage("libunicorn");
    try (OracleProcess unicorn = OracleProcess.unicorn();
        OracleProcess host = OracleProcess.hostCpu();
        EmulatedCpu emulated = new EmulatedCpu()) {
      for (OpcodeRow row : rows()) {
        Coverage.Line line = coverage.of(row);
        line.note = OracleLimits.unicornReason(row);
        if (line.note == null) {
          compareWithUnicorn(row, unicorn, host, emulated, line);
        }
      }
    }
    finish(coverage, "unicorn");
  }

  private void compareWithUnicorn(
      OpcodeRow row,
      OracleProcess unicorn,
      OracleProcess host,
      EmulatedCpu emulated,
      Coverage.Line line)
      throws IOException {
    List<Case> cases = draw(row, 64, unicorn);
    unicorn.run(cases.size(), row.text());
    List<Case> disputed = new ArrayList<>();
    List<List<String>> differences = new ArrayList<>();
    for (int i = 0; i < cases.size(); i++) {
      Case c = cases.get(i);
      MachineImage theirs = unicorn.result(i);
      line.count(theirs);
      emulated.run(c.in, ours);
      List<String> found = Comparison.withUnicorn(c.in, c.encoding.insn(), theirs, ours);
      if (!found.isEmpty()) {
        host.input(disputed.size()).copyFrom(c.in);
        disputed.add(c);
        differences.add(found);
      }
    }
    host.run(disputed.size(), row.text());
    for (int i = 0; i < disputed.size(); i++) {
      Case c = disputed.get(i);
      emulated.run(c.in, ours);
      if (Comparison.withHostCpu(c.in, c.encoding.insn(), host.result(i), ours).isEmpty()) {
        line.oracleErrors++;
        line.note = UnicornErrors.reason(row);
      } else {
        report(c, differences.get(i), "libunicorn", line);
      }
    }
  }

  private static void assumeAvailable(@Nullable String whyNot) {
    assumeTrue(whyNot == null, Objects.toString(whyNot));
  }

  private static List<OpcodeRow> rows() {
    return OpcodeTable.standard().rows().stream().filter(r -> r.text().contains(ROWS)).toList();
  }

  /** Draws the row's cases into the oracle's batch. Repeatable for row and mode. */
  private static List<Case> draw(OpcodeRow row, int codeBits, OracleProcess oracle) {
    List<Case> cases = new ArrayList<>();
    if (!EncodingGenerator.existsIn(row, codeBits)) {
      return cases;
    }
    Random random = new Random(SEED * 31 + row.text().hashCode() + codeBits);
    EncodingGenerator encodings = new EncodingGenerator(random);
    CaseGenerator generator = new CaseGenerator(random);
    for (int i = 0; i < CASES * ATTEMPTS_PER_CASE && cases.size() < CASES; i++) {
      Encoding encoding = encodings.draw(row, codeBits);
      if (encoding == null) {
        continue;
      }
      MachineImage in = oracle.input(cases.size());
      generator.fill(in, encoding);
      if (!OracleLimits.skip(in, encoding.insn())) {
        cases.add(new Case(in, encoding));
      }
    }
    return cases;
  }

  private void report(Case c, List<String> differences, String oracle, Coverage.Line line) {
    if (differences.isEmpty()) {
      return;
    }
    failed++;
    if (line.differences++ < SHOWN_PER_ROW && failures.size() < SHOWN) {
      failures.add(describe(c, differences, oracle));
    }
  }

  private static String describe(Case c, List<String> differences, String oracle) {
    StringBuilder text = new StringBuilder();
    text.append("%d-bit %s, against %s\n".formatted(c.encoding.codeBits(), c.encoding, oracle));
    differences.forEach(d -> text.append("    ").append(d).append('\n'));
    text.append("  from").append(Inputs.of(c.in, c.encoding.insn()));
    return text.toString();
  }

  private void finish(Coverage coverage, String name) throws IOException {
    Files.createDirectories(Path.of("target"));
    coverage.write(Path.of("target", "opcode-coverage-" + name + ".txt"), SEED);
    assertThat(failures)
        .withFailMessage(() ->
            "%d of %d cases differ (-Dpluribus.seed=%d):\n%s"
                .formatted(failed, coverage.cases(), SEED, String.join("\n", failures)))
        .isEmpty();
    assertThat(coverage.missing()).as("rows without a single case").isEmpty();
  }
}
