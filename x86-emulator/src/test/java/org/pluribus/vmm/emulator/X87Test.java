package org.pluribus.vmm.emulator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** x87 results that can be stated without an oracle. */
class X87Test {
  private static final long SEED = Long.getLong("pluribus.seed", 11L);
  private static final String FLD_QWORD = "DD 06"; // [rsi]
  private static final String FSTP_QWORD = "DD 1E";
  private static final String FILD_QWORD = "DF 2E";
  private static final String FISTP_QWORD = "DF 3E";
  private static final String FBLD = "DF 26";
  private static final String FBSTP = "DF 36";
  private static final String FADDP = "DE C1";
  private static final String FMULP = "DE C9";
  private static final String FDIVP = "DE F9";
  private static final String FSQRT = "D9 FA";
  private static final int DOUBLE_PRECISION = 0x27F;

  private final PlainMachine m = PlainMachine.in64();
  private final Cpu cpu = m.cpu;

  X87Test() {
    m.reg(CpuRegisters.RSI, PlainMachine.DATA);
  }

  @AfterEach
  void close() {
    m.close();
  }

  private X87Test load(double v) {
    m.put64(PlainMachine.DATA, Double.doubleToRawLongBits(v)).exec(FLD_QWORD);
    return this;
  }

  private double pop() {
    m.exec(FSTP_QWORD);
    return Double.longBitsToDouble(m.get64(PlainMachine.DATA));
  }

  private double apply(String code, double... operands) {
    for (double v : operands) {
      load(v);
    }
    m.exec(code);
    return pop();
  }

  @Test
  void doublePrecisionControlAgreesWithJava() {
    Random random = new Random(SEED);
    cpu.fpControl = DOUBLE_PRECISION;
    for (int n = 0; n < 5_000; n++) {
      double a = random.nextGaussian() * 1e9;
      double b = random.nextGaussian();
      String what = "seed %d: %s, %s".formatted(SEED, a, b);
      assertThat(apply(FADDP, a, b)).as(what).isEqualTo(a + b);
      assertThat(apply(FMULP, a, b)).as(what).isEqualTo(a * b);
      assertThat(apply(FDIVP, a, b)).as(what).isEqualTo(a / b);
      assertThat(apply(FSQRT, Math.abs(a))).as(what).isEqualTo(Math.sqrt(Math.abs(a)));
    }
  }

  @Test
  void transcendentalsAgreeWithJavaToItsPrecision() {
    Random random = new Random(SEED);
    for (int n = 0; n < 300; n++) {
      double a = random.nextGaussian() * 3;
      double b = random.nextGaussian();
      double small = random.nextDouble() * 0.5 - 0.25;
      String what = "seed %d: %s, %s, %s".formatted(SEED, a, b, small);
      assertThat(apply("D9 FE", a)).as(what).isCloseTo(Math.sin(a), within(1e-15));
      assertThat(apply("D9 FF", a)).as(what).isCloseTo(Math.cos(a), within(1e-15));
      assertThat(apply("D9 F3", a, b)).as(what).isCloseTo(Math.atan2(a, b), within(1e-15));
      double log = b * Math.log(Math.abs(a)) / Math.log(2);
      assertThat(apply("D9 F1", b, Math.abs(a))).as(what).isCloseTo(log, within(1e-14));
      double log1p = b * Math.log1p(small) / Math.log(2);
      assertThat(apply("D9 F9", b, small)).as(what).isCloseTo(log1p, within(1e-15));
      double power = Math.expm1(small * Math.log(2));
      assertThat(apply("D9 F0", small)).as(what).isCloseTo(power, within(1e-16));
      load(small);
      m.exec("D9 F2"); // FPTAN
      assertThat(pop()).isEqualTo(1);
      assertThat(pop()).as(what).isCloseTo(Math.tan(small), within(1e-16));
    }
  }

  @Test
  void remainderIsReachedInSteps() {
    double a = 1e300;
    double b = 3;
    load(b).load(a);
    int steps = 0;
    do {
      m.exec("D9 F8").exec("DF E0"); // FPREM, FNSTSW AX
      assertThat(++steps).isLessThan(40);
    } while ((m.reg(CpuRegisters.RAX) & X87.C2) != 0);
    assertThat(pop()).isEqualTo(a % b);
    assertThat(pop()).isEqualTo(b);
    assertThat(steps).isGreaterThan(1);
  }

  @Test
  void integersAndDecimalsKeepAllTheirBits() {
    for (long v : new long[] {0, -1, Long.MAX_VALUE, Long.MIN_VALUE, 0x123456789ABCDEFL}) {
      m.put64(PlainMachine.DATA, v).exec(FILD_QWORD);
      m.put64(PlainMachine.DATA, 77).exec(FISTP_QWORD);
      assertThat(m.get64(PlainMachine.DATA)).isEqualTo(v);
    }
    m.put64(PlainMachine.DATA, 0x1234_5678_9012_3456L).put64(PlainMachine.DATA + 8, 0x8078);
    m.exec(FBLD);
    m.put64(PlainMachine.DATA, 0).put64(PlainMachine.DATA + 8, 0).exec(FBSTP);
    assertThat(m.get64(PlainMachine.DATA)).isEqualTo(0x1234_5678_9012_3456L);
    assertThat(m.get64(PlainMachine.DATA + 8)).isEqualTo(0x8078);
  }

  @Test
  void stackFaultsTellOverflowFromUnderflow() {
    m.exec("D9 C0"); // FLD ST0 of an empty stack
    assertThat(cpu.fpStatus & 0x7F).isEqualTo(SoftFloat.INVALID | X87.STACK_FAULT);
    assertThat(cpu.fpStatus & X87.C1).isZero();
    m.exec("DB E3");
    for (int n = 0; n < 8; n++) {
      m.exec("D9 E8");
    }
    assertThat(cpu.fpStatus & 0x7F).isZero();
    m.exec("D9 E8");
    assertThat(cpu.fpStatus & 0x7F).isEqualTo(SoftFloat.INVALID | X87.STACK_FAULT);
    assertThat(cpu.fpStatus & X87.C1).isNotZero();
    assertThat(pop()).isNaN();
  }

  @Test
  void unmaskedExceptionsWaitForTheNextInstruction() {
    cpu.fpControl &= ~SoftFloat.DIVIDE_BY_ZERO;
    load(1).load(0);
    m.exec(FDIVP);
    assertThat(m.vectorOf("D9 E8")).isEqualTo(GuestFault.MF);
    assertThat(cpu.fpTop).isEqualTo(6); // nothing was popped
    m.exec("DB E2");
    assertThat(pop()).isZero();
    assertThat(pop()).isEqualTo(1);
    cpu.cr0 &= ~CpuRegisters.CR0_NE;
    load(1).load(0);
    m.exec(FDIVP).exec("D9 E8"); // as with IGNNE# asserted
  }
}
