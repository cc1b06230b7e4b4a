package org.pluribus.vmm.emulator;

import java.util.function.LongBinaryOperator;

/** SSE and MMX instructions of the opcode table. */
final class SseRows {
  private SseRows() {}

  static void addTo(OpcodeTable t) {
    state(t);
    moves(t);
    halfMoves(t);
    logic(t);
    packedSums(t);
    packedCompares(t);
    packedProducts(t);
    unpacks(t);
    shifts(t);
    shuffles(t);
    SseFloatRows.addTo(t);
    Sse4Rows.addTo(t);
  }

  // ---- MMX and SSE forms of one operation ----

  private static void lanes(OpcodeTable t, String opcode, String name, LongBinaryOperator op) {
    t.row("NP " + opcode, name + " Pq,Qq", "", MmxOps.lanes(op));
    t.row("66 " + opcode, name + " Vdq,Wdq", "", SseInteger.lanes(op));
  }

  /** An operation with an SSE handler of its own. */
  private static void lanes(
      OpcodeTable t, String opcode, String name, LongBinaryOperator op, Handler sse) {
    t.row("NP " + opcode, name + " Pq,Qq", "", MmxOps.lanes(op));
    t.row("66 " + opcode, name + " Vdq,Wdq", "", sse);
  }

  private static void pairs(OpcodeTable t, String opcode, String name, LongBinaryOperator op) {
    lanes(t, opcode, name, op, SseInteger.pairs(op));
  }

  // ---- rows ----

  private static void state(OpcodeTable t) {
    t.row("NP 0FAE/0m", "FXSAVE M", "", FpuState::fxsave);
    t.row("NP 0FAE/1m", "FXRSTOR M", "", FpuState::fxrstor);
    t.row("NP 0FAE/2m", "LDMXCSR Md", "", FpuState::ldmxcsr);
    t.row("NP 0FAE/3m", "STMXCSR Md", "", FpuState::stmxcsr);
    t.row("NP 0FAE/4m", "XSAVE M", "", FpuState::xsave);
    t.row("NP 0FAE/5m", "XRSTOR M", "", FpuState::xrstor);
    t.row("NP 0F77", "EMMS", "", MmxOps::emms);
  }

