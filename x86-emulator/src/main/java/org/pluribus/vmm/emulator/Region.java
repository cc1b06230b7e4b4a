package org.pluribus.vmm.emulator;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.NavigableMap;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * What is compiled together: the decoded code of one page that a hot block reaches by jumps,
 * branches, fall-through and returns from calls. Regions never span pages, so that whatever makes
 * one of its blocks invalid makes the page's blocks invalid.
 */
final class Region {
  /** Target offset of a block that has no such successor in its page. */
  static final int NOWHERE = -1;

  /**
   * Code without a branch at its end inside: as a rule cut where other code of the region begins.
   */
  static final class Node {
    final int offset;
    final Insn[] insns;
    final NativeForm @Nullable [] forms;

    /** Offset of the first byte after the last instruction. */
    final int end;

    /** Edges of the region that lead here; entries from outside count as many. */
    int incoming;

    private Node(int offset, Insn[] insns, int end) {
      this.offset = offset;
      this.insns = insns;
      this.end = end;
      forms = new NativeForm[insns.length];
      for (int n = 0; n < insns.length; n++) {
        forms[n] = NativeForm.of(insns[n]);
      }
    }

    Insn last() {
      return insns[insns.length - 1];
    }

    @Nullable NativeForm lastForm() {
      return forms[forms.length - 1];
    }

    /** Offset a direct branch at the end goes to; may lie outside the page. */
    long branchOffset() {
      return end + last().imm;
    }

    /** Whether control goes on at {@link #end}, at once or when a call returns. */
    boolean goesOn() {
      return lastForm() != NativeForm.JMP && lastForm() != NativeForm.RET;
    }

    boolean branchesDirectly() {
      return (lastForm() == NativeForm.JMP || lastForm() == NativeForm.JCC)
          && last().kind[0] == Insn.REL;
    }
  }

  final CodePage page;

  /** The region's code by offset in the page. */
  final NavigableMap<Integer, Node> nodes;

  /** Offsets at which the region can be entered, the hot block's first. */
  final List<Integer> entries;

  private Region(CodePage page, NavigableMap<Integer, Node> nodes, List<Integer> entries) {
    this.page = page;
    this.nodes = nodes;
    this.entries = entries;
  }

  /**
   * Collects the region around the block at {@code offset}: only blocks that did run a number of
   * times, for the others are not worth compiling.
   *
   * @param maxInsns instructions after which no more blocks are added
   * @param minHeat runs below which a decoded block is too rare to be worth it
   * @return null when the block is gone
   */
  static @Nullable Region around(CodePage page, int offset, int maxInsns, int minHeat) {
    TreeMap<Integer, Node> whole = new TreeMap<>();
    ArrayDeque<Integer> queue = new ArrayDeque<>();
    queue.add(offset);
    int total = 0;
    while (!queue.isEmpty() && total < maxInsns) {
      int at = queue.remove();
      Block b = whole.containsKey(at) ? null : page.find(CodePage.widthIndex(64), at);
      if (b == null || b.crossingBytes != null || (at != offset && rare(b, minHeat))) {
        continue;
      }
      Node node = new Node(at, b.insns, at + b.bytes);
      whole.put(at, node);
      total += b.insns.length;
      if (node.branchesDirectly() && inPage(node.branchOffset())) {
        queue.add((int) node.branchOffset());
      }
      if (node.goesOn() && inPage(node.end)) {
        queue.add(node.end);
      }
    }
    if (!whole.containsKey(offset)) {
      return null;
    }
    Region r = new Region(page, cut(whole), new ArrayList<>());
    r.connect(offset);
    return r;
  }

  /** Negative heat means that the block was hot enough to be compiled itself. */
  private static boolean rare(Block b, int minHeat) {
    return b.heat >= 0 && b.heat < minHeat;
  }

  private static boolean inPage(long offset) {
    return offset >= 0 && offset < CpuMemory.PAGE_SIZE;
  }

  /** Ends each node where another one begins on one of its instruction boundaries. */
  private static TreeMap<Integer, Node> cut(TreeMap<Integer, Node> whole) {
    TreeMap<Integer, Node> nodes = new TreeMap<>();
    for (Node n : whole.values()) {
      int at = n.offset;
      int count = 0;
      while (count < n.insns.length && (count == 0 || !whole.containsKey(at))) {
        at += n.insns[count++].length;
      }
      nodes.put(
          n.offset,
          count == n.insns.length
              ? n
              : new Node(n.offset, java.util.Arrays.copyOf(n.insns, count), at));
    }
    return nodes;
  }

  /** Counts edges and chooses the entries. */
  private void connect(int first) {
    TreeSet<Integer> outside = new TreeSet<>();
    for (Node n : nodes.values()) {
      if (n.branchesDirectly()) {
        enter(n.branchOffset());
      }
      if (n.goesOn()) {
        enter(n.end);
        boolean comesBack = n.lastForm() == NativeForm.CALL || n.lastForm() == null;
        if (comesBack && n.last().row.endsBlock && nodes.containsKey(n.end)) {
          outside.add(n.end);
        }
      }
    }
    outside.remove(first);
    entries.add(first);
    entries.addAll(outside);
    for (int e : entries) {
      Node n = at(e);
      if (n != null) {
        n.incoming += 2;
      }
    }
  }

  private void enter(long offset) {
    Node n = inPage(offset) ? at((int) offset) : null;
    if (n != null) {
      n.incoming++;
    }
  }

  @Nullable Node at(long offset) {
    return inPage(offset) ? nodes.get((int) offset) : null;
  }

  /** Registers that the region keeps in JVM locals. */
  int registersUsed() {
    int set = 0;
    for (Node n : nodes.values()) {
      for (int k = 0; k < n.insns.length; k++) {
        if (n.forms[k] != null) {
          set |= RegisterUse.touched(n.insns[k]);
        }
      }
    }
    return set;
  }

  /** Those of {@link #registersUsed} that change in the locals. */
  int registersWritten() {
    int set = 0;
    for (Node n : nodes.values()) {
      for (int k = 0; k < n.insns.length; k++) {
        if (n.forms[k] != null) {
          set |= RegisterUse.written(n.insns[k]);
        }
      }
    }
    return set;
  }
}
