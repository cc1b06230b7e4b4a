package org.pluribus.vmm.loader;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.pluribus.vmm.memory.GuestMemory;
import org.pluribus.vmm.memory.GuestRamLayout;
import org.pluribus.vmm.memory.SegmentGuestMemory;

/** Every way an image can be wrong ends in one line that names it and the cure. */
class BadImageTest {

  private static final long MIB = 1L << 20;

  @TempDir Path folder;

  private Path file(byte[] bytes) throws IOException {
    return Files.write(folder.resolve("image"), bytes);
  }

  private void assertRefused(byte[] bytes, String... words) throws IOException {
    Path file = file(bytes);
    assertThatThrownBy(() -> KernelImage.detect(file))
        .isInstanceOf(BadImageException.class)
        .hasMessageContainingAll(words)
        .hasMessageContaining(file.toString())
        .hasMessageNotContainingAny("\n");
  }

  private void assertNotLoaded(byte[] bytes, long ramMib, BootOptions options, String... words)
      throws Exception {
    KernelImage kernel = KernelImage.detect(file(bytes));
    GuestRamLayout layout = GuestRamLayout.of(ramMib * MIB, 1);
    try (Arena arena = Arena.ofConfined()) {
      GuestMemory memory = new SegmentGuestMemory(arena.allocate(layout.ramSize()), layout);
      assertThatThrownBy(() -> kernel.load(memory, layout, options))
          .isInstanceOf(BadImageException.class)
          .hasMessageContainingAll(words)
          .hasMessageNotContainingAny("\n");
    }
  }

  @Test
  void filesThatAreNoFiles() throws Exception {
    Path missing = folder.resolve("missing");
    assertThatThrownBy(() -> KernelImage.detect(missing))
        .isInstanceOf(BadImageException.class)
        .hasMessage("kernel " + missing + " does not exist: give --kernel an existing file");
    assertThatThrownBy(() -> KernelImage.detect(folder))
        .isInstanceOf(BadImageException.class)
        .hasMessageContaining("not a regular file");
    assertRefused(new byte[0], "is empty", "fetch it again");
  }

  @Test
  void filesThatAreSomethingElse() throws Exception {
    assertRefused(new byte[] {1}, "is not a kernel", "bzImage");
    assertRefused(
        "#!/bin/sh\n".getBytes(java.nio.charset.StandardCharsets.US_ASCII), "not a kernel");
    assertRefused(new byte[] {0x1F, (byte) 0x8B, 8, 0, 0}, "gunzip");
    assertRefused(new byte[] {0x28, (byte) 0xB5, 0x2F, (byte) 0xFD}, "unzstd");
    assertRefused(new byte[] {(byte) 0xFD, '7', 'z', 'X', 'Z', 0}, "unxz");
    ByteBuffer arm = SyntheticKernels.little(4096);
    arm.putInt(0x38, 0x644D_5241);
    assertRefused(arm.array(), "ARM64", "x86-64");
    ByteBuffer elf = SyntheticKernels.little(4096);
    SyntheticKernels.elfIdentity(elf, 2, 183);
    assertRefused(elf.array(), "another processor");
    SyntheticKernels.elfIdentity(elf, 2, 62);
    assertRefused(elf.array(), "neither a PVH note nor a Multiboot");
    assertRefused(new byte[] {'M', 'Z', 0, 0}, "EFI program");
  }

  @Test
  void bzImagesWeCannotBoot() throws Exception {
    byte[] good = SyntheticKernels.bzImage(0x4000);
    assertRefused(Arrays.copyOf(good, good.length - 16), "is truncated (17392 of 17408 bytes)");
    assertRefused(Arrays.copyOf(good, 0x210), "truncated");
    byte[] old = good.clone();
    old[0x206] = 0x09;
    assertRefused(old, "boot protocol 2.09", "Linux 3.8");
    byte[] narrow = good.clone();
    narrow[0x236] = 0;
    assertRefused(narrow, "32-bit Linux", "amd64");
    byte[] low = good.clone();
    low[0x211] = 0;
    assertRefused(low, "zImage");
    byte[] damaged = good.clone();
    damaged[0x25A] = 0;
    damaged[0x25B] = 0;
    assertRefused(damaged, "damaged setup header");
  }