  private static void moves(OpcodeTable t) {
    t.row("NP 0F10", "MOVUPS Vps,Wps", "", SseMoves::loadUnaligned);
    t.row("66 0F10", "MOVUPD Vpd,Wpd", "", SseMoves::loadUnaligned);
    t.row("F3 0F10/m", "MOVSS Vx,Md", "", SseMoves::load32ZeroHigh);
    t.row("F3 0F10/r", "MOVSS Vx,Uss", "", SseMoves::moveLow32);
    t.row("F2 0F10/m", "MOVSD Vx,Mq", "", SseMoves::load64ZeroHigh);
    t.row("F2 0F10/r", "MOVSD Vx,Usd", "", SseMoves::moveLow64);
    t.row("NP 0F11", "MOVUPS Wps,Vps", "", SseMoves::storeUnaligned);
    t.row("66 0F11", "MOVUPD Wpd,Vpd", "", SseMoves::storeUnaligned);
    t.row("F3 0F11/m", "MOVSS Md,Vss", "", SseMoves::store32);
    t.row("F3 0F11/r", "MOVSS Uss,Vss", "", SseMoves::moveLow32);
    t.row("F2 0F11/m", "MOVSD Mq,Vsd", "", SseMoves::store64);
    t.row("F2 0F11/r", "MOVSD Usd,Vsd", "", SseMoves::moveLow64);
    t.row("NP 0F28", "MOVAPS Vps,Wps", "", SseMoves::loadAligned);
    t.row("66 0F28", "MOVAPD Vpd,Wpd", "", SseMoves::loadAligned);
    t.row("NP 0F29", "MOVAPS Wps,Vps", "", SseMoves::storeAligned);
    t.row("66 0F29", "MOVAPD Wpd,Vpd", "", SseMoves::storeAligned);
    t.row("NP 0F2B", "MOVNTPS Mps,Vps", "", SseMoves::storeAligned);
    t.row("66 0F2B", "MOVNTPD Mpd,Vpd", "", SseMoves::storeAligned);
    t.row("66 0F6F", "MOVDQA Vx,Wx", "", SseMoves::loadAligned);
    t.row("F3 0F6F", "MOVDQU Vx,Wx", "", SseMoves::loadUnaligned);
    t.row("NP 0F6F", "MOVQ Pq,Qq", "", MmxOps::load);
    t.row("66 0F7F", "MOVDQA Wx,Vx", "", SseMoves::storeAligned);
    t.row("F3 0F7F", "MOVDQU Wx,Vx", "", SseMoves::storeUnaligned);
    t.row("NP 0F7F", "MOVQ Qq,Pq", "", MmxOps::store);
    t.row("NP 0F6E", "MOVD Pq,Ey", "", MmxOps::fromGeneral);
    t.row("66 0F6E", "MOVD Vdq,Ey", "", SseMoves::fromGeneral);
    t.row("NP 0F7E", "MOVD Ey,Pq", "", MmxOps::toGeneral);
    t.row("66 0F7E", "MOVD Ey,Vdq", "", SseMoves::toGeneral);
    t.row("F3 0F7E", "MOVQ Vdq,Wq", "", SseMoves::load64ZeroHigh);
    t.row("66 0FD6", "MOVQ Wq,Vq", "", SseMoves::moveQuadwordToW);
    t.row("F3 0FD6", "MOVQ2DQ Vdq,Nq", "", MmxOps::movq2dq);
    t.row("F2 0FD6", "MOVDQ2Q Pq,Uq", "", MmxOps::movdq2q);
    t.row("NP 0FE7", "MOVNTQ Mq,Pq", "", MmxOps::store);
    t.row("66 0FE7", "MOVNTDQ Mx,Vx", "", SseMoves::storeAligned);
    t.row("NP 0FC3", "MOVNTI My,Gy", "", SseMoves::movnti);
    t.row("F2 0FF0", "LDDQU Vx,Mx", "", SseMoves::loadUnaligned);
    t.row("NP 0FF7", "MASKMOVQ Pq,Nq", "", MmxOps::maskmovq);
    t.row("66 0FF7", "MASKMOVDQU Vdq,Udq", "", SseInteger::maskmovdqu);
  }

  private static void halfMoves(OpcodeTable t) {
    t.row("NP 0F12/m", "MOVLPS Vq,Mq", "", SseMoves::loadLow64);
    t.row("NP 0F12/r", "MOVHLPS Vq,Uq", "", SseMoves::movhlps);
    t.row("66 0F12/m", "MOVLPD Vq,Mq", "", SseMoves::loadLow64);
    t.row("F3 0F12", "MOVSLDUP Vx,Wx", "", SseMoves::movsldup);
    t.row("F2 0F12", "MOVDDUP Vx,Wq", "", SseMoves::movddup);
    t.row("NP 0F13/m", "MOVLPS Mq,Vq", "", SseMoves::store64);
    t.row("66 0F13/m", "MOVLPD Mq,Vq", "", SseMoves::store64);
    t.row("NP 0F16/m", "MOVHPS Vdq,Mq", "", SseMoves::loadHigh64);
    t.row("NP 0F16/r", "MOVLHPS Vdq,Uq", "", SseMoves::movlhps);
    t.row("66 0F16/m", "MOVHPD Vdq,Mq", "", SseMoves::loadHigh64);
    t.row("F3 0F16", "MOVSHDUP Vx,Wx", "", SseMoves::movshdup);
    t.row("NP 0F17/m", "MOVHPS Mq,Vq", "", SseMoves::storeHigh64);
    t.row("66 0F17/m", "MOVHPD Mq,Vq", "", SseMoves::storeHigh64);
    t.row("NP 0F50", "MOVMSKPS Gd,Ups", "", SseMoves::movmskps);
    t.row("66 0F50", "MOVMSKPD Gd,Upd", "", SseMoves::movmskpd);
  }

