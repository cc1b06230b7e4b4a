package org.pluribus.vmm.emulator;

import java.util.function.LongBinaryOperator;

/** What SSSE3, SSE4.1 and SSE4.2 add beyond the operations that MMX has too. */
final class Sse4Rows {
  private Sse4Rows() {}

  static void addTo(OpcodeTable t) {
    ssse3(t);
    packed(t);
    widening(t);
    blends(t);
    extracts(t);
    rounding(t);
    strings(t);
  }

  private static void ssse3(OpcodeTable t) {
    t.row("NP 0F3800", "PSHUFB Pq,Qq", "", MmxOps.lanes(PackedShuffle::shuffleBytes));
    t.row("66 0F3800", "PSHUFB Vdq,Wdq", "", Sse4::pshufb);
    t.row("NP 0F3A0F", "PALIGNR Pq,Qq,Ib", "", MmxOps::palignr);
    t.row("66 0F3A0F", "PALIGNR Vdq,Wdq,Ib", "", Sse4::palignr);
  }

  private static void lanes(OpcodeTable t, String opcode, String name, LongBinaryOperator op) {
    t.row("66 " + opcode, name + " Vdq,Wdq", "", SseInteger.lanes(op));
  }

  private static void packed(OpcodeTable t) {
    lanes(t, "0F3828", "PMULDQ", PackedArithmetic::multiplyD);
    lanes(t, "0F3829", "PCMPEQQ", PackedArithmetic::equalQ);
    lanes(t, "0F3837", "PCMPGTQ", PackedArithmetic::greaterQ);
    lanes(t, "0F3838", "PMINSB", PackedArithmetic::minB);
    lanes(t, "0F3839", "PMINSD", PackedArithmetic::minD);
    lanes(t, "0F383A", "PMINUW", PackedArithmetic::minUnsignedW);
    lanes(t, "0F383B", "PMINUD", PackedArithmetic::minUnsignedD);
    lanes(t, "0F383C", "PMAXSB", PackedArithmetic::maxB);
    lanes(t, "0F383D", "PMAXSD", PackedArithmetic::maxD);
    lanes(t, "0F383E", "PMAXUW", PackedArithmetic::maxUnsignedW);
    lanes(t, "0F383F", "PMAXUD", PackedArithmetic::maxUnsignedD);
    lanes(t, "0F3840", "PMULLD", PackedArithmetic::multiplyLowD);
    Handler packusdw = SseInteger.pairs(PackedShuffle::packUnsignedD);
    t.row("66 0F382B", "PACKUSDW Vdq,Wdq", "", packusdw);
    t.row("66 0F382A", "MOVNTDQA Vdq,Mdq", "", SseMoves::loadAligned);
    t.row("66 0F3841", "PHMINPOSUW Vdq,Wdq", "", Sse4::phminposuw);
    t.row("66 0F3A42", "MPSADBW Vdq,Wdq,Ib", "", Sse4::mpsadbw);
    t.row("66 0F3817", "PTEST Vdq,Wdq", "", Sse4::ptest);
  }

  private static void widening(OpcodeTable t) {
    t.row("66 0F3820", "PMOVSXBW Vdq,Wq", "", Sse4.widen(1, 2, true));
    t.row("66 0F3821", "PMOVSXBD Vdq,Wd", "", Sse4.widen(1, 4, true));
    t.row("66 0F3822", "PMOVSXBQ Vdq,Ww", "", Sse4.widen(1, 8, true));
    t.row("66 0F3823", "PMOVSXWD Vdq,Wq", "", Sse4.widen(2, 4, true));
    t.row("66 0F3824", "PMOVSXWQ Vdq,Wd", "", Sse4.widen(2, 8, true));
    t.row("66 0F3825", "PMOVSXDQ Vdq,Wq", "", Sse4.widen(4, 8, true));
    t.row("66 0F3830", "PMOVZXBW Vdq,Wq", "", Sse4.widen(1, 2, false));
    t.row("66 0F3831", "PMOVZXBD Vdq,Wd", "", Sse4.widen(1, 4, false));
    t.row("66 0F3832", "PMOVZXBQ Vdq,Ww", "", Sse4.widen(1, 8, false));
    t.row("66 0F3833", "PMOVZXWD Vdq,Wq", "", Sse4.widen(2, 4, false));
    t.row("66 0F3834", "PMOVZXWQ Vdq,Wd", "", Sse4.widen(2, 8, false));
    t.row("66 0F3835", "PMOVZXDQ Vdq,Wq", "", Sse4.widen(4, 8, false));
  }

