package org.pluribus.vmm.loader;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.pluribus.vmm.memory.GuestMemory;
import org.pluribus.vmm.memory.GuestRamLayout;
import org.pluribus.vmm.memory.SegmentGuestMemory;

class LoaderTest {

  private static final long MIB = 1L << 20;

  @TempDir Path folder;
  private final Arena arena = Arena.ofShared();

  @AfterEach
  void freeRam() {
    arena.close();
  }

  private GuestMemory ram(GuestRamLayout layout) {
    return new SegmentGuestMemory(arena.allocate(layout.ramSize()), layout);
  }

  private Path file(String name, byte[] bytes) throws IOException {
    return Files.write(folder.resolve(name), bytes);
  }

  private static String text(GuestMemory memory, long gpa, int length) {
    return new String(memory.readBytes(gpa, length), java.nio.charset.StandardCharsets.US_ASCII);
  }

  private static byte[] tail(byte[] file, int from) {
    return Arrays.copyOfRange(file, from, file.length);
  }

  @Test
  void bzImageIsLoadedByThe64BitProtocol() throws Exception {
    byte[] bytes = SyntheticKernels.bzImage(0x5000);
    byte[] initrd1 = SyntheticKernels.payload(4097);
    byte[] initrd2 = SyntheticKernels.payload(33);
    KernelImage kernel = KernelImage.detect(file("vmlinuz", bytes));
    assertThat(kernel).isInstanceOf(BzImageLoader.class);
    assertThat(kernel.describe()).isEqualTo("Linux bzImage 6.1.0-test");
    GuestRamLayout layout = GuestRamLayout.of(128 * MIB, 2);
    GuestMemory memory = ram(layout);
    byte[] seed = {1, 2, 3, 4, 5, 6, 7, 8};
    EntryState entry =
        kernel.load(
            memory,
            layout,
            new BootOptions(
                "console=ttyS0",
                List.of(file("a", initrd1), file("b", initrd2)),
                0xE_0000,
                seed,
                ""));

    assertThat(entry.mode()).isEqualTo(EntryState.Mode.LONG64);
    assertThat(entry.rip()).isEqualTo(SyntheticKernels.BZ_LOAD + 0x200);
    assertThat(memory.readBytes(SyntheticKernels.BZ_LOAD, 0x5000)).isEqualTo(tail(bytes, 1024));
    long params = entry.rsi();
    assertThat(memory.readBytes(params + 0x202, 0x6A - 0x20))
        .as("header as in the file, but for the fields the loader fills in")
        .startsWith('H', 'd', 'r', 'S');
    assertThat(memory.readByte(params + 0x1EF)).as("sentinel").isZero();
    assertThat(memory.readByte(params + 0x210)).isEqualTo((byte) 0xFF);
    assertThat(memory.readLong(params + 0x258)).isEqualTo(SyntheticKernels.BZ_LOAD);
    assertThat(memory.readLong(params + 0x70)).isEqualTo(0xE_0000);
    assertThat(text(memory, memory.readInt(params + 0x228), 27))
        .isEqualTo("tsc=reliable console=ttyS0\0");

    long ramdisk = memory.readInt(params + 0x218);
    assertThat(memory.readInt(params + 0x21C)).isEqualTo(4100 + 33);
    assertThat(ramdisk % 4096).isZero();
    assertThat(layout.homeOf(ramdisk + 4132)).as("near the boot vCPU").isZero();
    assertThat(memory.readBytes(ramdisk, 4097)).isEqualTo(initrd1);
    assertThat(memory.readBytes(ramdisk + 4100, 33)).isEqualTo(initrd2);

    long setupData = memory.readLong(params + 0x250);
    assertThat(memory.readLong(setupData)).isZero();
    assertThat(memory.readInt(setupData + 8)).isEqualTo(9);
    assertThat(memory.readInt(setupData + 12)).isEqualTo(8);
    assertThat(memory.readBytes(setupData + 16, 8)).isEqualTo(seed);

    assertThat(memory.readByte(params + 0x1E8)).isEqualTo((byte) layout.e820().size());
    for (int i = 0; i < layout.e820().size(); i++) {
      long at = params + 0x2D0 + i * 20L;
      assertThat(memory.readLong(at)).isEqualTo(layout.e820().get(i).start());
      assertThat(memory.readLong(at + 8)).isEqualTo(layout.e820().get(i).length());
      assertThat(memory.readInt(at + 16)).isEqualTo(layout.e820().get(i).type().code);
    }
  }