  private static void logic(OpcodeTable t) {
    t.row("NP 0F54", "ANDPS Vps,Wps", "", SseInteger::pand);
    t.row("66 0F54", "ANDPD Vpd,Wpd", "", SseInteger::pand);
    t.row("NP 0F55", "ANDNPS Vps,Wps", "", SseInteger::pandn);
    t.row("66 0F55", "ANDNPD Vpd,Wpd", "", SseInteger::pandn);
    t.row("NP 0F56", "ORPS Vps,Wps", "", SseInteger::por);
    t.row("66 0F56", "ORPD Vpd,Wpd", "", SseInteger::por);
    t.row("NP 0F57", "XORPS Vps,Wps", "", SseInteger::pxor);
    t.row("66 0F57", "XORPD Vpd,Wpd", "", SseInteger::pxor);
    lanes(t, "0FDB", "PAND", PackedArithmetic::and, SseInteger::pand);
    lanes(t, "0FDF", "PANDN", PackedArithmetic::andNot, SseInteger::pandn);
    lanes(t, "0FEB", "POR", PackedArithmetic::or, SseInteger::por);
    lanes(t, "0FEF", "PXOR", PackedArithmetic::xor, SseInteger::pxor);
  }

  private static void packedSums(OpcodeTable t) {
    lanes(t, "0FFC", "PADDB", PackedArithmetic::addB);
    lanes(t, "0FFD", "PADDW", PackedArithmetic::addW);
    lanes(t, "0FFE", "PADDD", PackedArithmetic::addD);
    lanes(t, "0FD4", "PADDQ", PackedArithmetic::addQ);
    lanes(t, "0FF8", "PSUBB", PackedArithmetic::subB);
    lanes(t, "0FF9", "PSUBW", PackedArithmetic::subW);
    lanes(t, "0FFA", "PSUBD", PackedArithmetic::subD);
    lanes(t, "0FFB", "PSUBQ", PackedArithmetic::subQ);
    lanes(t, "0FEC", "PADDSB", PackedArithmetic::addSaturateB);
    lanes(t, "0FED", "PADDSW", PackedArithmetic::addSaturateW);
    lanes(t, "0FDC", "PADDUSB", PackedArithmetic::addUnsignedSaturateB);
    lanes(t, "0FDD", "PADDUSW", PackedArithmetic::addUnsignedSaturateW);
    lanes(t, "0FE8", "PSUBSB", PackedArithmetic::subSaturateB);
    lanes(t, "0FE9", "PSUBSW", PackedArithmetic::subSaturateW);
    lanes(t, "0FD8", "PSUBUSB", PackedArithmetic::subUnsignedSaturateB);
    lanes(t, "0FD9", "PSUBUSW", PackedArithmetic::subUnsignedSaturateW);
    lanes(t, "0FE0", "PAVGB", PackedArithmetic::averageB);
    lanes(t, "0FE3", "PAVGW", PackedArithmetic::averageW);
    lanes(t, "0FF6", "PSADBW", PackedArithmetic::sumOfDifferences);
    pairs(t, "0F3801", "PHADDW", PackedShuffle::horizontalAddW);
    pairs(t, "0F3802", "PHADDD", PackedShuffle::horizontalAddD);
    pairs(t, "0F3803", "PHADDSW", PackedShuffle::horizontalAddSaturateW);
    pairs(t, "0F3805", "PHSUBW", PackedShuffle::horizontalSubW);
    pairs(t, "0F3806", "PHSUBD", PackedShuffle::horizontalSubD);
    pairs(t, "0F3807", "PHSUBSW", PackedShuffle::horizontalSubSaturateW);
    lanes(t, "0F3808", "PSIGNB", PackedArithmetic::signB);
    lanes(t, "0F3809", "PSIGNW", PackedArithmetic::signW);
    lanes(t, "0F380A", "PSIGND", PackedArithmetic::signD);
    lanes(t, "0F381C", "PABSB", PackedArithmetic::absB);
    lanes(t, "0F381D", "PABSW", PackedArithmetic::absW);
    lanes(t, "0F381E", "PABSD", PackedArithmetic::absD);
  }

