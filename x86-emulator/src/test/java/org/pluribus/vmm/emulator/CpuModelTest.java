package org.pluribus.vmm.emulator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Which processor guests are told that they have. */
class CpuModelTest {
  private static final int ALL = -1;

  /** Coffee Lake with all there is. */
  private static final CpuModel INTEL =
      new CpuModel("GenuineIntel", 0x000906EA, ALL, ALL, ALL, ALL, 0x2B).masked();

  /** Zen 2. */
  private static final CpuModel AMD =
      new CpuModel("AuthenticAMD", 0x00830F10, ALL, ALL, ALL, ALL, 0x2B).masked();

  @Test
  void onlySpeculationBitsArePassedOn() {
    assertThat(INTEL.leaf7Edx()).isEqualTo(0xBC000600);
    assertThat(INTEL.leaf7Sub2Edx()).isEqualTo(0x3F);
    assertThat(INTEL.extended8Ebx()).isEqualTo(0x770FD000);
    assertThat(INTEL.extended21Eax()).isEqualTo(0x78000124);
    assertThat(INTEL.archCapabilities()).isEqualTo(0x2B);
  }

  @Test
  void amdHasNoArchCapabilities() {
    assertThat(AMD.hasArchCapabilities()).isFalse();
    assertThat(AMD.archCapabilities()).isZero();
    assertThat(AMD.leaf7Edx()).isEqualTo(0x9C000600);
  }

  @Test
  void textIsReadBack() {
    assertThat(AMD.text())
        .isEqualTo("AuthenticAMD-00830f10-9c000600-0000003f-770fd000-78000124-0000000000000000");
    assertThat(CpuModel.parse(AMD.text())).isEqualTo(AMD);
    assertThat(CpuModel.parse(INTEL.text())).isEqualTo(INTEL);
    assertThat(CpuModel.parse(CpuModel.IN_ORDER.text())).isEqualTo(CpuModel.IN_ORDER);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "Zilog",
        "GenuineIntel",
        "GenuineIntel-000906ea-0-0-0-0-0",
        "GenuineChips-00830f10-9c000600-0000003f-770fd000-78000124-0000000000000000",
        "AuthenticAMD-00830f10-9c000600-0000003f-770fd000-78000124-000000000000000g",
      })
  void otherTextIsRefusedInOneLine(String text) {
    assertThatThrownBy(() -> CpuModel.parse(text))
        .isInstanceOf(IllegalArgumentException.class)
        .message()
        .contains(text.startsWith("GenuineChips") ? "GenuineChips" : "cpuModel '" + text + "'")
        .doesNotContain("\n");
  }

  @Test
  void aHostFitsIfItIsTheSameProcessorAndHasAllThatIsPromised() {
    assertThat(INTEL.misfit(INTEL)).isNull();
    CpuModel older = new CpuModel("GenuineIntel", 0x000906EA, 1 << 26, 0, 0, 0, 0);
    assertThat(older.misfit(INTEL)).as("the machine promises less").isNull();
    assertThat(INTEL.misfit(older)).contains("microcode lacks speculation controls");
    CpuModel vulnerable =
        new CpuModel("GenuineIntel", 0x000906EA, ALL, ALL, ALL, ALL, 0x2A).masked();
    assertThat(INTEL.misfit(vulnerable)).as("RDCL_NO is not true there").isNotNull();
    assertThat(INTEL.misfit(AMD))
        .isEqualTo(
            "this host's processor is AuthenticAMD 00830f10, the machine's cpuModel is GenuineIntel"
                + " 000906ea");
  }

  @Test
  void anIntelProcessorIsShownInItsLeaves() {
    CpuidTable t = table(INTEL);
    assertThat(vendor(t)).isEqualTo("GenuineIntel");
    assertThat(t.eax(1, 0)).isEqualTo(0x000906EA);
    assertThat(t.eax(7, 0)).as("subleaves").isEqualTo(2);
    assertThat(t.edx(7, 0)).isEqualTo(0xBC000610); // with FSRM, bit 4
    assertThat(t.edx(7, 2)).isEqualTo(0x3F);
    assertThat(t.eax(0x80000000, 0)).isEqualTo(0x80000008);
    assertThat(t.ebx(0x80000008, 0)).as("AMD's bits").isZero();
  }

  /** AMD's own places of topology: the low bits of the APIC id number the cores of a package. */
  @Test
  void anAmdProcessorIsShownInItsLeaves() {
    CpuidTable t = table(AMD);
    assertThat(vendor(t)).isEqualTo("AuthenticAMD");
    assertThat(t.eax(1, 0)).isEqualTo(0x00830F10);
    assertThat(t.eax(0x80000001, 0)).isEqualTo(0x00830F10);
    assertThat(t.eax(0x80000000, 0)).isEqualTo(0x80000021);
    assertThat(t.eax(0x80000021, 0)).isEqualTo(0x78000124);
    assertThat(t.ebx(0x80000008, 0)).isEqualTo(0x770FD000);
    assertThat(t.ecx(0x80000008, 0)).as("two bits, three cores").isEqualTo(2 << 12 | 2);
    assertThat(t.edx(1, 0) >>> 28 & 1).as("HTT").isEqualTo(1);
    assertThat(t.ecx(0x80000001, 0) & 2).as("CMP_LEGACY: they are cores").isEqualTo(2);
    assertThat(t.known()).anyMatch(at -> at[0] == 0x80000021);
  }

  @Test
  void theEmulatorSaysThatItExecutesInOrder() {
    CpuidTable t = new CpuidTable(CpuidConfig.uniprocessor());
    assertThat(t.model()).isEqualTo(CpuModel.IN_ORDER);
    assertThat(vendor(t)).isEqualTo("GenuineIntel");
    assertThat(t.eax(1, 0)).isEqualTo(0x00030661);
    assertThat(t.edx(7, 0)).isEqualTo(0x24000010);
    assertThat(t.eax(7, 0)).isZero();
  }

  private static CpuidTable table(CpuModel model) {
    return new CpuidTable(
        new CpuidConfig(5, 1, 2, 3, CpuidConfig.STANDARD_TSC_HZ, Set.of(), model));
  }

  private static String vendor(CpuidTable t) {
    StringBuilder letters = new StringBuilder();
    for (int word : new int[] {t.ebx(0, 0), t.edx(0, 0), t.ecx(0, 0)}) {
      for (int i = 0; i < 4; i++) {
        letters.append((char) (word >>> 8 * i & 0xFF));
      }
    }
    return letters.toString();
  }
}
