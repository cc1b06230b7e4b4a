package org.pluribus.vmm.cli.litmus;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.pluribus.vmm.cli.litmus.LitmusResult.Kind;
import org.pluribus.vmm.cli.litmus.LitmusResult.Seen;

class LitmusReportTest {
  private static LitmusReport report(String test, LitmusTally... tallies) {
    LitmusTest t = LitmusCatalogue.named(List.of(test)).getFirst();
    return LitmusReport.of(
        new LitmusProgram(LitmusCase.of(List.of(t), 4).subList(0, 1), 256), List.of(tallies));
  }

  /** Slots from the right: a, b, x, y. */
  @Test
  void tellsWeakOutcomesFromOthers() {
    LitmusReport r = report("SB", new LitmusTally(0, 0x1100, 56), new LitmusTally(0, 0x1101, 200));
    assertThat(r.failure()).isNull();
    LitmusResult sb = r.results().getFirst();
    assertThat(sb.outcomes())
        .containsExactly(
            new Seen("a=1 b=0 x=1 y=1", Kind.CONSISTENT, 200),
            new Seen("a=0 b=0 x=1 y=1", Kind.WEAK, 56));
    assertThat(sb.weak()).isEqualTo(56);
    assertThat(sb.witnessSeen()).isEqualTo(56);
    assertThat(sb.forbidden()).isZero();
    assertThat(sb.possible()).isEqualTo(4);
    assertThat(r.table()).contains("2/4").contains("ok: allowed a=0 b=0 seen 56 times");
  }

  @Test
  void forbiddenOutcomesFail() {
    LitmusReport r =
        report("SB+mfences", new LitmusTally(0, 0x1111, 255), new LitmusTally(0, 0x1100, 1));
    assertThat(r.forbidden()).isEqualTo(1);
    assertThat(r.failure())
        .isEqualTo(
            "x86-TSO forbids a=0 b=0 x=1 y=1 of SB+mfences with its variables on one page, "
                + "which came 1 times in 256");
    assertThat(r.table()).contains("FAILED: a=0 b=0 seen");
  }

  /** A store that got lost is no test's published outcome, and as forbidden. */
  @Test
  void outcomesThatNobodyAskedForAreJudgedToo() {
    LitmusReport r = report("MP", new LitmusTally(0, 0x0111, 256));
    assertThat(r.failure()).startsWith("x86-TSO forbids a=1 b=1 x=1 y=0 of MP ");
    assertThat(r.table()).contains("FAILED: a=1 b=0 not seen, but worse");
  }

  @Test
  void outcomesThatGotLostFail() {
    assertThat(report("MP", new LitmusTally(0, 0x1100, 255)).failure())
        .isEqualTo("MP with its variables on one page: 255 outcomes of 256 iterations");
  }

  @Test
  void readsTheGuestsLines() {
    assertThat(LitmusTally.parse("outcome 1f 11a0 ffffffff0"))
        .isEqualTo(new LitmusTally(0x1F, 0x11A0, 0xFFFFFFFF0L));
    assertThat(LitmusTally.parse("outcome 1f 11a0")).isNull();
    assertThat(LitmusTally.parse("outcome 1f zz 1")).isNull();
  }
}
