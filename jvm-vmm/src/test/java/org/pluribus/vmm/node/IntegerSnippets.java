package org.pluribus.vmm.node;

import java.util.Random;

/**
 * Random integer instructions whose every result the SDM defines. Flags that an instruction leaves
 * undefined are kept account of, and defined by a comparison before anything reads them.
 *
 * <p>RSP is the stack's, R14 counts rounds, R15 points to memory; all else is operands.
 */
final class IntegerSnippets {
  static final int RSP = 4;
  static final int R14 = 14;

  /** Bytes behind R15 that instructions use: two pages, so that some accesses cross. */
  static final int MEMORY_BYTES = 0x2000;

  private static final int CF = 1;
  private static final int PF = 1 << 2;
  private static final int AF = 1 << 4;
  private static final int ZF = 1 << 6;
  private static final int SF = 1 << 7;
  private static final int OF = 1 << 11;
  private static final int ALL = CF | PF | AF | ZF | SF | OF;

  private static final int LOCK = 0xF0;
  private static final int LONGEST_OPERAND = 16;
  private static final int LONGEST_STRING = 40;

  // Rows of the opcode map (SDM volume 2, appendix A).
  private static final int ADC = 2;
  private static final int SBB = 3;
  private static final int CMP = 7;
  private static final int CMP_RM_R = 0x39;

  private final Random random;
  private CodeBytes code;

  /** Flags that nothing may read now. */
  private int undefined;

  IntegerSnippets(Random random, CodeBytes code) {
    this.random = random;
    this.code = code;
  }

  private int below(int bound) {
    return random.nextInt(bound);
  }

  private int pick(int... values) {
    return values[below(values.length)];
  }

  /** A general register that may be changed. */
  int register() {
    return pick(0, 1, 2, 3, 5, 6, 7, 8, 9, 10, 11, 12, 13);
  }

  /** Where an operand of so many bytes may lie, at a multiple of {@code alignment}. */
  int place(int alignment) {
    return below(MEMORY_BYTES - LONGEST_OPERAND) & -alignment;
  }

  private int size() {
    return pick(1, 2, 4, 8, 8, 8);
  }

  private int wideSize() {
    return pick(2, 4, 8);
  }

  /** Sees to it that these flags may be read. */
  private void need(int flags) {
    if ((undefined & flags) != 0) {
      code.registers(8, CMP_RM_R, register(), register());
      undefined = 0;
    }
  }

  /** All flags are defined from here on. */
  void defineFlags() {
    need(ALL);
  }

  /** An instruction elsewhere has set all flags. */
  void allDefined() {
    undefined = 0;
  }

  /** One instruction, or a few that belong together. */
  void next() {
    switch (below(18)) {
      case 0, 1, 2 -> arithmetic();
      case 3 -> unary();
      case 4 -> moves();
      case 5 -> exchanges();
      case 6, 7 -> shift();
      case 8 -> doubleShift();
      case 9 -> multiply();
      case 10 -> divide();
      case 11 -> bits();
      case 12 -> conditions();
      case 13 -> flags();
      case 14 -> stack();
      case 15 -> strings();
      case 16 -> compareExchange();
      default -> jump();
    }
  }

  private void arithmetic() {
    int op = below(8);
    if (op == ADC || op == SBB) {
      need(CF);
    }
    int size = size();
    int wide = size == 1 ? 0 : 1;
    switch (below(6)) {
      case 0 -> code.registers(size, op << 3 | wide, register(), register());
      case 1 -> code.memory(size, op << 3 | 2 | wide, register(), place(1));
      case 2 -> code.memory(size, op << 3 | wide, register(), place(1));
      case 3 -> {
        if (op != CMP) {
          code.raw(LOCK);
        }
        code.memory(size, op << 3 | wide, register(), place(8));
      }
      case 4 ->
          code.registers(wide == 0 ? 1 : size, 0x80 | 3 * wide, op, register()).raw(below(256));
      default -> code.registers(8, 0x81, op, register()).number(random.nextInt(), 4);
    }
    boolean logic = op == 1 || op == 4 || op == 6;
    undefined = logic ? AF : 0;
  }

