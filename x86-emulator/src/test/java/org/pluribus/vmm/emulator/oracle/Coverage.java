package org.pluribus.vmm.emulator.oracle;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.pluribus.vmm.emulator.OpcodeRow;

/** Which opcode rows were compared with an oracle how often; written as a table. */
final class Coverage {
  /** What happened to one row. */
  static final class Line {
    int cases;
    int faults;

    /** Cases that failed. */
    int differences;

    /** Cases where the oracle was found wrong. */
    int oracleErrors;

    /** Why there are no cases, or what is wrong with the oracle. */
    @Nullable String note;

    void count(MachineImage outcome) {
      cases++;
      faults += outcome.vector() == MachineImage.NO_FAULT ? 0 : 1;
    }
  }

  private final String oracle;
  private final Map<OpcodeRow, Line> lines = new LinkedHashMap<>();

  Coverage(String oracle) {
    this.oracle = oracle;
  }

  Line of(OpcodeRow row) {
    return lines.computeIfAbsent(row, r -> new Line());
  }

  /** Rows that were neither compared at least once nor excluded with a reason. */
  List<String> missing() {
    List<String> missing = new ArrayList<>();
    lines.forEach((row, line) -> {
      if (line.cases == 0 && line.note == null) {
        missing.add(row.text());
      }
    });
    return missing;
  }

  int cases() {
    return lines.values().stream().mapToInt(line -> line.cases).sum();
  }

  void write(Path file, long seed) throws IOException {
    StringBuilder text = new StringBuilder();
    text.append("Opcode rows compared with %s, seed %d\n\n".formatted(oracle, seed));
    String columns = "%-36s %7s %7s %7s %7s  %s\n";
    text.append(columns.formatted("row", "cases", "faults", "failed", "oracle", "note"));
    text.append(columns.formatted("", "", "", "", "wrong", ""));
    int covered = 0;
    for (Map.Entry<OpcodeRow, Line> entry : lines.entrySet()) {
      Line line = entry.getValue();
      covered += line.cases > 0 ? 1 : 0;
      String note = line.note != null ? line.note : line.cases == 0 ? "MISSING" : "";
      text.append(
          columns.formatted(
              entry.getKey().text(),
              line.cases,
              line.faults,
              line.differences,
              line.oracleErrors,
              note));
    }
    text.append("\n%d rows, %d compared in %d cases\n".formatted(lines.size(), covered, cases()));
    Files.writeString(file, text.toString());
  }
}
