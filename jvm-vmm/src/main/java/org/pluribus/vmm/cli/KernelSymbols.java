package org.pluribus.vmm.cli;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.pluribus.vmm.control.ConfigException;

/**
 * What a Linux kernel has where in guest-physical memory, by its {@code System.map} or its {@code
 * /proc/kallsyms}: lines of address, type and name.
 *
 * <p>The kernel's image is mapped from {@link #IMAGE_MAP} on, at physical address 0 there ({@code
 * __START_KERNEL_map}, arch/x86/include/asm/page_64_types.h), unless the kernel has put itself
 * elsewhere: it has to be booted with {@code nokaslr}.
 */
final class KernelSymbols {
  private static final long IMAGE_MAP = 0xffffffff80000000L;

  /** Modules are mapped from here on, wherever their pages are (MODULES_VADDR). */
  private static final long IMAGE_END = 0xffffffffa0000000L;

  private static final long PAGE_BYTES = 4096;

  /** Symbols of one page that are named. */
  private static final int NAMED = 4;

  /** A symbol this far below a page says nothing about it: the image may have ended. */
  private static final long MAX_DISTANCE = 1 << 20;

  private static final int FIELDS = 3;
  private static final int HEX = 16;

  private final TreeMap<Long, String> byAddress;

  private KernelSymbols(TreeMap<Long, String> byAddress) {
    this.byAddress = byAddress;
  }

  /** No symbols: pages have no names. */
  static KernelSymbols none() {
    return new KernelSymbols(new TreeMap<>());
  }

  /**
   * Reads a file.
   *
   * @throws ConfigException if it cannot be read, or has no address in the kernel's image
   */
  static KernelSymbols read(Path file) throws ConfigException {
    TreeMap<Long, String> found = new TreeMap<>();
    try (Stream<String> lines = Files.lines(file, StandardCharsets.ISO_8859_1)) {
      lines.forEach(line -> add(line, found));
    } catch (NoSuchFileException e) {
      throw new ConfigException("--symbols " + file + ": there is no such file");
    } catch (IOException | java.io.UncheckedIOException e) {
      throw new ConfigException("--symbols " + file + ": cannot be read: " + e.getMessage());
    }
    if (found.isEmpty()) {
      throw new ConfigException(
          "--symbols "
              + file
              + ": has no address of a kernel's image; give its System.map, or /proc/kallsyms as the"
              + " guest's root reads it");
    }
    return new KernelSymbols(found);
  }

  private static void add(String line, Map<Long, String> found) {
    String[] fields = line.split("\\s+", FIELDS + 1);
    if (fields.length < FIELDS || fields[0].length() != HEX) {
      return;
    }
    try {
      long address = Long.parseUnsignedLong(fields[0], HEX);
      boolean inImage =
          Long.compareUnsigned(address, IMAGE_MAP) >= 0
              && Long.compareUnsigned(address, IMAGE_END) < 0;
      if (inImage) {
        found.putIfAbsent(address - IMAGE_MAP, fields[2]);
      }
    } catch (NumberFormatException e) {
      // a line of something else
    }
  }

  /** What is on a page, in words; "-" if nothing is known. */
  String onPage(long gpa) {
    List<String> names = new ArrayList<>();
    Map.Entry<Long, String> before = byAddress.floorEntry(gpa);
    if (before != null && before.getKey() < gpa && gpa - before.getKey() < MAX_DISTANCE) {
      names.add("%s+0x%x".formatted(before.getValue(), gpa - before.getKey()));
    }
    Map<Long, String> inside = byAddress.subMap(gpa, gpa + PAGE_BYTES);
    inside.values().stream().limit(NAMED).forEach(names::add);
    if (inside.size() > NAMED) {
      names.add("%d more".formatted(inside.size() - NAMED));
    }
    return names.isEmpty() ? "-" : String.join(", ", names);
  }
}