  private void unary() {
    int size = size();
    int wide = size == 1 ? 0 : 1;
    switch (below(4)) {
      case 0 -> {
        code.registers(size, 0xFE | wide, below(2), register()); // INC, DEC
        undefined &= CF;
      }
      case 1 -> {
        code.registers(size, 0xF6 | wide, 3, register()); // NEG
        undefined = 0;
      }
      case 2 -> code.registers(size, 0xF6 | wide, 2, register()); // NOT
      default -> {
        code.registers(size, 0x84 | wide, register(), register()); // TEST
        undefined = AF;
      }
    }
  }

  private void moves() {
    int r = register();
    switch (below(7)) {
      case 0 -> code.raw(0x48 | r >> 3, 0xB8 | r & 7).number(random.nextLong(), 8);
      case 1 -> code.registers(size(), 0x89, r, register());
      case 2 -> code.memory(wideSize(), 0x8B, r, place(1));
      case 3 -> code.memory(wideSize(), 0x89, r, place(1));
      case 4 -> code.registers(wideSize(), 0x0F00 | pick(0xB6, 0xB7, 0xBE, 0xBF), r, register());
      case 5 -> code.registers(8, 0x63, r, register()); // MOVSXD
      default -> {
        // LEA r, [base + index * scale + disp8]
        int base = register();
        int index = register();
        code.raw(0x48 | r >> 3 << 2 | index >> 3 << 1 | base >> 3, 0x8D, 0x44 | (r & 7) << 3);
        code.raw(below(4) << 6 | (index & 7) << 3 | base & 7, below(256));
      }
    }
  }

  private void exchanges() {
    int r = register();
    switch (below(5)) {
      case 0 -> code.registers(wideSize(), 0x87, r, register());
      case 1 -> code.memory(8, 0x87, r, place(8)); // XCHG with memory locks by itself
      case 2 -> code.raw(0x48 | r >> 3, 0x0F, 0xC8 | r & 7); // BSWAP
      case 3 -> code.registers(1, 0x86, register(), r);
      default -> code.raw(0x88, 0xC0 | below(4) << 3 | 4 + below(4)); // MOV AH..BH, AL..BL
    }
  }

  private void shift() {
    int size = size();
    int wide = size == 1 ? 0 : 1;
    int operation = pick(0, 1, 2, 3, 4, 5, 7);
    boolean rotation = operation < 4;
    boolean throughCarry = operation == 2 || operation == 3;
    if (below(3) == 0) {
      need(ALL); // a count of 0 changes no flag
      code.registers(size, 0xD2 | wide, operation, register());
      undefined = rotation ? OF : AF | OF | CF;
      return;
    }
    if (throughCarry) {
      need(CF);
    }
    int immediate = below(256);
    code.registers(size, 0xC0 | wide, operation, register()).raw(immediate);
    int count = immediate & (size == 8 ? 63 : 31);
    if (count == 0) {
      return;
    }
    int overflow = count == 1 ? 0 : OF;
    if (rotation) {
      undefined = undefined & ~(CF | OF) | overflow;
    } else {
      undefined = AF | overflow | (count >= 8 * size && operation != 7 ? CF : 0);
    }
  }

  /** SHLD, SHRD; counts beyond 16 bits have no defined result. */
  private void doubleShift() {
    int size = pick(4, 8);
    int immediate = below(256);
    code.registers(size, pick(0x0FA4, 0x0FAC), register(), register()).raw(immediate);
    int count = immediate & (size == 8 ? 63 : 31);
    if (count != 0) {
      undefined = AF | (count == 1 ? 0 : OF);
    }
  }

  private void multiply() {
    int size = wideSize();
    switch (below(4)) {
      case 0 -> code.registers(size, 0xF7, pick(4, 5), register());
      case 1 -> code.registers(1, 0xF6, pick(4, 5), register());
      case 2 -> code.registers(size, 0x0FAF, register(), register());
      default -> code.registers(8, 0x69, register(), register()).number(random.nextInt(), 4);
    }
    undefined = SF | ZF | AF | PF;
  }

  /** Dividends and divisors that give a quotient. */
  private void divide() {
    int size = pick(4, 8);
    int divisor = pick(1, 3, 6, 8, 13);
    if (below(2) == 0) {
      code.registers(8, 0x83, 1, divisor).raw(1); // OR: not zero
      code.registers(4, 0x31, 2, 2); // XOR EDX, EDX
      code.registers(size, 0xF7, 6, divisor);
    } else {
      code.registers(size, 0xD1, 5, divisor); // SHR: not negative
      code.registers(8, 0x83, 1, divisor).raw(1);
      code.raw(0x40 | (size == 8 ? 8 : 0), 0x99); // CDQ, CQO
      code.registers(size, 0xF7, 7, divisor);
    }
    undefined = ALL;
  }

