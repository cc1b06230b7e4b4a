package org.pluribus.vmm.node;

import java.util.Random;

/**
 * Random SSE and SSE2 instructions whose results the SDM defines: no approximations (RCPPS,
 * RSQRTPS). MXCSR masks all exceptions; rounding and denormals change now and then.
 */
final class SseSnippets {
  private static final int NONE = CodeBytes.NO_PREFIX;
  private static final int P66 = 0x66;
  private static final int PF3 = 0xF3;
  private static final int PF2 = 0xF2;

  /** Two registers, prefix 66 (SDM volume 2, table A-3). */
  private static final int[] PACKED = {
    0x60, 0x61, 0x62, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0x69, 0x6A, 0x6B, 0x6C, 0x6D, 0x74, 0x75,
    0x76, 0xD1, 0xD2, 0xD3, 0xD4, 0xD5, 0xD8, 0xD9, 0xDA, 0xDB, 0xDC, 0xDD, 0xDE, 0xDF, 0xE0, 0xE1,
    0xE2, 0xE3, 0xE4, 0xE5, 0xE8, 0xE9, 0xEA, 0xEB, 0xEC, 0xED, 0xEE, 0xEF, 0xF1, 0xF2, 0xF3, 0xF4,
    0xF5, 0xF6, 0xF8, 0xF9, 0xFA, 0xFB, 0xFC, 0xFD, 0xFE
  };

  /** SQRT, ADD, MUL, SUB, MIN, DIV, MAX, in all four forms. */
  private static final int[] ARITHMETIC = {0x51, 0x58, 0x59, 0x5C, 0x5D, 0x5E, 0x5F};

  /** AND, ANDN, OR, XOR, UNPCKL, UNPCKH, in both packed forms. */
  private static final int[] LOGIC = {0x54, 0x55, 0x56, 0x57, 0x14, 0x15};

  private static final int[] SHIFT_GROUPS = {0x71, 0x72, 0x73};

  /** All exceptions masked. */
  private static final int MXCSR_MASKS = 0x1F80;

  private static final int ROUNDING_SHIFT = 13;
  private static final int FLUSH_TO_ZERO = 1 << 15;
  private static final int DENORMALS_ARE_ZEROS = 1 << 6;

  private final Random random;
  private final CodeBytes code;
  private final IntegerSnippets integers;

  SseSnippets(Random random, CodeBytes code, IntegerSnippets integers) {
    this.random = random;
    this.code = code;
    this.integers = integers;
  }

  private int below(int bound) {
    return random.nextInt(bound);
  }

  private int pick(int... values) {
    return values[below(values.length)];
  }

  private int xmm() {
    return below(16);
  }

  void next() {
    switch (below(12)) {
      case 0, 1 -> packed();
      case 2 -> shuffle();
      case 3 -> shift();
      case 4 -> betweenKinds();
      case 5, 6, 7 -> arithmetic();
      case 8 -> logic();
      case 9 -> convert();
      case 10 -> compare();
      default -> loadAndStore();
    }
  }

  private void packed() {
    int op = pick(PACKED);
    if (below(4) == 0) {
      code.sseMemory(P66, op, xmm(), integers.place(16));
    } else {
      code.sse(P66, op, xmm(), xmm(), false);
    }
  }

  private void shuffle() {
    int immediate = below(256);
    switch (below(4)) {
      case 0 -> code.sse(pick(P66, PF2, PF3), 0x70, xmm(), xmm(), false);
      case 1 -> code.sse(pick(NONE, P66), 0xC6, xmm(), xmm(), false);
      case 2 -> code.sse(P66, 0xC4, xmm(), integers.register(), false);
      default -> code.sse(P66, 0xC5, integers.register(), xmm(), false);
    }
    code.raw(immediate);
  }

  private void shift() {
    int group = pick(SHIFT_GROUPS);
    int operation = group == 0x73 ? pick(2, 3, 6, 7) : pick(2, 4, 6);
    code.sse(P66, group, operation, xmm(), false).raw(below(80));
  }

  private void betweenKinds() {
    switch (below(5)) {
      case 0 -> code.sse(P66, 0x6E, xmm(), integers.register(), random.nextBoolean());
      case 1 -> code.sse(P66, 0x7E, xmm(), integers.register(), random.nextBoolean());
      case 2 -> code.sse(P66, 0xD7, integers.register(), xmm(), false);
      case 3 -> code.sse(pick(NONE, P66), 0x50, integers.register(), xmm(), false);
      default -> code.sse(NONE, pick(0x12, 0x16), xmm(), xmm(), false);
    }
  }

  private void arithmetic() {
    int op = pick(ARITHMETIC);
    int prefix = pick(NONE, P66, PF2, PF3);
    if (below(4) == 0) {
      code.sseMemory(prefix, op, xmm(), integers.place(16));
    } else {
      code.sse(prefix, op, xmm(), xmm(), false);
    }
  }

  private void logic() {
    code.sse(pick(NONE, P66), pick(LOGIC), xmm(), xmm(), false);
  }

  private void convert() {
    int prefix = pick(PF2, PF3);
    boolean wide = random.nextBoolean();
    switch (below(5)) {
      case 0 -> code.sse(pick(NONE, P66, PF2, PF3), 0x5A, xmm(), xmm(), false);
      case 1 -> code.sse(pick(NONE, P66, PF3), 0x5B, xmm(), xmm(), false);
      case 2 -> code.sse(pick(P66, PF2, PF3), 0xE6, xmm(), xmm(), false);
      case 3 -> code.sse(prefix, 0x2A, xmm(), integers.register(), wide);
      default -> code.sse(prefix, pick(0x2C, 0x2D), integers.register(), xmm(), wide);
    }
  }

  private void compare() {
    if (below(2) == 0) {
      code.sse(pick(NONE, P66), pick(0x2E, 0x2F), xmm(), xmm(), false);
      integers.allDefined();
    } else {
      code.sse(pick(NONE, P66, PF2, PF3), 0xC2, xmm(), xmm(), false).raw(below(8));
    }
  }

  private void loadAndStore() {
    switch (below(6)) {
      case 0 -> code.sseMemory(PF3, pick(0x6F, 0x7F), xmm(), integers.place(1));
      case 1 -> code.sseMemory(P66, pick(0x6F, 0x7F), xmm(), integers.place(16));
      case 2 -> code.sseMemory(pick(PF2, PF3), pick(0x10, 0x11), xmm(), integers.place(1));
      case 3 ->
          code.sseMemory(pick(NONE, P66), pick(0x12, 0x13, 0x16, 0x17), xmm(), integers.place(1));
      case 4 -> code.sseMemory(NONE, 0xAE, 3, integers.place(4)); // STMXCSR
      default -> {
        int place = integers.place(4);
        int value = MXCSR_MASKS | below(4) << ROUNDING_SHIFT;
        value |=
            pick(0, 0, FLUSH_TO_ZERO, DENORMALS_ARE_ZEROS, FLUSH_TO_ZERO | DENORMALS_ARE_ZEROS);
        code.memory(4, 0xC7, 0, place).number(value, 4);
        code.sseMemory(NONE, 0xAE, 2, place); // LDMXCSR
      }
    }
  }
}