  @Test
  void linuxWorksOnCpusNearTheDevicesUnlessTheUserSaysWhere() throws Exception {
    String hints = "tsc=reliable nohz_full=2-7 sysctl.kernel.timer_migration=0 ";
    assertThat(lineWithFarCpus("quiet")).isEqualTo(hints + "quiet");
    assertThat(lineWithFarCpus("")).isEqualTo(hints.strip());
    for (String own : List.of("nohz_full=3 quiet", "quiet nohz_full=", "quiet isolcpus=nohz,3")) {
      assertThat(lineWithFarCpus(own)).isEqualTo("tsc=reliable " + own);
    }
    String full = "x".repeat(60);
    assertThat(lineWithFarCpus(full)).as("no room").isEqualTo("tsc=reliable " + full);
  }

  private String lineWithFarCpus(String line) throws Exception {
    GuestRamLayout layout = GuestRamLayout.of(32 * MIB, 1);
    GuestMemory memory = ram(layout);
    KernelImage kernel = KernelImage.detect(file("vmlinuz", SyntheticKernels.bzImage(0x1000)));
    EntryState entry =
        kernel.load(memory, layout, new BootOptions(line, List.of(), 0, new byte[0], "2-7"));
    String all = text(memory, memory.readInt(entry.rsi() + 0x228), 110);
    return all.substring(0, all.indexOf('\0'));
  }

  @Test
  void whatTheUserSaysAboutTheTscCounts() throws Exception {
    GuestRamLayout layout = GuestRamLayout.of(32 * MIB, 1);
    GuestMemory memory = ram(layout);
    KernelImage kernel = KernelImage.detect(file("vmlinuz", SyntheticKernels.bzImage(0x1000)));
    String full = "x".repeat(100);
    for (String line : List.of("tsc=unstable quiet", "quiet tsc=nowatchdog", full)) {
      EntryState entry = kernel.load(memory, layout, BootOptions.ofCommandLine(line));
      long at = memory.readInt(entry.rsi() + 0x228);
      assertThat(text(memory, at, line.length() + 1)).isEqualTo(line + "\0");
    }
    EntryState entry = kernel.load(memory, layout, BootOptions.ofCommandLine(""));
    assertThat(text(memory, memory.readInt(entry.rsi() + 0x228), 13)).isEqualTo("tsc=reliable\0");
  }

  @Test
  void longModeEntryHasAnIdentityMapOf4GiBAndFlatSegments() throws Exception {
    GuestRamLayout layout = GuestRamLayout.of(32 * MIB, 1);
    GuestMemory memory = ram(layout);
    EntryState entry =
        KernelImage.detect(file("vmlinuz", SyntheticKernels.bzImage(0x1000)))
            .load(memory, layout, BootOptions.ofCommandLine(""));
    for (long gpa : new long[] {0, 0x7123, 0x100_0200, 0x3FFF_FFFFL, 0xFEE0_0020L, 0xFFFF_FFFFL}) {
      assertThat(walk(memory, entry.cr3(), gpa)).isEqualTo(gpa);
    }
    assertThat(entry.cr0()).isEqualTo(0x8000_0011L);
    assertThat(entry.cr4()).isEqualTo(0x20);
    assertThat(entry.efer()).isEqualTo(0x500);
    assertThat(entry.cs()).isEqualTo(0x10);
    assertThat(entry.ds()).isEqualTo(0x18);
    assertThat(entry.gdtLimit()).isGreaterThanOrEqualTo(0x2F);
    long code = memory.readLong(entry.gdtBase() + entry.cs());
    assertThat(code >>> 53 & 1).as("L").isEqualTo(1);
    assertThat(code >>> 54 & 1).as("D").isZero();
    assertThat(code >>> 40 & 0xFF).as("present, ring 0, code").isEqualTo(0x9B);
    assertThat(memory.readLong(entry.gdtBase() + entry.ds()) >>> 40 & 0xFF).isEqualTo(0x93);
    assertThat(entry.rsp()).isPositive();
    assertThat(memory.readShort(0x40E)).as("EBDA segment").isEqualTo((short) 0x9FC0);
    assertThat(memory.readShort(0x413)).as("KiB below it").isEqualTo((short) 639);
  }