  private static void packedCompares(OpcodeTable t) {
    lanes(t, "0F74", "PCMPEQB", PackedArithmetic::equalB, SseInteger::pcmpeqb);
    lanes(t, "0F75", "PCMPEQW", PackedArithmetic::equalW);
    lanes(t, "0F76", "PCMPEQD", PackedArithmetic::equalD);
    lanes(t, "0F64", "PCMPGTB", PackedArithmetic::greaterB);
    lanes(t, "0F65", "PCMPGTW", PackedArithmetic::greaterW);
    lanes(t, "0F66", "PCMPGTD", PackedArithmetic::greaterD);
    lanes(t, "0FDA", "PMINUB", PackedArithmetic::minUnsignedB);
    lanes(t, "0FDE", "PMAXUB", PackedArithmetic::maxUnsignedB);
    lanes(t, "0FEA", "PMINSW", PackedArithmetic::minW);
    lanes(t, "0FEE", "PMAXSW", PackedArithmetic::maxW);
  }

  private static void packedProducts(OpcodeTable t) {
    lanes(t, "0FD5", "PMULLW", PackedArithmetic::multiplyLowW);
    lanes(t, "0FE5", "PMULHW", PackedArithmetic::multiplyHighW);
    lanes(t, "0FE4", "PMULHUW", PackedArithmetic::multiplyHighUnsignedW);
    lanes(t, "0FF4", "PMULUDQ", PackedArithmetic::multiplyUnsignedD);
    lanes(t, "0FF5", "PMADDWD", PackedArithmetic::multiplyAddW);
    lanes(t, "0F3804", "PMADDUBSW", PackedArithmetic::multiplyAddB);
    lanes(t, "0F380B", "PMULHRSW", PackedArithmetic::multiplyHighRoundedW);
  }

  private static void unpackLow(
      OpcodeTable t, String opcode, String name, LongBinaryOperator low, LongBinaryOperator high) {
    t.row("NP " + opcode, name + " Pq,Qd", "", MmxOps.lanes(low));
    t.row("66 " + opcode, name + " Vdq,Wdq", "", SseInteger.unpackLow(low, high));
  }

  private static void unpackHigh(
      OpcodeTable t, String opcode, String name, LongBinaryOperator low, LongBinaryOperator high) {
    t.row("NP " + opcode, name + " Pq,Qq", "", MmxOps.lanes(high));
    t.row("66 " + opcode, name + " Vdq,Wdq", "", SseInteger.unpackHigh(low, high));
  }

  private static void unpacks(OpcodeTable t) {
    unpackLow(t, "0F60", "PUNPCKLBW", PackedShuffle::unpackLowB, PackedShuffle::unpackHighB);
    unpackLow(t, "0F61", "PUNPCKLWD", PackedShuffle::unpackLowW, PackedShuffle::unpackHighW);
    unpackLow(t, "0F62", "PUNPCKLDQ", PackedShuffle::unpackLowD, PackedShuffle::unpackHighD);
    unpackHigh(t, "0F68", "PUNPCKHBW", PackedShuffle::unpackLowB, PackedShuffle::unpackHighB);
    unpackHigh(t, "0F69", "PUNPCKHWD", PackedShuffle::unpackLowW, PackedShuffle::unpackHighW);
    unpackHigh(t, "0F6A", "PUNPCKHDQ", PackedShuffle::unpackLowD, PackedShuffle::unpackHighD);
    t.row("66 0F6C", "PUNPCKLQDQ Vdq,Wdq", "", SseInteger::punpcklqdq);
    t.row("66 0F6D", "PUNPCKHQDQ Vdq,Wdq", "", SseInteger::punpckhqdq);
    pairs(t, "0F63", "PACKSSWB", PackedShuffle::packSignedW);
    pairs(t, "0F67", "PACKUSWB", PackedShuffle::packUnsignedW);
    pairs(t, "0F6B", "PACKSSDW", PackedShuffle::packSignedD);
    Handler unpcklps = SseInteger.unpackLow(PackedShuffle::unpackLowD, PackedShuffle::unpackHighD);
    Handler unpckhps = SseInteger.unpackHigh(PackedShuffle::unpackLowD, PackedShuffle::unpackHighD);
    t.row("NP 0F14", "UNPCKLPS Vps,Wps", "", unpcklps);
    t.row("66 0F14", "UNPCKLPD Vpd,Wpd", "", SseInteger::punpcklqdq);
    t.row("NP 0F15", "UNPCKHPS Vps,Wps", "", unpckhps);
    t.row("66 0F15", "UNPCKHPD Vpd,Wpd", "", SseInteger::punpckhqdq);
  }

