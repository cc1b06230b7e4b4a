package org.pluribus.vmm.cli.demo;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.zip.GZIPOutputStream;

/**
 * Packs the demo's guest: busybox, the script that is its first process, and the result its work
 * must have.
 */
public final class InitramfsBuilder {

  /** Start of the first line the guest's init prints: the kernel is through. */
  public static final String INIT_STARTED = "pluribus-guest: init started";

  /** Start of the last line before power-off if every CPU's result was right. */
  public static final String SUCCESS = "pluribus-guest: all results right";

  /** Kernel parameter that asks for a shell instead of the demo; leaving it powers off. */
  public static final String SHELL_PARAMETER = "pluribus.shell";

  /** What the script calls; busybox looks at the name it is called by. */
  private static final String[] APPLETS = {
    "cat",
    "cttyhack",
    "cut",
    "date",
    "dd",
    "dmesg",
    "echo",
    "env",
    "free",
    "grep",
    "gunzip",
    "gzip",
    "head",
    "ls",
    "mkdir",
    "mount",
    "nproc",
    "poweroff",
    "ps",
    "rm",
    "sed",
    "seq",
    "setsid",
    "sh",
    "sha256sum",
    "sleep",
    "sync",
    "tail",
    "taskset",
    "time",
    "top",
    "uname",
    "uptime",
    "vi",
    "wc",
    "yes"
  };

  /** The work's input is the output of "seq 1 N", about 600 KB: shared by all CPUs. */
  private static final int NUMBERS = 100_000;

  private static final int EXECUTABLE = 0755;
  private static final int READABLE = 0644;
  private static final int CONSOLE_PERMISSIONS = 0600;

  /** Device numbers of /dev/console (Documentation/admin-guide/devices.txt). */
  private static final int CONSOLE_MAJOR = 5;

  private static final int CONSOLE_MINOR = 1;

  private InitramfsBuilder() {}

  /**
   * Writes the initramfs, gzip-compressed; the same busybox gives the same bytes.
   *
   * @param busybox a statically linked busybox
   * @param initramfs file to write
   */
  public static void build(Path busybox, Path initramfs) throws IOException {
    try (OutputStream file = new BufferedOutputStream(Files.newOutputStream(initramfs));
        CpioWriter cpio = new CpioWriter(new GZIPOutputStream(file))) {
      for (String directory : new String[] {"bin", "dev", "proc", "sys", "tmp", "job"}) {
        cpio.directory(directory, EXECUTABLE);
      }
      // The kernel opens it for init's input and output before anything is mounted.
      cpio.characterDevice("dev/console", CONSOLE_PERMISSIONS, CONSOLE_MAJOR, CONSOLE_MINOR);
      cpio.file("bin/busybox", EXECUTABLE, Files.readAllBytes(busybox));
      for (String applet : APPLETS) {
        cpio.link("bin/" + applet, "busybox");
      }
      cpio.file(
          "job/numbers", READABLE, Integer.toString(NUMBERS).getBytes(StandardCharsets.US_ASCII));
      cpio.file("job/sha256", READABLE, expectedHash().getBytes(StandardCharsets.US_ASCII));
      cpio.file("init", EXECUTABLE, initScript());
    }
  }

  private static byte[] initScript() throws IOException {
    try (InputStream script = InitramfsBuilder.class.getResourceAsStream("init.sh")) {
      if (script == null) {
        throw new IOException("init.sh is missing in this jar: build it again");
      }
      return script.readAllBytes();
    }
  }

  /** SHA-256 of the numbers 1 to {@link #NUMBERS}, one on each line. */
  private static String expectedHash() {
    try {
      MessageDigest sha256 = MessageDigest.getInstance("SHA-256");
      for (int i = 1; i <= NUMBERS; i++) {
        sha256.update((i + "\n").getBytes(StandardCharsets.US_ASCII));
      }
      return HexFormat.of().formatHex(sha256.digest());
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }
}
