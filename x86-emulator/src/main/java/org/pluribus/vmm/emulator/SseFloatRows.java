package org.pluribus.vmm.emulator;

import org.pluribus.vmm.emulator.SseArithmetic.Binary32;
import org.pluribus.vmm.emulator.SseArithmetic.Binary64;

/** Floating-point instructions of SSE to SSE3. */
final class SseFloatRows {
  private SseFloatRows() {}

  static void addTo(OpcodeTable t) {
    arithmetic(t);
    comparisons(t);
    scalarConversions(t);
    packedConversions(t);
    horizontal(t);
  }

  /** The four forms of an operation. */
  private static void four(OpcodeTable t, String opcode, String name, Binary32 f, Binary64 d) {
    t.row("NP " + opcode, name + "PS Vps,Wps", "", SseFloat.packed32(f));
    t.row("66 " + opcode, name + "PD Vpd,Wpd", "", SseFloat.packed64(d));
    t.row("F3 " + opcode, name + "SS Vss,Wss", "", SseFloat.scalar32(f));
    t.row("F2 " + opcode, name + "SD Vsd,Wsd", "", SseFloat.scalar64(d));
  }

  private static void arithmetic(OpcodeTable t) {
    four(t, "0F51", "SQRT", SseArithmetic::squareRoot, SseArithmetic::squareRoot);
    four(t, "0F58", "ADD", SseArithmetic::add, SseArithmetic::add);
    four(t, "0F59", "MUL", SseArithmetic::multiply, SseArithmetic::multiply);
    four(t, "0F5C", "SUB", SseArithmetic::subtract, SseArithmetic::subtract);
    four(t, "0F5D", "MIN", SseArithmetic::min, SseArithmetic::min);
    four(t, "0F5E", "DIV", SseArithmetic::divide, SseArithmetic::divide);
    four(t, "0F5F", "MAX", SseArithmetic::max, SseArithmetic::max);
    t.row("NP 0F52", "RSQRTPS Vps,Wps", "", SseFloat.packed32(SseFloat::reciprocalRoot));
    t.row("F3 0F52", "RSQRTSS Vss,Wss", "", SseFloat.scalar32(SseFloat::reciprocalRoot));
    t.row("NP 0F53", "RCPPS Vps,Wps", "", SseFloat.packed32(SseFloat::reciprocal));
    t.row("F3 0F53", "RCPSS Vss,Wss", "", SseFloat.scalar32(SseFloat::reciprocal));
  }

  private static void comparisons(OpcodeTable t) {
    t.row("NP 0F2E", "UCOMISS Vss,Wss", "", SseFloat::ucomiss);
    t.row("66 0F2E", "UCOMISD Vsd,Wsd", "", SseFloat::ucomisd);
    t.row("NP 0F2F", "COMISS Vss,Wss", "", SseFloat::comiss);
    t.row("66 0F2F", "COMISD Vsd,Wsd", "", SseFloat::comisd);
    t.row("NP 0FC2", "CMPPS Vps,Wps,Ib", "", SseFloat::cmpps);
    t.row("66 0FC2", "CMPPD Vpd,Wpd,Ib", "", SseFloat::cmppd);
    t.row("F3 0FC2", "CMPSS Vss,Wss,Ib", "", SseFloat::cmpss);
    t.row("F2 0FC2", "CMPSD Vsd,Wsd,Ib", "", SseFloat::cmpsd);
  }

  private static void scalarConversions(OpcodeTable t) {
    t.row("F3 0F2A", "CVTSI2SS Vss,Ey", "", SseConvert::cvtsi2ss);
    t.row("F2 0F2A", "CVTSI2SD Vsd,Ey", "", SseConvert::cvtsi2sd);
    t.row("F3 0F2C", "CVTTSS2SI Gy,Wss", "", SseConvert.cvtss2si(true));
    t.row("F2 0F2C", "CVTTSD2SI Gy,Wsd", "", SseConvert.cvtsd2si(true));
    t.row("F3 0F2D", "CVTSS2SI Gy,Wss", "", SseConvert.cvtss2si(false));
    t.row("F2 0F2D", "CVTSD2SI Gy,Wsd", "", SseConvert.cvtsd2si(false));
    t.row("F3 0F5A", "CVTSS2SD Vsd,Wss", "", SseConvert::cvtss2sd);
    t.row("F2 0F5A", "CVTSD2SS Vss,Wsd", "", SseConvert::cvtsd2ss);
  }

  private static void packedConversions(OpcodeTable t) {
    t.row("NP 0F2A", "CVTPI2PS Vps,Qq", "", SseConvert::cvtpi2ps);
    t.row("66 0F2A", "CVTPI2PD Vpd,Qq", "", SseConvert::cvtpi2pd);
    t.row("NP 0F2C", "CVTTPS2PI Pq,Wq", "", SseConvert.cvtps2pi(true));
    t.row("66 0F2C", "CVTTPD2PI Pq,Wpd", "", SseConvert.cvtpd2pi(true));
    t.row("NP 0F2D", "CVTPS2PI Pq,Wq", "", SseConvert.cvtps2pi(false));
    t.row("66 0F2D", "CVTPD2PI Pq,Wpd", "", SseConvert.cvtpd2pi(false));
    t.row("NP 0F5A", "CVTPS2PD Vpd,Wq", "", SseConvert::cvtps2pd);
    t.row("66 0F5A", "CVTPD2PS Vps,Wpd", "", SseConvert::cvtpd2ps);
    t.row("NP 0F5B", "CVTDQ2PS Vps,Wdq", "", SseConvert::cvtdq2ps);
    t.row("66 0F5B", "CVTPS2DQ Vdq,Wps", "", SseConvert.cvtps2dq(false));
    t.row("F3 0F5B", "CVTTPS2DQ Vdq,Wps", "", SseConvert.cvtps2dq(true));
    t.row("66 0FE6", "CVTTPD2DQ Vdq,Wpd", "", SseConvert.cvtpd2dq(true));
    t.row("F3 0FE6", "CVTDQ2PD Vpd,Wq", "", SseConvert::cvtdq2pd);
    t.row("F2 0FE6", "CVTPD2DQ Vdq,Wpd", "", SseConvert.cvtpd2dq(false));
  }

  private static void horizontal(OpcodeTable t) {
    t.row("66 0F7C", "HADDPD Vpd,Wpd", "", SseFloat.horizontal64(SseArithmetic::add));
    t.row("F2 0F7C", "HADDPS Vps,Wps", "", SseFloat.horizontal32(SseArithmetic::add));
    t.row("66 0F7D", "HSUBPD Vpd,Wpd", "", SseFloat.horizontal64(SseArithmetic::subtract));
    t.row("F2 0F7D", "HSUBPS Vps,Wps", "", SseFloat.horizontal32(SseArithmetic::subtract));
    t.row("66 0FD0", "ADDSUBPD Vpd,Wpd", "", SseFloat::addsubpd);
    t.row("F2 0FD0", "ADDSUBPS Vps,Wps", "", SseFloat::addsubps);
  }
}
