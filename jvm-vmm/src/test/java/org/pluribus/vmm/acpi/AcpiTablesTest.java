package org.pluribus.vmm.acpi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.Arena;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.pluribus.vmm.memory.AddressMap;
import org.pluribus.vmm.memory.GuestMemory;
import org.pluribus.vmm.memory.GuestRamLayout;
import org.pluribus.vmm.memory.SegmentGuestMemory;

class AcpiTablesTest {

  private static final long GIB = 1L << 30;

  private final Arena arena = Arena.ofShared();
  private final GuestRamLayout firstMegabytes = GuestRamLayout.of(4 << 20, 1);
  private final GuestMemory memory =
      new SegmentGuestMemory(arena.allocate(firstMegabytes.ramSize()), firstMegabytes);

  @AfterEach
  void freeRam() {
    arena.close();
  }

  /** Builds for a layout of that size, of whose RAM only the first 4 MiB are really there. */
  private long build(List<VcpuPlacement> vcpus, long ramSize, int nodes) {
    return AcpiTables.write(memory, vcpus, GuestRamLayout.of(ramSize, nodes), List.of());
  }

  private static List<VcpuPlacement> vcpus(int count, int nodes) {
    return IntStream.range(0, count)
        .mapToObj(i -> new VcpuPlacement(i, i * nodes / count))
        .toList();
  }

  private void assertSumIsZero(long gpa, int length, String what) {
    int sum = 0;
    for (byte b : memory.readBytes(gpa, length)) {
      sum += b;
    }
    assertThat(sum & 0xFF).as("checksum of %s", what).isZero();
  }

  private String text(long gpa, int length) {
    return new String(memory.readBytes(gpa, length), StandardCharsets.US_ASCII);
  }

  /** Follows the root pointer as an operating system does; every header is checked on the way. */
  private Map<String, Long> tables(long rsdp) {
    assertThat(text(rsdp, 8)).isEqualTo("RSD PTR ");
    assertSumIsZero(rsdp, 20, "RSDP");
    assertSumIsZero(rsdp, 36, "extended RSDP");
    long xsdt = memory.readLong(rsdp + 24);
    long rsdt = memory.readInt(rsdp + 16);
    Map<String, Long> found = new LinkedHashMap<>();
    check(found, xsdt);
    check(found, rsdt);
    int count = (memory.readInt(xsdt + 4) - 36) / 8;
    for (int i = 0; i < count; i++) {
      long table = memory.readLong(xsdt + 36 + i * 8L);
      assertThat((long) memory.readInt(rsdt + 36 + i * 4L)).isEqualTo(table);
      check(found, table);
    }
    check(found, memory.readLong(Objects.requireNonNull(found.get("FACP")) + 140));
    return found;
  }

  private long table(String signature, long rsdp) {
    return Objects.requireNonNull(tables(rsdp).get(signature), signature);
  }

  private void check(Map<String, Long> found, long table) {
    int length = memory.readInt(table + 4);
    assertSumIsZero(table, length, text(table, 4));
    assertThat(table).isGreaterThanOrEqualTo(AddressMap.ACPI_START);
    assertThat(table + length).isLessThanOrEqualTo(AddressMap.ACPI_END);
    assertThat(text(table + 10, 14)).isEqualTo("PLURIBPLURIBUS");
    found.put(text(table, 4), table);
  }

  /** Entries of a table of (type, length) structures, by type. */
  private Map<Integer, List<Long>> entries(long table, int headerSize) {
    Map<Integer, List<Long>> entries = new LinkedHashMap<>();
    long end = table + memory.readInt(table + 4);
    long at = table + headerSize;
    while (at < end) {
      entries.computeIfAbsent((int) memory.readByte(at), type -> new ArrayList<>()).add(at);
      int length = memory.readByte(at + 1);
      assertThat(length).isPositive();
      at += length;
    }
    assertThat(at).isEqualTo(end);
    return entries;
  }

  private static List<Long> of(Map<Integer, List<Long>> entries, int type) {
    return entries.getOrDefault(type, List.of());
  }

  @Test
  void everyTableIsReachableAndSumsToZero() {
    assertThat(tables(build(vcpus(4, 2), GIB, 2)))
        .containsOnlyKeys("XSDT", "RSDT", "FACP", "APIC", "SRAT", "SLIT", "DSDT");
  }

  @Test
  void theFadtNamesTheDevicesPorts() {
    long fadt = table("FACP", build(vcpus(1, 1), GIB, 1));
    assertThat(memory.readInt(fadt + 4)).isEqualTo(276);
    assertThat(memory.readShort(fadt + 46)).as("SCI").isEqualTo((short) 9);
    assertThat(memory.readInt(fadt + 56)).isEqualTo(0x600);
    assertThat(memory.readInt(fadt + 64)).isEqualTo(0x604);
    assertThat(memory.readInt(fadt + 76)).isEqualTo(0x608);
    assertThat(memory.readBytes(fadt + 88, 4)).containsExactly(4, 2, 0, 4);
    assertThat(memory.readInt(fadt + 112)).as("flags").isEqualTo(0x8_0565);
    assertThat(memory.readLong(fadt + 120)).as("reset port").isEqualTo(0xCF9);
    assertThat(memory.readByte(fadt + 128)).as("reset value").isEqualTo((byte) 6);
    assertThat(memory.readBytes(fadt + 148, 4)).as("X_PM1a_EVT").containsExactly(1, 32, 0, 3);
    assertThat(memory.readLong(fadt + 152)).isEqualTo(0x600);
    assertThat(memory.readBytes(fadt + 172, 4)).as("X_PM1a_CNT").containsExactly(1, 16, 0, 2);
    assertThat(memory.readLong(fadt + 176)).isEqualTo(0x604);
    assertThat(memory.readLong(fadt + 212)).as("X_PM_TMR").isEqualTo(0x608);
    long facs = memory.readInt(fadt + 36);
    assertThat(facs % 64).isZero();
    assertThat(text(facs, 4)).isEqualTo("FACS");
    assertThat(memory.readInt(facs + 4)).isEqualTo(64);
  }

