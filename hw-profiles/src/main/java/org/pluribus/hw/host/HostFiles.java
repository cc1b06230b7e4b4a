package org.pluribus.hw.host;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;

/**
 * What the kernel tells in {@code /proc}, {@code /sys} and {@code /dev}. A file that is not there,
 * or not readable, is empty: kernels differ in what they have.
 *
 * @param root where {@code proc}, {@code sys} and {@code dev} are
 */
record HostFiles(Path root) {
  /** Files of sysctl have to be read at once: whoever reads a byte first gets no second one. */
  private static final int BUFFER_BYTES = 1 << 14;

  /** All lines of a file. */
  List<String> lines(String file) {
    try (InputStream in = Files.newInputStream(root.resolve(file))) {
      ByteArrayOutputStream all = new ByteArrayOutputStream();
      byte[] buffer = new byte[BUFFER_BYTES];
      for (int n = in.read(buffer); n > 0; n = in.read(buffer)) {
        all.write(buffer, 0, n);
      }
      return all.toString(StandardCharsets.UTF_8).lines().toList();
    } catch (IOException e) {
      return List.of();
    }
  }

  /** A file's first line, or what stands for none. */
  String line(String file, String otherwise) {
    List<String> lines = lines(file);
    return lines.isEmpty() ? otherwise : lines.getFirst().strip();
  }

  /** The number that is a file's first line, or what stands for none. */
  long number(String file, long otherwise) {
    try {
      return Long.parseLong(line(file, ""));
    } catch (NumberFormatException e) {
      return otherwise;
    }
  }

  /** The value of the first line {@code key: value}, or what stands for none. */
  String value(String file, String key, String otherwise) {
    for (String line : lines(file)) {
      int colon = line.indexOf(':');
      if (colon > 0 && line.substring(0, colon).strip().equals(key)) {
        return line.substring(colon + 1).strip();
      }
    }
    return otherwise;
  }

  /** Flags of the first processor, as Linux names them. */
  Set<String> cpuFlags() {
    return Set.copyOf(List.of(value("proc/cpuinfo", "flags", "").split(" ")));
  }

  /** Names in a folder, sorted. */
  List<String> names(String folder) {
    try (Stream<Path> files = Files.list(root.resolve(folder))) {
      return files.map(f -> f.getFileName().toString()).sorted().toList();
    } catch (IOException e) {
      return List.of();
    }
  }
}
