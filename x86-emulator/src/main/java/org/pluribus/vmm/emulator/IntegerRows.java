package org.pluribus.vmm.emulator;

import java.util.Locale;

/** Integer instructions of the opcode table that any privilege may execute (SDM volume 2). */
final class IntegerRows {
  /** Suffixes of Jcc, SETcc and CMOVcc by condition code (SDM volume 1, appendix B). */
  static final String[] CONDITIONS = {
    "O", "NO", "B", "NB", "Z", "NZ", "BE", "NBE", "S", "NS", "P", "NP", "L", "NL", "LE", "NLE"
  };

  private IntegerRows() {}

  static void addTo(OpcodeTable t) {
    alu(t);
    unary(t);
    multiply(t);
    shifts(t);
    bits(t);
    moves(t);
    exchanges(t);
    stack(t);
    branches(t);
    conditional(t);
    strings(t);
    flags(t);
    decimal(t);
    hints(t);
  }

  private static String hex(int opcode) {
    return String.format(Locale.ROOT, "%02X", opcode);
  }

  /** The eight operations of opcodes 00 to 3D and of 80, 81, 83, in their encoding's order. */
  private static void alu(OpcodeTable t) {
    String[] names = {"ADD", "OR", "ADC", "SBB", "AND", "SUB", "XOR", "CMP"};
    Handler[] handlers = {
      Arithmetic::add, Arithmetic::or, Arithmetic::adc, Arithmetic::sbb,
      Arithmetic::and, Arithmetic::sub, Arithmetic::xor, Arithmetic::cmp
    };
    for (int n = 0; n < names.length; n++) {
      String name = names[n];
      Handler h = handlers[n];
      boolean logic = name.equals("AND") || name.equals("OR") || name.equals("XOR");
      String undefined = logic ? "u:A" : "";
      String memory = (name.equals("CMP") ? "" : "lock ") + undefined;
      t.row(hex(n * 8), name + " Eb,Gb", memory, h);
      t.row(hex(n * 8 + 1), name + " Ev,Gv", memory, h);
      t.row(hex(n * 8 + 2), name + " Gb,Eb", undefined, h);
      t.row(hex(n * 8 + 3), name + " Gv,Ev", undefined, h);
      t.row(hex(n * 8 + 4), name + " AL,Ib", undefined, h);
      t.row(hex(n * 8 + 5), name + " rAX,Iz", undefined, h);
      t.row("80/" + n, name + " Eb,Ib", memory, h);
      t.row("81/" + n, name + " Ev,Iz", memory, h);
      t.row("82/" + n, name + " Eb,Ib", memory + " i64", h);
      t.row("83/" + n, name + " Ev,Ib", memory, h);
    }
    t.row("84", "TEST Eb,Gb", "u:A", Arithmetic::test);
    t.row("85", "TEST Ev,Gv", "u:A", Arithmetic::test);
    t.row("A8", "TEST AL,Ib", "u:A", Arithmetic::test);
    t.row("A9", "TEST rAX,Iz", "u:A", Arithmetic::test);
    for (int alias = 0; alias < 2; alias++) { // /1 is an undocumented twin of /0
      t.row("F6/" + alias, "TEST Eb,Ib", "u:A", Arithmetic::test);
      t.row("F7/" + alias, "TEST Ev,Iz", "u:A", Arithmetic::test);
    }
  }

  private static void unary(OpcodeTable t) {
    t.row("40+", "INC Zv", "i64", Arithmetic::inc);
    t.row("48+", "DEC Zv", "i64", Arithmetic::dec);
    t.row("FE/0", "INC Eb", "lock", Arithmetic::inc);
    t.row("FE/1", "DEC Eb", "lock", Arithmetic::dec);
    t.row("FF/0", "INC Ev", "lock", Arithmetic::inc);
    t.row("FF/1", "DEC Ev", "lock", Arithmetic::dec);
    t.row("F6/2", "NOT Eb", "lock", Arithmetic::not);
    t.row("F7/2", "NOT Ev", "lock", Arithmetic::not);
    t.row("F6/3", "NEG Eb", "lock", Arithmetic::neg);
    t.row("F7/3", "NEG Ev", "lock", Arithmetic::neg);
  }

