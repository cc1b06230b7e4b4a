package org.pluribus.coherence.sim;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.pluribus.coherence.CacheState;
import org.pluribus.coherence.MessageType;
import org.pluribus.coherence.sim.Explorer.Scope;
import org.pluribus.coherence.sim.ProtocolCells.Cell;
import org.pluribus.coherence.sim.ProtocolCells.Side;

/** The protocol table: all that the shipped controllers ever do in small clusters. */
public final class ProtocolTable {
  /** Together they meet every event in every state. */
  private static final List<Scope> SCOPES =
      List.of(
          new Scope(2, 1, 2, 1, 0, true, true),
          new Scope(2, 1, 1, 2, 1, true, true),
          new Scope(3, 1, 1, 1, 1, false, true),
          new Scope(2, 1, 2, 1, 0, true, true, 1),
          new Scope(2, 1, 1, 1, 2, false, true, 1),
          new Scope(3, 1, 1, 1, 0, false, true, 1),
          new Scope(2, 1, 1, 2, 0, false, true, 0, 1));

  /** Columns, in the order of the table. */
  private static final List<String> EVENTS =
      List.of(
          "read fault",
          "write fault",
          "FwdGetS",
          "FwdGetM",
          "Inv",
          "Data",
          "DataDelta",
          "DataSparse",
          "Grant",
          "InvAck",
          "revoked",
          "downgraded",
          "used",
          "hold over",
          "unpin",
          "evict",
          "PutAck",
          "PutNack",
          "take",
          "GetS",
          "GetM",
          "Upgrade",
          "Unblock",
          "Put");

  private static final List<String> HOME_ROWS = List.of("untouched", "shared", "owned");

  private static final ProtocolCells CELLS = new ProtocolCells();

  private ProtocolTable() {}

  /** Cells with what happens in them. */
  public static synchronized Map<Cell, Set<String>> cells() {
    if (CELLS.outcomes().isEmpty()) {
      SCOPES.forEach(scope -> Explorer.explore(scope, CELLS));
    }
    return CELLS.outcomes();
  }

  /** Rows of one side, in the order of the table. */
  public static List<String> rows(Side side) {
    Set<String> rows =
        new TreeSet<>(Comparator.comparingInt(ProtocolTable::rank).thenComparing(r -> r));
    cells().keySet().stream().filter(cell -> cell.side() == side).forEach(c -> rows.add(c.state()));
    return List.copyOf(rows);
  }

  private static int rank(String row) {
    String state = row.split(",")[0];
    int home = HOME_ROWS.indexOf(state);
    return home >= 0 ? home : CacheState.valueOf(state).ordinal();
  }

  /** The table as Markdown. */
  public static String markdown() {
    StringBuilder text = new StringBuilder();
    text.append("### A page at a node (`CacheController`)\n\n");
    side(Side.CACHE, text);
    text.append("\n### A page at its home (`DirectoryController`)\n\n");
    side(Side.HOME, text);
    return text.toString();
  }

  private static void side(Side side, StringBuilder text) {
    text.append("| State | Event | What is done → next state, if another |\n|---|---|---|\n");
    for (String row : rows(side)) {
      String shown = "**" + row + "**";
      for (String event : EVENTS) {
        Set<String> outcomes = cells().get(new Cell(side, row, event));
        if (outcomes != null) {
          text.append("| ").append(shown).append(" | ").append(event).append(" | ");
          text.append(String.join("<br>", outcomes)).append(" |\n");
          shown = "";
        }
      }
      String impossible = refused(side, row);
      if (!impossible.isEmpty()) {
        text.append("| | ").append(impossible).append(" | refused |\n");
      }
    }
  }

  private static String refused(Side side, String row) {
    List<String> names = new ArrayList<>();
    for (MessageType type : impossible(side, row)) {
      names.add(ProtocolCells.name(type));
    }
    return String.join(", ", names);
  }

  /** Messages for which there is no room in a state: the empty cells. */
  public static List<MessageType> impossible(Side side, String row) {
    List<MessageType> types = new ArrayList<>();
    for (MessageType type : MessageType.values()) {
      boolean received = type.forDirectory() == (side == Side.HOME);
      if (received && !cells().containsKey(new Cell(side, row, ProtocolCells.name(type)))) {
        types.add(type);
      }
    }
    return types;
  }
}
