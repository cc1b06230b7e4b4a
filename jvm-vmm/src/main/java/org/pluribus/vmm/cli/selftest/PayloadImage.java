package org.pluribus.vmm.cli.selftest;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;

/** The ELF file with all payloads, as a file that the loader can read while this is open. */
public final class PayloadImage implements AutoCloseable {
  private static final String RESOURCE = "payloads.elf";

  private final Path file;

  private PayloadImage(Path file) {
    this.file = file;
  }

  /** Unpacks the image into a temporary file. */
  public static PayloadImage unpack() throws IOException {
    Path file = Files.createTempFile("pluribus-payloads", ".elf");
    try (InputStream in = PayloadImage.class.getResourceAsStream(RESOURCE)) {
      if (in == null) {
        throw new IOException(RESOURCE + " is not in this build: build it with Maven");
      }
      Files.copy(in, file, StandardCopyOption.REPLACE_EXISTING);
      return new PayloadImage(file);
    } catch (IOException e) {
      Files.deleteIfExists(file);
      throw e;
    }
  }

  public Path file() {
    return file;
  }

  @Override
  public void close() throws IOException {
    Files.deleteIfExists(file);
  }
}