  private static void multiply(OpcodeTable t) {
    t.row("F6/4", "MUL Eb", "u:SZAP", Multiply::mul);
    t.row("F7/4", "MUL Ev", "u:SZAP", Multiply::mul);
    t.row("F6/5", "IMUL Eb", "u:SZAP", Multiply::imul);
    t.row("F7/5", "IMUL Ev", "u:SZAP", Multiply::imul);
    t.row("0FAF", "IMUL Gv,Ev", "u:SZAP", Multiply::imul2);
    t.row("69", "IMUL Gv,Ev,Iz", "u:SZAP", Multiply::imul3);
    t.row("6B", "IMUL Gv,Ev,Ib", "u:SZAP", Multiply::imul3);
    t.row("F6/6", "DIV Eb", "u:OSZAPC", Multiply::div);
    t.row("F7/6", "DIV Ev", "u:OSZAPC", Multiply::div);
    t.row("F6/7", "IDIV Eb", "u:OSZAPC", Multiply::idiv);
    t.row("F7/7", "IDIV Ev", "u:OSZAPC", Multiply::idiv);
    t.row("98", "CBW", "", Arithmetic::cbw);
    t.row("99", "CWD", "", Arithmetic::cwd);
  }

  private static void shifts(OpcodeTable t) {
    String[] names = {"ROL", "ROR", "RCL", "RCR", "SHL", "SHR", "SHL", "SAR"}; // /6 is /4's twin
    for (int n = 0; n < names.length; n++) {
      String name = names[n];
      Handler h = Shifts.handler(name);
      boolean rotate = n < 4;
      String one = rotate ? "" : "u:A";
      // A count above the operand's width leaves CF undefined for SHL and SHR.
      String many = rotate ? "u:O" : name.equals("SAR") ? "u:OA" : "u:OAC";
      String wide = rotate ? "u:O" : "u:OA";
      t.row("D0/" + n, name + " Eb,1", one, h);
      t.row("D1/" + n, name + " Ev,1", one, h);
      t.row("D2/" + n, name + " Eb,CL", many, h);
      t.row("D3/" + n, name + " Ev,CL", wide, h);
      t.row("C0/" + n, name + " Eb,Ib", many, h);
      t.row("C1/" + n, name + " Ev,Ib", wide, h);
    }
    t.row("0FA4", "SHLD Ev,Gv,Ib", "u:OA", Shifts::shld);
    t.row("0FA5", "SHLD Ev,Gv,CL", "u:OA", Shifts::shld);
    t.row("0FAC", "SHRD Ev,Gv,Ib", "u:OA", Shifts::shrd);
    t.row("0FAD", "SHRD Ev,Gv,CL", "u:OA", Shifts::shrd);
  }

  private static void bits(OpcodeTable t) {
    String[] names = {"BT", "BTS", "BTR", "BTC"};
    Handler[] handlers = {BitOps::bt, BitOps::bts, BitOps::btr, BitOps::btc};
    for (int n = 0; n < names.length; n++) {
      String attributes = (n == 0 ? "" : "lock ") + "u:OSAP";
      t.row("0F" + hex(0xA3 + 8 * n), names[n] + " Ev,Gv", attributes, handlers[n]);
      t.row("0FBA/" + (4 + n), names[n] + " Ev,Ib", attributes, handlers[n]);
    }
    // F3 makes TZCNT and LZCNT of these on CPUs with BMI; without it is ignored.
    t.row("0FBC", "BSF Gv,Ev", "u:OSAPC", BitOps::bsf);
    t.row("0FBD", "BSR Gv,Ev", "u:OSAPC", BitOps::bsr);
    t.row("F3 0FB8", "POPCNT Gv,Ev", "", BitOps::popcnt);
    t.row("0FC8+", "BSWAP Zv", "", BitOps::bswap);
    t.row("F2 0F38F0", "CRC32 Gy,Eb", "", BitOps::crc32);
    t.row("F2 0F38F1", "CRC32 Gy,Ev", "", BitOps::crc32);
    t.row("0FC7/6r", "RDRAND Rv", "", BitOps::rdrand);
  }

