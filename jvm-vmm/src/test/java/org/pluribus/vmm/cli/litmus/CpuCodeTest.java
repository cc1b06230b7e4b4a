package org.pluribus.vmm.cli.litmus;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Machine code against what GNU as makes of the same instructions. */
class CpuCodeTest {
  private static String code(boolean delays, Operation... operations) {
    return HexFormat.of().formatHex(CpuCode.of(List.of(operations), delays));
  }

  @Test
  void encodesEveryOperation() {
    assertThat(code(false, new Operation.Fence())).isEqualTo("0faef0" + "c3");
    assertThat(code(false, new Operation.Store(0, 1), new Operation.Store(1, 2)))
        .isEqualTo("c70701000000" + "c70602000000" + "c3");
    assertThat(code(false, new Operation.Store(2, 3))).isEqualTo("c70203000000" + "c3");
    assertThat(code(false, new Operation.Load(0, 0), new Operation.Load(1, 1)))
        .isEqualTo("448b0f" + "448b16" + "c3");
    assertThat(code(false, new Operation.Load(2, 2), new Operation.Load(3, 0)))
        .isEqualTo("448b1a" + "448b27" + "c3");
    assertThat(code(false, new Operation.Exchange(3, 2, 7)))
        .isEqualTo("41bc07000000" + "448722" + "c3");
    assertThat(code(false, new Operation.Add(1, 1, 5)))
        .isEqualTo("41ba05000000" + "f0440fc116" + "c3");
    assertThat(code(false, new Operation.CompareExchange(2, 0, 1, 2)))
        .isEqualTo("b801000000" + "b902000000" + "f00fb10f" + "4189c3" + "c3");
  }

  @Test
  void delaysComeBeforeEachOperation() {
    String delay = "418b08" + "4983c004" + "83e901" + "73fb";
    assertThat(code(true, new Operation.Store(0, 1), new Operation.Load(0, 1)))
        .isEqualTo(delay + "c70701000000" + delay + "448b0e" + "c3");
  }

  /** Where native/payloads/litmus.c looks. */
  @Test
  void programSaysWhereTheCodeIs() {
    LitmusTest mp = LitmusCatalogue.named(List.of("MP")).getFirst();
    LitmusProgram program = new LitmusProgram(LitmusCase.of(List.of(mp), 2), 257);
    assertThat(program.cases())
        .extracting(LitmusCase::layout)
        .containsExactly(Layout.ONE_PAGE, Layout.SEVERAL_PAGES);
    ByteBuffer b = ByteBuffer.wrap(program.toBytes()).order(ByteOrder.LITTLE_ENDIAN);
    assertThat(b.getInt(4)).as("cases").isEqualTo(2);
    int second = 16 + (6 + 4 * 4) * Integer.BYTES;
    assertThat(new int[] {b.getInt(second), b.getInt(second + 4), b.getInt(second + 8)})
        .as("CPUs, variables, layout")
        .containsExactly(2, 2, 1);
    assertThat(b.getInt(second + 12)).as("batches").isEqualTo(2);
    assertThat(b.getInt(second + 16)).as("slot of x").isEqualTo(2);
    int reader = second + 24 + 16;
    byte[] expected = CpuCode.of(mp.cpus().get(1), true);
    byte[] code = new byte[expected.length];
    b.get(b.getInt(reader + 4), code);
    assertThat(code).isEqualTo(expected);
    assertThat(b.getInt(reader + 8)).as("registers").isEqualTo(2);
    assertThat(b.getInt(reader + 12)).as("slot of a").isZero();
  }

  @Test
  void testsOfMoreCpusThanThereAreAreLeftOut() {
    assertThat(LitmusCase.of(LitmusCatalogue.all(), 1)).isEmpty();
    assertThat(LitmusCase.of(LitmusCatalogue.all(), 3))
        .isNotEmpty()
        .allMatch(c -> c.test().cpus().size() <= 3);
    assertThat(LitmusCase.of(LitmusCatalogue.named(List.of("CoRR")), 2))
        .extracting(LitmusCase::layout)
        .containsExactly(Layout.ONE_PAGE);
  }
}