  private void bits() {
    switch (below(4)) {
      case 0 -> {
        code.registers(wideSize(), 0x0F00 | pick(0xA3, 0xAB, 0xB3, 0xBB), register(), register());
        undefined = undefined & ZF | OF | SF | AF | PF;
      }
      case 1 -> {
        code.registers(wideSize(), 0x0FBA, 4 + below(4), register()).raw(below(256));
        undefined = undefined & ZF | OF | SF | AF | PF;
      }
      case 2 -> {
        int source = register();
        code.registers(8, 0x83, 1, source).raw(1); // of zero there is no result
        code.registers(pick(4, 8), pick(0x0FBC, 0x0FBD), register(), source);
        undefined = CF | OF | SF | AF | PF;
      }
      default -> {
        code.sse(0xF3, 0xB8, register(), register(), true); // POPCNT
        undefined = 0;
      }
    }
  }

  private void conditions() {
    need(ALL);
    int condition = below(16);
    if (below(2) == 0) {
      code.registers(1, 0x0F90 | condition, 0, register());
    } else {
      code.registers(wideSize(), 0x0F40 | condition, register(), register());
    }
  }

  private void flags() {
    switch (below(5)) {
      case 0 -> {
        code.raw(pick(0xF8, 0xF9)); // CLC, STC
        undefined &= ~CF;
      }
      case 1 -> {
        need(CF);
        code.raw(0xF5); // CMC
      }
      case 2 -> {
        need(ALL);
        code.raw(0x9F); // LAHF
      }
      case 3 -> {
        code.raw(0x9E); // SAHF
        undefined &= OF;
      }
      default -> {
        if (below(2) == 0) {
          code.raw(0x66);
        }
        code.raw(pick(0x98, 0x99)); // CBW, CWDE, CWD, CDQ
      }
    }
  }

  private void stack() {
    int a = register();
    int b = register();
    push(a);
    if (below(2) == 0) {
      push(b);
    } else {
      need(ALL);
      code.raw(0x9C); // PUSHF
    }
    pop(register());
    pop(register());
  }

  private void push(int r) {
    code.raw(0x40 | r >> 3, 0x50 | r & 7);
  }

  private void pop(int r) {
    code.raw(0x40 | r >> 3, 0x58 | r & 7);
  }

  private void strings() {
    int half = MEMORY_BYTES / 2;
    code.memory(8, 0x8D, 6, below(half)); // LEA RSI
    code.memory(8, 0x8D, 7, half + below(half / 2)); // LEA RDI
    code.raw(0xB9).number(1 + below(LONGEST_STRING), 4); // MOV ECX
    int wide = pick(0x00, 0x48, 0x66);
    int repeat = pick(0xF3, 0xF2);
    int operation = pick(0xA4, 0xA6, 0xAA, 0xAE);
    boolean compares = operation == 0xA6 || operation == 0xAE;
    if (wide == 0x66) {
      code.raw(wide);
    }
    code.raw(compares ? repeat : 0xF3);
    if (wide == 0x48) {
      code.raw(wide);
    }
    code.raw(operation | below(2));
    if (compares) {
      undefined = 0;
    }
  }

  private void compareExchange() {
    int size = wideSize();
    switch (below(4)) {
      case 0 -> code.registers(size, 0x0FB1, register(), register());
      case 1 -> code.raw(LOCK).memory(size, 0x0FB1, register(), place(8));
      case 2 -> code.raw(LOCK).memory(size, 0x0FC1, register(), place(8)); // XADD
      default -> {
        code.raw(LOCK).memory(8, 0x0FC7, 1, place(16)); // CMPXCHG16B: ZF alone
        undefined &= ~ZF;
        return;
      }
    }
    undefined = 0;
  }

  /** A conditional jump over an instruction. */
  private void jump() {
    need(ALL);
    CodeBytes outside = code;
    code = new CodeBytes();
    arithmetic();
    moves();
    CodeBytes inside = code;
    code = outside;
    code.raw(0x70 | below(16), inside.size()).append(inside);
  }
}