  private static void moves(OpcodeTable t) {
    t.row("88", "MOV Eb,Gb", "", Moves::movFromReg);
    t.row("89", "MOV Ev,Gv", "", Moves::movFromReg);
    t.row("8A", "MOV Gb,Eb", "", Moves::movToReg);
    t.row("8B", "MOV Gv,Ev", "", Moves::movToReg);
    t.row("A0", "MOV AL,Ob", "", Moves::mov);
    t.row("A1", "MOV rAX,Ov", "", Moves::mov);
    t.row("A2", "MOV Ob,AL", "", Moves::mov);
    t.row("A3", "MOV Ov,rAX", "", Moves::mov);
    t.row("B0+", "MOV Zb,Ib", "", Moves::movImmediate);
    t.row("B8+", "MOV Zv,Iv", "", Moves::movImmediate);
    t.row("C6/0", "MOV Eb,Ib", "", Moves::mov);
    t.row("C7/0", "MOV Ev,Iz", "", Moves::mov);
    t.row("0FB6", "MOVZX Gv,Eb", "", Moves::movzx);
    t.row("0FB7", "MOVZX Gv,Ew", "", Moves::movzx);
    t.row("0FBE", "MOVSX Gv,Eb", "", Moves::movsx);
    t.row("0FBF", "MOVSX Gv,Ew", "", Moves::movsx);
    t.row("63", "MOVSXD Gv,Ed", "o64", Moves::movsx);
    t.row("63", "ARPL Ew,Gw", "i64", Moves::arpl);
    t.row("62", "BOUND Gv,M", "i64", Moves::bound);
    t.row("8D", "LEA Gv,M", "", Moves::lea);
    t.row("D7", "XLAT", "", Moves::xlat);
  }

  private static void exchanges(OpcodeTable t) {
    t.row("86", "XCHG Eb,Gb", "lock", Arithmetic::xchg);
    t.row("87", "XCHG Ev,Gv", "lock", Arithmetic::xchg);
    t.row("90+", "XCHG Zv,rAX", "", Arithmetic::xchgAccumulator);
    t.row("0FB0", "CMPXCHG Eb,Gb", "lock", Arithmetic::cmpxchg);
    t.row("0FB1", "CMPXCHG Ev,Gv", "lock", Arithmetic::cmpxchg);
    t.row("0FC0", "XADD Eb,Gb", "lock", Arithmetic::xadd);
    t.row("0FC1", "XADD Ev,Gv", "lock", Arithmetic::xadd);
    t.row("0FC7/1m", "CMPXCHG8B M", "lock", WideExchange::exec);
  }

  private static void stack(OpcodeTable t) {
    t.row("50+", "PUSH Zv", "d64", StackOps::push);
    t.row("58+", "POP Zv", "d64", StackOps::popReg);
    t.row("68", "PUSH Iz", "d64", StackOps::push);
    t.row("6A", "PUSH Ib", "d64", StackOps::push);
    t.row("FF/6", "PUSH Ev", "d64", StackOps::push);
    t.row("8F/0", "POP Ev", "d64", StackOps::pop);
    t.row("60", "PUSHA", "i64", StackOps::pusha);
    t.row("61", "POPA", "i64", StackOps::popa);
    t.row("9C", "PUSHF Fv", "d64", StackOps::pushf);
    t.row("9D", "POPF Fv", "d64 end", StackOps::popf);
    t.row("C8", "ENTER Iw,Ib", "d64", StackOps::enter);
    t.row("C9", "LEAVE", "d64", StackOps::leave);
  }

  private static void branches(OpcodeTable t) {
    t.row("E9", "JMP Jz", "f64 end", Branches::jmp);
    t.row("EB", "JMP Jb", "f64 end", Branches::jmp);
    t.row("FF/4", "JMP Ev", "f64 end", Branches::jmpIndirect);
    t.row("E8", "CALL Jz", "f64 end", Branches::call);
    t.row("FF/2", "CALL Ev", "f64 end", Branches::callIndirect);
    t.row("C3", "RET", "f64 end", Branches::ret);
    t.row("C2", "RET Iw", "f64 end", Branches::retImmediate);
    t.row("E0", "LOOPNE Jb", "f64 end", Branches::loopne);
    t.row("E1", "LOOPE Jb", "f64 end", Branches::loope);
    t.row("E2", "LOOP Jb", "f64 end", Branches::loop);
    t.row("E3", "JCXZ Jb", "f64 end", Branches::jcxz);
  }