  private static void blends(OpcodeTable t) {
    t.row("66 0F3810", "PBLENDVB Vdq,Wdq", "", Sse4.blendVariable(8));
    t.row("66 0F3814", "BLENDVPS Vps,Wps", "", Sse4.blendVariable(32));
    t.row("66 0F3815", "BLENDVPD Vpd,Wpd", "", Sse4.blendVariable(64));
    t.row("66 0F3A0C", "BLENDPS Vps,Wps,Ib", "", Sse4.blend(32));
    t.row("66 0F3A0D", "BLENDPD Vpd,Wpd,Ib", "", Sse4.blend(64));
    t.row("66 0F3A0E", "PBLENDW Vdq,Wdq,Ib", "", Sse4.blend(16));
  }

  private static void extracts(OpcodeTable t) {
    t.row("66 0F3A14/m", "PEXTRB Mb,Vdq,Ib", "", Sse4.extract(1));
    t.row("66 0F3A14/r", "PEXTRB Rd,Vdq,Ib", "", Sse4.extract(1));
    t.row("66 0F3A15/m", "PEXTRW Mw,Vdq,Ib", "", Sse4.extract(2));
    t.row("66 0F3A15/r", "PEXTRW Rd,Vdq,Ib", "", Sse4.extract(2));
    t.row("66 0F3A16", "PEXTRD Ey,Vdq,Ib", "", Sse4.extract(0));
    t.row("66 0F3A17", "EXTRACTPS Ed,Vdq,Ib", "", Sse4.extract(4));
    t.row("66 0F3A20/m", "PINSRB Vdq,Mb,Ib", "", Sse4.insert(1));
    t.row("66 0F3A20/r", "PINSRB Vdq,Rd,Ib", "", Sse4.insert(1));
    t.row("66 0F3A21/m", "INSERTPS Vdq,Md,Ib", "", Sse4::insertps);
    t.row("66 0F3A21/r", "INSERTPS Vdq,Udq,Ib", "", Sse4::insertps);
    t.row("66 0F3A22", "PINSRD Vdq,Ey,Ib", "", Sse4.insert(0));
  }

  private static void rounding(OpcodeTable t) {
    t.row("66 0F3A08", "ROUNDPS Vps,Wps,Ib", "", SseConvert::roundps);
    t.row("66 0F3A09", "ROUNDPD Vpd,Wpd,Ib", "", SseConvert::roundpd);
    t.row("66 0F3A0A", "ROUNDSS Vss,Wss,Ib", "", SseConvert::roundss);
    t.row("66 0F3A0B", "ROUNDSD Vsd,Wsd,Ib", "", SseConvert::roundsd);
    t.row("66 0F3A40", "DPPS Vps,Wps,Ib", "", SseFloat::dpps);
    t.row("66 0F3A41", "DPPD Vpd,Wpd,Ib", "", SseFloat::dppd);
  }

  private static void strings(OpcodeTable t) {
    t.row("66 0F3A60", "PCMPESTRM Vdq,Wdq,Ib", "", Sse4Strings::pcmpestrm);
    t.row("66 0F3A61", "PCMPESTRI Vdq,Wdq,Ib", "", Sse4Strings::pcmpestri);
    t.row("66 0F3A62", "PCMPISTRM Vdq,Wdq,Ib", "", Sse4Strings::pcmpistrm);
    t.row("66 0F3A63", "PCMPISTRI Vdq,Wdq,Ib", "", Sse4Strings::pcmpistri);
  }
}