  @Test
  void theMadtListsApicsAndOverrides() {
    List<VcpuPlacement> vcpus =
        List.of(new VcpuPlacement(0, 0), new VcpuPlacement(254, 0), new VcpuPlacement(255, 1));
    long madt = table("APIC", build(vcpus, GIB, 2));
    assertThat(memory.readInt(madt + 36)).isEqualTo(0xFEE0_0000);
    Map<Integer, List<Long>> entries = entries(madt, 44);
    assertThat(entries).containsOnlyKeys(0, 1, 2, 4, 9, 10);
    assertThat(of(entries, 0)).hasSize(2);
    assertThat(memory.readBytes(of(entries, 0).get(1) + 2, 6))
        .containsExactly(1, (byte) 254, 1, 0, 0, 0);
    long x2apic = of(entries, 9).get(0);
    assertThat(memory.readInt(x2apic + 4)).isEqualTo(255);
    assertThat(memory.readInt(x2apic + 12)).as("UID").isEqualTo(2);
    assertThat(memory.readInt(of(entries, 1).get(0) + 4)).isEqualTo(0xFEC0_0000);
    assertThat(memory.readBytes(of(entries, 2).get(0) + 2, 8))
        .as("IRQ 0 is GSI 2")
        .containsExactly(0, 0, 2, 0, 0, 0, 0, 0);
    assertThat(memory.readBytes(of(entries, 2).get(1) + 2, 8))
        .as("SCI: level, high")
        .containsExactly(0, 9, 9, 0, 0, 0, 0xD, 0);
  }

  @Test
  void theSratTellsWhereCpusAndMemoryAre() {
    long srat = table("SRAT", build(vcpus(4, 2), 8 * GIB, 2));
    Map<Integer, List<Long>> entries = entries(srat, 48);
    assertThat(of(entries, 0)).hasSize(4);
    for (int i = 0; i < 4; i++) {
      assertThat(memory.readBytes(of(entries, 0).get(i) + 2, 6))
          .containsExactly(i / 2, i, 1, 0, 0, 0);
    }
    assertThat(of(entries, 1)).hasSize(3);
    long[][] expected = {{0, 0, 3 * GIB}, {0, 4 * GIB, GIB}, {1, 5 * GIB, 4 * GIB}};
    for (int i = 0; i < 3; i++) {
      long entry = of(entries, 1).get(i);
      assertThat(memory.readInt(entry + 2)).isEqualTo((int) expected[i][0]);
      assertThat(memory.readLong(entry + 8)).isEqualTo(expected[i][1]);
      assertThat(memory.readLong(entry + 16)).isEqualTo(expected[i][2]);
      assertThat(memory.readInt(entry + 28)).isEqualTo(1);
    }
  }

  @Test
  void theSlitIsTenAtHomeAndTwentyElsewhere() {
    long slit = table("SLIT", build(vcpus(3, 3), GIB + (512 << 20), 3));
    assertThat(memory.readLong(slit + 36)).isEqualTo(3);
    assertThat(memory.readBytes(slit + 44, 9)).containsExactly(10, 20, 20, 20, 10, 20, 20, 20, 10);
  }

  @Test
  void theDsdtHasAProcessorForEachVcpuAndTheSerialPort() {
    long dsdt = table("DSDT", build(vcpus(18, 2), GIB, 2));
    String aml =
        new String(memory.readBytes(dsdt, memory.readInt(dsdt + 4)), StandardCharsets.ISO_8859_1);
    assertThat(aml.split("ACPI0007", -1)).hasSize(19);
    assertThat(aml).contains("C011", "COM1", "\u0047\u0001\u00F8\u0003\u00F8\u0003\u0001\u0008");
    assertThat(aml).contains("_S5_\u0012\u0008\u0004\n\u0005\n\u0005\u0000\u0000");
  }

  @Test
  void manyNodesFitAndTooManyAreRefused() {
    assertThat(tables(build(vcpus(512, 32), 64 * GIB, 32))).containsKey("SLIT");
    assertThatThrownBy(() -> build(vcpus(4097, 1), GIB, 1)).hasMessageContaining("4096");
    assertThatThrownBy(() -> build(vcpus(4096, 1), GIB, 1)).hasMessageContaining("fewer vCPUs");
    assertThatThrownBy(() -> build(List.of(new VcpuPlacement(0, 1)), GIB, 1))
        .hasMessageContaining("on node 1 of 1");
  }
}
