package org.pluribus.vmm.cli.demo;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class InitramfsBuilderTest {

  @TempDir Path folder;

  private record Entry(int mode, int major, int minor, byte[] content) {}

  /** Unpacks as Linux's init/initramfs.c does: by the header's fields only. */
  private static Map<String, Entry> unpack(byte[] cpio) {
    Map<String, Entry> entries = new LinkedHashMap<>();
    int at = 0;
    while (true) {
      assertThat(at % 4).isZero();
      assertThat(new String(cpio, at, 6, StandardCharsets.US_ASCII)).isEqualTo("070701");
      int[] field = new int[13];
      for (int i = 0; i < field.length; i++) {
        String hex = new String(cpio, at + 6 + i * 8, 8, StandardCharsets.US_ASCII);
        field[i] = Integer.parseUnsignedInt(hex, 16);
      }
      String name = new String(cpio, at + 110, field[11] - 1, StandardCharsets.US_ASCII);
      assertThat(cpio[at + 110 + field[11] - 1]).isZero();
      int content = at + 110 + field[11] + 3 & -4;
      if (name.equals("TRAILER!!!")) {
        assertThat(content).isEqualTo(cpio.length);
        return entries;
      }
      entries.put(
          name,
          new Entry(
              field[1],
              field[9],
              field[10],
              Arrays.copyOfRange(cpio, content, content + field[6])));
      at = content + field[6] + 3 & -4;
    }
  }

  private Map<String, Entry> build(byte[] busybox) throws IOException {
    Path file = Files.write(folder.resolve("busybox"), busybox);
    Path initramfs = folder.resolve("initramfs.gz");
    InitramfsBuilder.build(file, initramfs);
    byte[] packed = Files.readAllBytes(initramfs);
    InitramfsBuilder.build(file, initramfs);
    assertThat(Files.readAllBytes(initramfs)).as("reproducible").isEqualTo(packed);
    return unpack(new GZIPInputStream(new ByteArrayInputStream(packed)).readAllBytes());
  }

  private static Entry get(Map<String, Entry> entries, String name) {
    return Objects.requireNonNull(entries.get(name), name);
  }

  @Test
  void holdsBusyboxItsNamesAndTheConsole() throws Exception {
    byte[] busybox = {1, 2, 3, 4, 5};
    Map<String, Entry> entries = build(busybox);
    assertThat(get(entries, "bin/busybox").content()).isEqualTo(busybox);
    assertThat(get(entries, "bin/busybox").mode()).isEqualTo(0100755);
    assertThat(get(entries, "bin/sh").mode()).isEqualTo(0120777);
    assertThat(get(entries, "bin/sh").content()).asString().isEqualTo("busybox");
    Entry console = get(entries, "dev/console");
    assertThat(console.mode()).isEqualTo(0020600);
    assertThat(console.major()).isEqualTo(5);
    assertThat(console.minor()).isEqualTo(1);
    assertThat(get(entries, "init").mode()).isEqualTo(0100755);
    assertThat(entries.keySet())
        .filteredOn(name -> name.contains("/"))
        .allSatisfy(name -> assertThat(entries).containsKey(name.substring(0, name.indexOf('/'))));
  }

  @Test
  void everyCommandOfTheScriptIsThereAndItsMessagesAreTheOnesAnnounced() throws Exception {
    Map<String, Entry> entries = build(new byte[] {1});
    String script = new String(get(entries, "init").content(), StandardCharsets.UTF_8);
    for (String command :
        "mount cut grep setsid cttyhack sh poweroff uname nproc sed cat seq taskset sha256sum gzip gunzip"
            .split(" ")) {
      assertThat(script).contains(command);
      assertThat(entries).containsKey("bin/" + command);
    }
    assertThat(script).contains(InitramfsBuilder.SHELL_PARAMETER);
    String prefix = "pluribus-guest: ";
    assertThat(InitramfsBuilder.INIT_STARTED).startsWith(prefix);
    assertThat(script)
        .contains("say \"" + InitramfsBuilder.INIT_STARTED.substring(prefix.length()))
        .contains("say \"" + InitramfsBuilder.SUCCESS.substring(prefix.length()));
  }

  @Test
  void theShellUnderstandsTheScriptAndTheExpectedHashIsRight() throws Exception {
    Map<String, Entry> entries = build(new byte[] {1});
    Path script = Files.write(folder.resolve("init"), get(entries, "init").content());
    assertThat(new ProcessBuilder("sh", "-n", script.toString()).inheritIO().start().waitFor())
        .isZero();
    String numbers = new String(get(entries, "job/numbers").content(), StandardCharsets.US_ASCII);
    Process process = new ProcessBuilder("sh", "-c", "seq 1 " + numbers + " | sha256sum").start();
    String hash = new String(process.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
    assertThat(new String(get(entries, "job/sha256").content(), StandardCharsets.US_ASCII))
        .isEqualTo(hash.substring(0, 64));
  }
}
