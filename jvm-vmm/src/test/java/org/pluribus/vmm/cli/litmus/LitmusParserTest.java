package org.pluribus.vmm.cli.litmus;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class LitmusParserTest {
  @Test
  void readsOperationsAndOutcome() {
    LitmusTest t =
        LitmusParser.parse(
            "n = m : x=1; a=xadd(y,2) || b=cas(y,0,3); mfence; c=y => a=0 c=3 y=5 : allowed");
    assertThat(t.name()).isEqualTo("n");
    assertThat(t.alias()).isEqualTo("m");
    assertThat(t.cpus())
        .containsExactly(
            List.of(new Operation.Store(0, 1), new Operation.Add(0, 1, 2)),
            List.of(
                new Operation.CompareExchange(0, 1, 0, 3),
                new Operation.Fence(),
                new Operation.Load(1, 1)));
    assertThat(t.variables()).isEqualTo(2);
    assertThat(t.slotNames()).isEqualTo("abcxy");
    assertThat(t.firstSlot(1)).isEqualTo(1);
    assertThat(t.variableSlot()).isEqualTo(3);
    assertThat(t.allowed()).isTrue();
    assertThat(t.describeWitness()).isEqualTo("a=0 c=3 y=5");
    assertThat(t.witness().matches(0x51320)).isTrue();
    assertThat(t.witness().matches(0x51321)).isFalse();
    assertThat(t.describe(0x5132F)).isEqualTo("a=? b=2 c=3 x=1 y=5");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "SB x=1 || a=x => a=1 : allowed",
        "SB : x=1 || a=x => a=1 : perhaps",
        "SB : x=1 || x => x=1 : allowed",
        "SB : x=1; => x=1 : allowed",
        "SB : a=xchg(x) => x=1 : allowed",
        "SB : a=xchg(x,1,2) => x=1 : allowed",
        "SB : a=cas(x,1) => x=1 : allowed",
        "SB : x=15 => x=1 : allowed",
        "SB : a=x; a=y => a=1 : allowed",
        "SB : a=x => b=1 : allowed",
        "SB : a=x; b=x; c=x; d=x; e=x => b=1 : allowed",
        "SB : x=1; x=1; x=1; x=1; x=1; x=1; x=1; x=1; x=1 => x=1 : allowed",
        "SB : x=1 || x=1 || x=1 || x=1 || x=1 => x=1 : allowed",
      })
  void refusesWhatIsNoTest(String line) {
    assertThatThrownBy(() -> LitmusParser.parse(line))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("litmus test '" + line + "': ");
  }

  @Test
  void everyNameIsThereOnce() {
    Set<String> names = new HashSet<>();
    for (LitmusTest t : LitmusCatalogue.all()) {
      assertThat(names.add(t.name().toLowerCase(Locale.ROOT))).as(t.name()).isTrue();
      assertThat(t.alias().equals(t.name()) || names.add(t.alias().toLowerCase(Locale.ROOT)))
          .as(t.alias())
          .isTrue();
    }
    assertThat(LitmusCatalogue.named(List.of("sb", "AMD5", "podwr000", "IRIW+xchgs")))
        .extracting(LitmusTest::name)
        .containsExactly("SB", "SB+mfences", "IRIW+xchgs");
    assertThatThrownBy(() -> LitmusCatalogue.named(List.of("SB", "SC")))
        .hasMessageStartingWith("there is no test 'SC'; choose from SB, ");
  }
}
