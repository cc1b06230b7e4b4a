package org.pluribus.vmm.emulator.oracle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
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
 * text contains TEXT, {@code -Dpluribus.cases=N} sets the cases per row and mode. The tables of
 * what was covered are {@code target/opcode-coverage-*.txt}.
 */
class DifferentialTest {
  private static final long SEED = Long.getLong("pluribus.seed", 20_251_101L);
  private static final int CASES = Integer.getInteger("pluribus.cases", 100);
  private static final String ROWS = System.getProperty("pluribus.rows", "");
  private static final int ATTEMPTS_PER_CASE = 3;
  private static final int SHOWN_PER_ROW = Integer.getInteger("pluribus.shown", 1);
  private static final int SHOWN = 60;

  private final List<String> failures = new ArrayList<>();
  private int failed;

  private record Case(MachineImage in, Encoding encoding) {}

  @Test
  void everyRowAgreesWithTheHostCpu() throws IOException {
    String why = NativeCpu.unavailable();
    assumeTrue(why == null, Objects.toString(why));
    Coverage coverage = new Coverage("the host CPU");
    try (NativeCpu host = NativeCpu.start();
        EmulatedCpu emulated = new EmulatedCpu()) {
      MachineImage ours = MachineImage.allocate();
      for (OpcodeRow row : rows()) {
        Coverage.Line line = coverage.of(row);
        line.excluded = OracleLimits.nativeReason(row);
        if (line.excluded != null) {
          continue;
        }
        for (int codeBits : new int[] {64, 32}) {
          List<Case> cases = draw(row, codeBits, host);
          if (!cases.isEmpty()) {
            host.run(cases.size());
          }
          for (int i = 0; i < cases.size(); i++) {
            Case c = cases.get(i);
            emulated.run(c.in, ours);
            judge(c, host.result(i), ours, true, true, line);
          }
        }
      }
    }
    finish(coverage, "native");
  }

  @Test
  void everyRowAgreesWithUnicorn() throws IOException {
    String why = Unicorn.unavailable();
    assumeTrue(why == null, Objects.toString(why));
    Coverage coverage = new Coverage("libunicorn");
    try (Unicorn unicorn = new Unicorn();
        EmulatedCpu emulated = new EmulatedCpu()) {
      MachineImage ours = MachineImage.allocate();
      MachineImage theirs = MachineImage.allocate();
      for (OpcodeRow row : rows()) {
        Coverage.Line line = coverage.of(row);
        line.excluded = unicornExclusion(row);
        if (line.excluded != null) {
          continue;
        }
        for (Case c : draw(row, 64, null)) {
          boolean fpu = usesFpu(row);
          unicorn.run(c.in, fpu, theirs);
          emulated.run(c.in, ours);
          judge(c, theirs, ours, false, fpu, line);
        }
      }
    }
    finish(coverage, "unicorn");
  }

  private static @Nullable String unicornExclusion(OpcodeRow row) {
    return EncodingGenerator.existsIn(row, 64)
        ? OracleLimits.unicornReason(row)
        : "not in 64-bit mode";
  }

  private static boolean usesFpu(OpcodeRow row) {
    return row.operands.stream().anyMatch(o -> "VWUPQN%".indexOf(o.letter()) >= 0)
        || row.mnemonic.startsWith("F")
        || row.mnemonic.endsWith("MXCSR")
        || row.mnemonic.equals("EMMS")
        || row.mnemonic.equals("WAIT");
  }

  private static List<OpcodeRow> rows() {
    return OpcodeTable.standard().rows().stream().filter(r -> r.text().contains(ROWS)).toList();
  }

  /** Draws the row's cases; into the host's batch if there is one. Repeatable for row and mode. */
  private static List<Case> draw(OpcodeRow row, int codeBits, @Nullable NativeCpu host) {
    List<Case> cases = new ArrayList<>();
    if (!EncodingGenerator.existsIn(row, codeBits)) {
      return cases;
    }
    Random random = new Random(SEED * 31 + row.text().hashCode() + codeBits);
    EncodingGenerator encodings = new EncodingGenerator(random);
    CaseGenerator generator = new CaseGenerator(random);
    int wanted = Math.min(NativeCpu.ROOM, CASES);
    for (int i = 0; i < wanted * ATTEMPTS_PER_CASE && cases.size() < wanted; i++) {
      Encoding encoding = encodings.draw(row, codeBits);
      if (encoding == null) {
        continue;
      }
      MachineImage in = host != null ? host.input(cases.size()) : MachineImage.allocate();
      generator.fill(in, encoding);
      if (!OracleLimits.skip(in, encoding.insn())) {
        cases.add(new Case(in, encoding));
      }
    }
    return cases;
  }

  private void judge(
      Case c,
      MachineImage expected,
      MachineImage actual,
      boolean faultsExactly,
      boolean withFpu,
      Coverage.Line line) {
    line.cases++;
    line.faults += expected.vector() == MachineImage.NO_FAULT ? 0 : 1;
    List<String> differences =
        Comparison.differences(c.in, c.encoding.insn(), expected, actual, faultsExactly, withFpu);
    if (differences.isEmpty()) {
      return;
    }
    failed++;
    if (line.differences++ < SHOWN_PER_ROW && failures.size() < SHOWN) {
      failures.add(describe(c, differences));
    }
  }

  private static String describe(Case c, List<String> differences) {
    StringBuilder text = new StringBuilder();
    text.append(
        "%s, %d-bit: %s\n"
            .formatted(
                c.encoding.insn().row.text(),
                c.encoding.codeBits(),
                HexFormat.of().withDelimiter(" ").formatHex(c.encoding.bytes())));
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