  /** Translates by 2 MiB pages, insisting on present and writable at each level. */
  private static long walk(GuestMemory memory, long cr3, long address) {
    long table = cr3;
    for (int shift = 39; shift > 21; shift -= 9) {
      long entry = memory.readLong(table + (address >>> shift & 511) * 8);
      assertThat(entry & 0x83).isEqualTo(3);
      table = entry & 0xF_FFFF_FFFF_F000L;
    }
    long page = memory.readLong(table + (address >>> 21 & 511) * 8);
    assertThat(page & 0x83).isEqualTo(0x83);
    return (page & 0xF_FFFF_FFE0_0000L) | (address & 0x1F_FFFF);
  }

  @Test
  void vmlinuxIsLoadedByPvh() throws Exception {
    byte[] bytes = SyntheticKernels.pvhVmlinux(0x2345);
    KernelImage kernel = KernelImage.detect(file("vmlinux", bytes));
    assertThat(kernel).isInstanceOf(PvhLoader.class);
    GuestRamLayout layout = GuestRamLayout.of(64 * MIB, 1);
    GuestMemory memory = ram(layout);
    memory.fill(SyntheticKernels.ELF_LOAD, 0x8000, (byte) 0x55);
    byte[] initrd = SyntheticKernels.payload(5000);
    EntryState entry =
        kernel.load(
            memory,
            layout,
            new BootOptions("quiet", List.of(file("i", initrd)), 0xE_0010, new byte[0], ""));
    assertThat(entry.mode()).isEqualTo(EntryState.Mode.PROTECTED32);
    assertThat(entry.rip()).isEqualTo(SyntheticKernels.PVH_ENTRY);
    assertThat(entry.cr0() & 0x8000_0001L).isEqualTo(1);
    assertThat(memory.readLong(entry.gdtBase() + entry.cs()) >>> 53 & 3)
        .as("D, not L")
        .isEqualTo(2);
    assertThat(memory.readBytes(SyntheticKernels.ELF_LOAD, 0x2345)).isEqualTo(tail(bytes, 0x200));
    assertThat(memory.readBytes(SyntheticKernels.ELF_LOAD + 0x2345, SyntheticKernels.ELF_BSS))
        .containsOnly(0);
    long info = entry.rbx();
    assertThat(memory.readInt(info)).isEqualTo(0x336E_C578);
    assertThat(memory.readInt(info + 12)).isEqualTo(1);
    long module = memory.readLong(info + 16);
    assertThat(memory.readBytes(memory.readLong(module), (int) memory.readLong(module + 8)))
        .isEqualTo(initrd);
    assertThat(text(memory, memory.readLong(info + 24), 19)).isEqualTo("tsc=reliable quiet\0");
    assertThat(memory.readLong(info + 32)).isEqualTo(0xE_0010);
    assertThat(memory.readInt(info + 48)).isEqualTo(layout.e820().size());
    long lastEntry = memory.readLong(info + 40) + 24L * (layout.e820().size() - 1);
    assertThat(memory.readLong(lastEntry)).isEqualTo(MIB);
    assertThat(memory.readLong(lastEntry + 8)).isEqualTo(63 * MIB);
    assertThat(memory.readInt(lastEntry + 16)).isEqualTo(1);
  }

