package org.pluribus.vmm.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.pluribus.vmm.control.ConfigException;
import org.pluribus.vmm.control.NodeReport;
import org.pluribus.vmm.node.HotPages;
import picocli.CommandLine.Option;

/** The options that list the pages which nodes took from each other most. */
final class HotPagesFile {
  @Option(
      names = "--hot-pages",
      paramLabel = "FILE",
      description = "Lists the pages that nodes took from each other most, and from whom.")
  @Nullable Path file;

  @Option(
      names = "--symbols",
      paramLabel = "FILE",
      description =
          "The guest kernel's System.map or kallsyms: --hot-pages then says what is on the pages. "
              + "Boot the kernel with nokaslr.")
  @Nullable Path symbolFile;

  private KernelSymbols symbols = KernelSymbols.none();

  /** A page of the whole machine. */
  private static final class Page {
    long transfers;
    long bytes;
    final Map<String, Long> pairs = new TreeMap<>();
  }

  /** Looks whether all can be read and written: found out now rather than after the run. */
  void check() throws ConfigException {
    if (symbolFile != null) {
      if (file == null) {
        throw new ConfigException("--symbols is for --hot-pages FILE: give that, too");
      }
      symbols = KernelSymbols.read(symbolFile);
    }
    if (file != null) {
      new ReportFile("--hot-pages", file);
    }
  }

  /** Writes the list, if one is wanted. */
  void write(List<NodeReport> nodes) throws ConfigException {
    if (file == null) {
      return;
    }
    try {
      Files.writeString(file, table(nodes, symbols));
    } catch (IOException e) {
      throw new ConfigException("--hot-pages " + file + " cannot be written: " + e.getMessage());
    }
  }

  /** The list, the hottest page first. */
  static String table(List<NodeReport> nodes, KernelSymbols symbols) {
    Map<Long, Page> pages = new TreeMap<>();
    for (NodeReport node : nodes) {
      for (HotPages.Hot hot : node.hotPages()) {
        Page page = pages.computeIfAbsent(hot.gpa(), gpa -> new Page());
        page.transfers += hot.transfers();
        page.bytes += hot.bytes();
        for (int sender = 0; sender < hot.from().size(); sender++) {
          if (hot.from().get(sender) > 0) {
            page.pairs.put(sender + ">" + hot.node(), (long) hot.from().get(sender));
          }
        }
      }
    }
    StringBuilder text =
        new StringBuilder(
            "%-16s %10s %12s  %-30s %s%n"
                .formatted("GPA", "transfers", "bytes", "from>to:transfers", "symbols"));
    List<Map.Entry<Long, Page>> sorted = new ArrayList<>(pages.entrySet());
    sorted.sort(Comparator.comparingLong(e -> -e.getValue().transfers));
    for (Map.Entry<Long, Page> entry : sorted) {
      Page page = entry.getValue();
      List<String> pairs = new ArrayList<>();
      page.pairs.forEach((pair, count) -> pairs.add(pair + ":" + count));
      text.append(
          "%016x %10d %12d  %-30s %s%n"
              .formatted(
                  entry.getKey(),
                  page.transfers,
                  page.bytes,
                  String.join(" ", pairs),
                  symbols.onPage(entry.getKey())));
    }
    return text.toString();
  }
}
