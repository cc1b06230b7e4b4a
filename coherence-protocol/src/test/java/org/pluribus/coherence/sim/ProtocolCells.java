package org.pluribus.coherence.sim;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.pluribus.coherence.CacheController;
import org.pluribus.coherence.CacheState;
import org.pluribus.coherence.CoherenceMessage;
import org.pluribus.coherence.DirectoryController;
import org.pluribus.coherence.MessageType;

/**
 * The cells of the protocol table, noted while controllers run: in which state a page met which
 * event, what the controller did, and the state after.
 */
public final class ProtocolCells {
  /** Which controller a cell belongs to. */
  public enum Side {
    /** {@link CacheController}. */
    CACHE,
    /** {@link DirectoryController}. */
    HOME
  }

  /** A row and a column of the table. */
  public record Cell(Side side, String state, String event) implements Comparable<Cell> {
    @Override
    public int compareTo(Cell other) {
      int bySide = side.compareTo(other.side);
      int byState = bySide != 0 ? bySide : state.compareTo(other.state);
      return byState != 0 ? byState : event.compareTo(other.event);
    }
  }

  /** By ordinal. */
  private static final String[] NAMES =
      Arrays.stream(MessageType.values()).map(ProtocolCells::inWords).toArray(String[]::new);

  private record Open(Cell cell, List<String> effects) {}

  private final Map<Cell, Set<String>> outcomes = new TreeMap<>();

  /** Events under way, as the node may call its controller from inside an effect. */
  private final Deque<Open> open = new ArrayDeque<>();

  /** An event is about to meet a controller. */
  public void begin(Side side, String state, String event) {
    open.push(new Open(new Cell(side, state, event), new ArrayList<>()));
  }

  /** The controller does something. */
  public void effect(String what) {
    if (!open.isEmpty()) {
      List<String> effects = open.peek().effects;
      if (effects.isEmpty() || !effects.getLast().equals(what)) { // Several Inv are one entry.
        effects.add(what);
      }
    }
  }

  /** The controller sends a message. */
  public void sent(CoherenceMessage message) {
    StringBuilder what = new StringBuilder("send ").append(name(message.type));
    if (message.has(CoherenceMessage.ZERO)) {
      what.append(" zero");
    }
    if (message.type == MessageType.GRANT && message.has(CoherenceMessage.EXCLUSIVE)) {
      what.append(" exclusive");
    }
    effect(what.toString());
  }

  /** The call returned. */
  public void end(String stateAfter) {
    Open done = open.pop();
    String next = done.cell.state.equals(stateAfter) ? "" : " → " + stateAfter;
    String does = done.effects.isEmpty() ? "" : String.join(", ", done.effects);
    String outcome = does + next;
    outcomes
        .computeIfAbsent(done.cell, cell -> new TreeSet<>())
        .add(outcome.isEmpty() ? "nothing" : outcome.strip());
  }

  /** All that was noted. */
  public Map<Cell, Set<String>> outcomes() {
    return outcomes;
  }

  /** The row of a page at a node: its state, and how far giving it up has come. */
  public static String row(CacheController cache, long page) {
    CacheState state = cache.state(page);
    String all = cache.describe(page);
    String leaving =
        all.contains("DEFERRED")
            ? ", deferred"
            : all.contains("REVOKING")
                ? ", revoking"
                : all.contains("DOWNGRADING") ? ", downgrading" : "";
    String put =
        all.contains("offered") ? ", put" : all.contains("to PUT_ACK") ? ", put acked" : "";
    return state + put + leaving;
  }

  /** The row of a page at its home. */
  public static String row(DirectoryController home, long page) {
    String busy = home.busy(page) ? (home.waiting(page) > 0 ? ", busy, some wait" : ", busy") : "";
    String kind = !home.touched(page) ? "untouched" : home.owner(page) >= 0 ? "owned" : "shared";
    return kind + busy;
  }

  /** A message's name as in the literature: FwdGetS. */
  public static String name(MessageType type) {
    return NAMES[type.ordinal()];
  }

  private static String inWords(MessageType type) {
    StringBuilder name = new StringBuilder();
    for (String word : type.name().split("_")) {
      name.append(word.charAt(0)).append(word.substring(1).toLowerCase(Locale.ROOT));
    }
    return name.toString();
  }
}
