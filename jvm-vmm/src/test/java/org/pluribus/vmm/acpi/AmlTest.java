package org.pluribus.vmm.acpi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.HexFormat;
import org.junit.jupiter.api.Test;

/** Byte sequences as the reference compiler (iasl) emits them. */
class AmlTest {

  private static String hex(byte[] bytes) {
    return HexFormat.of().withUpperCase().formatHex(bytes);
  }

  @Test
  void integersTakeTheirShortestForm() {
    assertThat(hex(Aml.integer(0))).isEqualTo("00");
    assertThat(hex(Aml.integer(1))).isEqualTo("01");
    assertThat(hex(Aml.integer(0xFF))).isEqualTo("0AFF");
    assertThat(hex(Aml.integer(0x100))).isEqualTo("0B0001");
    assertThat(hex(Aml.integer(0xFFFF_FFFFL))).isEqualTo("0CFFFFFFFF");
    assertThat(hex(Aml.integer(-1))).isEqualTo("0EFFFFFFFFFFFFFFFF");
  }

  @Test
  void eisaIdsAreCompressed() {
    assertThat(hex(Aml.eisaId("PNP0501"))).isEqualTo("0C41D00501");
    assertThat(hex(Aml.eisaId("PNP0A03"))).isEqualTo("0C41D00A03");
    assertThatThrownBy(() -> Aml.eisaId("pnp0501")).hasMessageContaining("PNP0501");
  }

  @Test
  void namesArePaddedAndPrefixed() {
    assertThat(hex(Aml.named("RTC", Aml.integer(0)))).isEqualTo("08" + "5254435F" + "00");
    assertThat(hex(Aml.named("\\_SB", Aml.integer(0)))).isEqualTo("08" + "5C5F53425F" + "00");
    assertThat(hex(Aml.named("A.B", Aml.integer(0)))).isEqualTo("08" + "2E415F5F5F425F5F5F" + "00");
    assertThat(hex(Aml.named("A.B.C", Aml.integer(0))))
        .isEqualTo("08" + "2F03415F5F5F425F5F5F435F5F5F" + "00");
    assertThatThrownBy(() -> Aml.named("TOOLONG", Aml.integer(0)))
        .hasMessageContaining("no AML name");
  }

  @Test
  void lengthsCountThemselvesAndGrow() {
    // Scope (\): opcode, length, name of one root and four characters, then the filling.
    assertThat(Aml.scope("\\AAAA", new byte[57])).hasSize(1 + 1 + 5 + 57).startsWith(0x10, 63);
    assertThat(Aml.scope("\\AAAA", new byte[58])).hasSize(1 + 2 + 5 + 58).startsWith(0x10, 0x41, 4);
    byte[] large = Aml.scope("\\AAAA", new byte[0x1000]);
    // 3 length bytes + 5 + 4096 = 0x1008.
    assertThat(large).startsWith(0x10, 0x88, 0x00, 0x01);
    assertThat(Aml.scope("\\AAAA", new byte[4095 - 2 - 5])).startsWith(0x10, 0x4F, 0xFF);
    assertThat(Aml.scope("\\AAAA", new byte[4096 - 2 - 5])).startsWith(0x10, 0x81, 0x00, 0x01);
  }

  @Test
  void resourcesEndWithATag() {
    assertThat(hex(Aml.resourceTemplate(Aml.io(0x3F8, 8), Aml.irq(4))))
        .isEqualTo("11" + "10" + "0A0D" + "4701F803F8030108" + "221000" + "7900");
    assertThatThrownBy(() -> Aml.irq(16)).isInstanceOf(IllegalArgumentException.class);
  }
}