  private static void shift(
      OpcodeTable t, String opcode, String immediate, String name, LongBinaryOperator op) {
    lanes(t, opcode, name, op, SseInteger.shift(op));
    t.row("NP " + immediate + "r", name + " Nq,Ib", "", MmxOps.shiftImmediate(op));
    t.row("66 " + immediate + "r", name + " Udq,Ib", "", SseInteger.shiftImmediate(op));
  }

  private static void shifts(OpcodeTable t) {
    shift(t, "0FD1", "0F71/2", "PSRLW", PackedArithmetic::shiftRightW);
    shift(t, "0FE1", "0F71/4", "PSRAW", PackedArithmetic::shiftArithmeticW);
    shift(t, "0FF1", "0F71/6", "PSLLW", PackedArithmetic::shiftLeftW);
    shift(t, "0FD2", "0F72/2", "PSRLD", PackedArithmetic::shiftRightD);
    shift(t, "0FE2", "0F72/4", "PSRAD", PackedArithmetic::shiftArithmeticD);
    shift(t, "0FF2", "0F72/6", "PSLLD", PackedArithmetic::shiftLeftD);
    shift(t, "0FD3", "0F73/2", "PSRLQ", PackedArithmetic::shiftRightQ);
    shift(t, "0FF3", "0F73/6", "PSLLQ", PackedArithmetic::shiftLeftQ);
    t.row("66 0F73/3r", "PSRLDQ Udq,Ib", "", SseInteger::psrldq);
    t.row("66 0F73/7r", "PSLLDQ Udq,Ib", "", SseInteger::pslldq);
  }

  private static void shuffles(OpcodeTable t) {
    t.row("NP 0F70", "PSHUFW Pq,Qq,Ib", "", MmxOps::pshufw);
    t.row("66 0F70", "PSHUFD Vdq,Wdq,Ib", "", SseInteger::pshufd);
    t.row("F3 0F70", "PSHUFHW Vdq,Wdq,Ib", "", SseInteger::pshufhw);
    t.row("F2 0F70", "PSHUFLW Vdq,Wdq,Ib", "", SseInteger::pshuflw);
    t.row("NP 0FC6", "SHUFPS Vps,Wps,Ib", "", SseMoves::shufps);
    t.row("66 0FC6", "SHUFPD Vpd,Wpd,Ib", "", SseMoves::shufpd);
    t.row("NP 0FC4", "PINSRW Pq,Ew,Ib", "", MmxOps::pinsrw);
    t.row("66 0FC4", "PINSRW Vdq,Ew,Ib", "", SseInteger::pinsrw);
    t.row("NP 0FC5", "PEXTRW Gd,Nq,Ib", "", MmxOps::pextrw);
    t.row("66 0FC5", "PEXTRW Gd,Udq,Ib", "", SseInteger::pextrw);
    t.row("NP 0FD7", "PMOVMSKB Gd,Nq", "", MmxOps::pmovmskb);
    t.row("66 0FD7", "PMOVMSKB Gd,Udq", "", SseInteger::pmovmskb);
  }
}