  private static void conditional(OpcodeTable t) {
    for (int cc = 0; cc < CONDITIONS.length; cc++) {
      String name = CONDITIONS[cc];
      t.row(hex(0x70 + cc), "J" + name + " Jb", "f64 end", Branches.jcc(cc));
      t.row("0F" + hex(0x80 + cc), "J" + name + " Jz", "f64 end", Branches.jcc(cc));
      t.row("0F" + hex(0x90 + cc), "SET" + name + " Eb", "", Moves::setcc);
      t.row("0F" + hex(0x40 + cc), "CMOV" + name + " Gv,Ev", "", Moves::cmov);
    }
  }

  private static void strings(OpcodeTable t) {
    string(t, 0xA4, "MOVS Yb,Xb", "MOVS Yv,Xv", StringOps::movs, StringOps::repMovs);
    string(t, 0xA6, "CMPS Xb,Yb", "CMPS Xv,Yv", StringOps::cmps, StringOps::repCmps);
    string(t, 0xAA, "STOS Yb", "STOS Yv", StringOps::stos, StringOps::repStos);
    string(t, 0xAC, "LODS Xb", "LODS Xv", StringOps::lods, StringOps::repLods);
    string(t, 0xAE, "SCAS Yb", "SCAS Yv", StringOps::scas, StringOps::repScas);
  }

  private static void string(
      OpcodeTable t, int opcode, String bytes, String words, Handler once, Handler repeated) {
    t.row(hex(opcode), bytes, "", once);
    t.row(hex(opcode + 1), words, "", once);
    for (String prefix : new String[] {"F3 ", "F2 "}) {
      t.row(prefix + hex(opcode), bytes, "end", repeated);
      t.row(prefix + hex(opcode + 1), words, "end", repeated);
    }
  }

  private static void flags(OpcodeTable t) {
    t.row("9E", "SAHF", "", Arithmetic::sahf);
    t.row("9F", "LAHF", "", Arithmetic::lahf);
    t.row("F5", "CMC", "", Arithmetic::cmc);
    t.row("F8", "CLC", "", Arithmetic::clc);
    t.row("F9", "STC", "", Arithmetic::stc);
    t.row("FC", "CLD", "", Arithmetic::cld);
    t.row("FD", "STD", "", Arithmetic::std);
  }

  private static void decimal(OpcodeTable t) {
    t.row("27", "DAA", "i64 u:O", Bcd::daa);
    t.row("2F", "DAS", "i64 u:O", Bcd::das);
    t.row("37", "AAA", "i64 u:OSZP", Bcd::aaa);
    t.row("3F", "AAS", "i64 u:OSZP", Bcd::aas);
    t.row("D4", "AAM Ib", "i64 u:OAC", Bcd::aam);
    t.row("D5", "AAD Ib", "i64 u:OAC", Bcd::aad);
  }

  private static void hints(OpcodeTable t) {
    t.row("F3 90", "PAUSE Zv,rAX", "end", Moves::pause); // with REX.B it is XCHG
    t.row("0F0D/m", "PREFETCHW M", "", Moves::nop);
    t.row("0F18", "PREFETCH Ev", "", Moves::nop);
    for (int opcode = 0x19; opcode <= 0x1F; opcode++) { // ENDBR64 is one of them
      t.row("0F" + hex(opcode), "NOP Ev", "", Moves::nop);
    }
    t.row("NP 0FAE/5r", "LFENCE", "", Moves::lfence);
    t.row("NP 0FAE/6r", "MFENCE", "", Moves::mfence);
    t.row("NP 0FAE/7r", "SFENCE", "", Moves::sfence);
    t.row("NP 0FAE/7m", "CLFLUSH Mb", "", Moves::clflush);
    t.row("0F0B", "UD2", "end", Moves::undefined);
    t.row("0FB9", "UD1 Gv,Ev", "end", Moves::undefined);
    t.row("0FFF", "UD0 Gv,Ev", "end", Moves::undefined);
  }
}