  @Test
  void aKernelThatDoesNotFit() throws Exception {
    byte[] kernel = SyntheticKernels.bzImage(0x4000);
    BootOptions nothing = BootOptions.ofCommandLine("");
    assertNotLoaded(kernel, 16, nothing, "needs 18 MiB", "has 16", "--memory at least 18M");
    byte[] high = kernel.clone();
    Arrays.fill(high, 0x258, 0x25F, (byte) 0xFF);
    high[0x25F] = 0x7F;
    assertNotLoaded(high, 64, nothing, "--memory");
    assertNotLoaded(SyntheticKernels.pvhVmlinux((int) (4 * MIB)), 4, nothing, "--memory");
    assertNotLoaded(SyntheticKernels.multibootRaw((int) (4 * MIB)), 4, nothing, "--memory");
  }

  @Test
  void anInitrdThatDoesNotFit() throws Exception {
    Path initrd = Files.write(folder.resolve("initrd"), new byte[(int) (20 * MIB)]);
    BootOptions options = new BootOptions("", List.of(initrd), 0, new byte[0], "");
    assertNotLoaded(
        SyntheticKernels.bzImage(0x4000),
        32,
        options,
        "initrd initrd of 20480 KiB",
        "RAM of 32 MiB",
        "--memory at least 40M");
    byte[] nearLimit = SyntheticKernels.bzImage(0x4000);
    ByteBuffer.wrap(nearLimit).order(java.nio.ByteOrder.LITTLE_ENDIAN).putInt(0x22C, 0x1FF_FFFF);
    assertNotLoaded(nearLimit, 64, options, "takes one of at most 14336 KiB");
    assertNotLoaded(SyntheticKernels.multibootRaw(100), 16, options, "--memory more");
    BootOptions missing = new BootOptions("", List.of(folder.resolve("no")), 0, new byte[0], "");
    assertNotLoaded(SyntheticKernels.pvhVmlinux(100), 16, missing, "initrd", "--initrd");
  }

  @Test
  void aCommandLineTheKernelCannotTake() throws Exception {
    byte[] kernel = SyntheticKernels.bzImage(0x4000);
    assertNotLoaded(
        kernel, 64, BootOptions.ofCommandLine("x".repeat(101)), "101 characters", "takes 100");
    assertNotLoaded(kernel, 64, BootOptions.ofCommandLine("a\0b"), "NUL");
  }

  @Test
  void multibootKernelsWeCannotBoot() throws Exception {
    assertRefused(SyntheticKernels.multibootElf32(64, 0x8), "features 0x8", "unknown");
    byte[] wide = SyntheticKernels.multibootElf32(64, 0);
    SyntheticKernels.elfIdentity(
        ByteBuffer.wrap(wide).order(java.nio.ByteOrder.LITTLE_ENDIAN), 2, 62);
    Arrays.fill(wide, 32, 64, (byte) 0);
    assertRefused(wide, "ELF64", "objcopy");
    byte[] raw = Arrays.copyOfRange(wide, 0x100, 0x140);
    assertRefused(raw, "no ELF file");
    byte[] low = SyntheticKernels.multibootRaw(64);
    ByteBuffer.wrap(low)
        .order(java.nio.ByteOrder.LITTLE_ENDIAN)
        .putInt(28, 0x8000)
        .putInt(32, 0x8000);
    assertNotLoaded(low, 16, BootOptions.ofCommandLine(""), "loads at 0x8000", "1 MiB");
  }

  @Test
  void damagedImagesNeverEndInAnythingButOneLine() throws Exception {
    long seed = new Random().nextLong();
    Random random = new Random(seed);
    byte[][] images = {
      SyntheticKernels.bzImage(0x400),
      SyntheticKernels.pvhVmlinux(0x400),
      SyntheticKernels.multibootElf32(0x400, 3),
      SyntheticKernels.multibootRaw(0x400)
    };
    GuestRamLayout layout = GuestRamLayout.of(32 * MIB, 1);
    int refused = 0;
    try (Arena arena = Arena.ofConfined()) {
      GuestMemory memory = new SegmentGuestMemory(arena.allocate(layout.ramSize()), layout);
      for (int n = 0; n < 600; n++) {
        byte[] image = images[n % images.length].clone();
        for (int flips = 1 + random.nextInt(3); flips > 0; flips--) {
          image[random.nextInt(Math.min(image.length, 0x280))] = (byte) random.nextInt(256);
        }
        int length = random.nextInt(4) == 0 ? random.nextInt(image.length) : image.length;
        try {
          KernelImage.detect(file(Arrays.copyOf(image, length)))
              .load(memory, layout, BootOptions.ofCommandLine("x"));
        } catch (BadImageException e) {
          refused++;
          assertThat(e.getMessage()).as("seed %d", seed).doesNotContain("\n");
        } catch (RuntimeException e) {
          throw new AssertionError("seed " + seed + ", image " + n, e);
        }
      }
    }
    assertThat(refused).as("seed %d", seed).isBetween(50, 599);
  }
}
