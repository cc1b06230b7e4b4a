package org.pluribus.vmm.emulator;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** SSE results that can be stated without an oracle, and exceptions of SSE arithmetic. */
class SseTest {
  private static final long SEED = Long.getLong("pluribus.seed", 7L);
  private static final String ADDSD = "F2 0F 58 C1"; // xmm0, xmm1
  private static final String MULSD = "F2 0F 59 C1";
  private static final String DIVSD = "F2 0F 5E C1";
  private static final String SQRTSD = "F2 0F 51 C1";
  private static final String DIVSS = "F3 0F 5E C1";
  private static final int PRECISION_FLAG = 1 << 5;

  private final PlainMachine m = PlainMachine.in64();
  private final Cpu cpu = m.cpu;

  @AfterEach
  void close() {
    m.close();
  }

  private double binary(String code, double a, double b) {
    cpu.xmm[0] = Double.doubleToRawLongBits(a);
    cpu.xmm[2] = Double.doubleToRawLongBits(b);
    m.exec(code);
    return Double.longBitsToDouble(cpu.xmm[0]);
  }

  @Test
  void nearestAgreesWithJavaAndInexactnessWithDirectedRounding() {
    Random random = new Random(SEED);
    String[] codes = {ADDSD, MULSD, DIVSD, SQRTSD};
    for (int n = 0; n < 20_000; n++) {
      double a = Math.scalb(random.nextInt(1 << 20), random.nextInt(40) - 20);
      double b = n % 3 == 0 ? random.nextInt(64) + 1 : random.nextDouble() * 1e9;
      int which = n & 3;
      cpu.mxcsr = 0x1F80;
      double nearest = binary(codes[which], a, b);
      double java =
          switch (which) {
            case 0 -> a + b;
            case 1 -> a * b;
            case 2 -> a / b;
            default -> Math.sqrt(b);
          };
      assertThat(nearest).as("seed %d case %d: %s, %s", SEED, n, a, b).isEqualTo(java);
      boolean inexact = (cpu.mxcsr & PRECISION_FLAG) != 0;
      cpu.mxcsr = 0x1F80 | SoftFloat.DOWN << 13;
      double down = binary(codes[which], a, b);
      cpu.mxcsr = 0x1F80 | SoftFloat.UP << 13;
      double up = binary(codes[which], a, b);
      String what = "seed %d case %d: %s, %s".formatted(SEED, n, a, b);
      assertThat(up).as(what).isEqualTo(inexact ? Math.nextUp(down) : down);
      assertThat(nearest).as(what).isBetween(down, up);
    }
  }

  @Test
  void unmaskedExceptionsLeaveTheDestinationAndRaiseXm() {
    cpu.mxcsr = 0x1F80 & ~(SoftFloat.DIVIDE_BY_ZERO << 7);
    cpu.xmm[0] = Float.floatToRawIntBits(1);
    cpu.xmm[2] = 0;
    assertThat(m.vectorOf(DIVSS)).isEqualTo(GuestFault.XM);
    assertThat(cpu.xmm[0]).isEqualTo(Float.floatToRawIntBits(1));
    assertThat(cpu.mxcsr & 0x3F).isEqualTo(SoftFloat.DIVIDE_BY_ZERO);
    cpu.cr4 &= ~CpuRegisters.CR4_OSXMMEXCPT;
    assertThat(m.vectorOf(DIVSS)).isEqualTo(GuestFault.UD);
  }

  @Test
  void denormalsFlushAndCountAsZeroWhenAsked() {
    assertThat(binary(MULSD, Double.MIN_NORMAL, 0.5)).isEqualTo(Double.MIN_NORMAL / 2);
    assertThat(cpu.mxcsr & 0x3F).isZero(); // tiny but exact: no underflow while masked
    cpu.mxcsr = 0x1F80 | 1 << 15;
    assertThat(binary(MULSD, Double.MIN_NORMAL, 0.5)).isZero();
    assertThat(cpu.mxcsr & 0x3F).isEqualTo(SoftFloat.UNDERFLOW | SoftFloat.PRECISION);
    cpu.mxcsr = 0x1F80;
    assertThat(binary(ADDSD, Double.MIN_VALUE, 1)).isEqualTo(1);
    assertThat(cpu.mxcsr & 0x3F).isEqualTo(SoftFloat.DENORMAL | SoftFloat.PRECISION);
    cpu.mxcsr = 0x1F80 | 1 << 6;
    assertThat(binary(ADDSD, Double.MIN_VALUE, 1)).isEqualTo(1);
    assertThat(cpu.mxcsr & 0x3F).isZero();
  }

  @Test
  void maskedStoreWritesOnlyMarkedBytes() {
    m.reg(CpuRegisters.RDI, PlainMachine.DATA);
    m.put64(PlainMachine.DATA, -1).put64(PlainMachine.DATA + 8, -1);
    cpu.xmm[0] = 0x1122334455667788L;
    cpu.xmm[1] = 0x99;
    cpu.xmm[2] = 0x80FF_0000_0000_0000L;
    cpu.xmm[3] = 0x80;
    m.exec("66 0F F7 C1");
    assertThat(m.get64(PlainMachine.DATA)).isEqualTo(0x1122FFFFFFFFFFFFL);
    assertThat(m.get64(PlainMachine.DATA + 8)).isEqualTo(0xFFFFFFFFFFFFFF99L);
  }
}