  @Test
  void multibootKernelGetsMemoryMapCommandLineAndModules() throws Exception {
    byte[] bytes = SyntheticKernels.multibootElf32(0x3001, 7);
    KernelImage kernel = KernelImage.detect(file("test.elf", bytes));
    assertThat(kernel).isInstanceOf(MultibootLoader.class);
    GuestRamLayout layout = GuestRamLayout.of(16 * MIB, 1);
    GuestMemory memory = ram(layout);
    byte[] first = SyntheticKernels.payload(10);
    byte[] second = SyntheticKernels.payload(4096);
    EntryState entry =
        kernel.load(
            memory,
            layout,
            new BootOptions(
                "a b", List.of(file("m1", first), file("m2", second)), 0, new byte[0], ""));
    assertThat(entry.rax()).isEqualTo(0x2BAD_B002);
    assertThat(entry.rip()).isEqualTo(SyntheticKernels.ELF_LOAD + 12);
    assertThat(memory.readBytes(SyntheticKernels.ELF_LOAD, 0x3001)).isEqualTo(tail(bytes, 0x100));
    long info = entry.rbx();
    assertThat(memory.readInt(info) & 0x4D).isEqualTo(0x4D);
    assertThat(memory.readInt(info + 4)).isEqualTo(639);
    assertThat(memory.readInt(info + 8)).isEqualTo(15 * 1024);
    assertThat(text(memory, memory.readInt(info + 16), 13)).isEqualTo("test.elf a b\0");
    assertThat(memory.readInt(info + 20)).isEqualTo(2);
    long list = memory.readInt(info + 24);
    long start = memory.readInt(list + 16);
    assertThat(start % 4096).isZero();
    assertThat(memory.readInt(list + 20) - start).isEqualTo(4096);
    assertThat(memory.readBytes(start, 4096)).isEqualTo(second);
    assertThat(memory.readBytes(memory.readInt(list), 10)).isEqualTo(first);
    assertThat(text(memory, memory.readInt(list + 24), 3)).isEqualTo("m2\0");
    assertThat(memory.readInt(info + 44)).isEqualTo(24 * layout.e820().size());
    assertThat(memory.readInt(memory.readInt(info + 48))).isEqualTo(20);
  }

  @Test
  void multibootHeaderMaySayWhatToLoad() throws Exception {
    byte[] bytes = SyntheticKernels.multibootRaw(0x1800);
    GuestRamLayout layout = GuestRamLayout.of(16 * MIB, 1);
    GuestMemory memory = ram(layout);
    memory.fill(SyntheticKernels.ELF_LOAD, 0x8000, (byte) 0x55);
    EntryState entry =
        KernelImage.detect(file("raw", bytes)).load(memory, layout, BootOptions.ofCommandLine(""));
    assertThat(entry.rip()).isEqualTo(SyntheticKernels.ELF_LOAD + 0x30);
    assertThat(memory.readBytes(SyntheticKernels.ELF_LOAD, 0x1800)).isEqualTo(tail(bytes, 16));
    assertThat(memory.readBytes(SyntheticKernels.ELF_LOAD + 0x1800, SyntheticKernels.ELF_BSS))
        .containsOnly(0);
    assertThat(memory.readByte(SyntheticKernels.ELF_LOAD + 0x1800L + SyntheticKernels.ELF_BSS))
        .isEqualTo((byte) 0x55);
  }

  @Test
  void aWholeDistributionKernelIsUnderstood() throws Exception {
    String path = System.getProperty("PLURIBUS_TEST_KERNEL", System.getenv("PLURIBUS_TEST_KERNEL"));
    org.junit.jupiter.api.Assumptions.assumeTrue(
        path != null, "PLURIBUS_TEST_KERNEL (property or variable) names no vmlinuz to parse");
    Path kernelFile = Path.of(path);
    KernelImage kernel = KernelImage.detect(kernelFile);
    assertThat(kernel.describe()).matches("Linux bzImage \\d+\\.\\d+.*");
    GuestRamLayout layout = GuestRamLayout.of(256 * MIB, 2);
    GuestMemory memory = ram(layout);
    EntryState entry = kernel.load(memory, layout, BootOptions.ofCommandLine("console=ttyS0"));
    byte[] bytes = Files.readAllBytes(kernelFile);
    long load = entry.rip() - 0x200;
    int setup = (bytes[0x1F1] + 1) * 512;
    assertThat(load % (2 * MIB)).isZero();
    assertThat(memory.readBytes(load, 1 << 20))
        .isEqualTo(Arrays.copyOfRange(bytes, setup, setup + (1 << 20)));
  }
}
