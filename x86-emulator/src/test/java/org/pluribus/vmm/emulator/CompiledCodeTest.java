package org.pluribus.vmm.emulator;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** The same program, interpreted and compiled, must leave the same state at every fault and end. */
final class CompiledCodeTest {
  private static final long SEED = Long.getLong("pluribus.seed", System.nanoTime());
  private static final int PROGRAMS = Integer.getInteger("pluribus.compiled.programs", 150);

  /** Enough for every program that ends; those that do not are compared up to here. */
  private static final int MAX_FAULTS = 200;

  private static final long MAX_INSNS = 30_000;

  /** What a program did: its state at each fault and at the end. */
  private static List<String> trace(RandomProgram p, long seed, RegionCompiler compiler) {
    List<String> log = new ArrayList<>();
    Random random = new Random(seed);
    try (PlainMachine m = PlainMachine.in64()) {
      Cpu c = m.cpu;
      c.compiler = compiler;
      m.put(PlainMachine.CODE, p.bytes);
      for (int r = 0; r < 16; r++) {
        c.gpr[r] = random.nextInt(3) == 0 ? random.nextInt(256) : random.nextLong();
      }
      for (int k = 0; k < 32; k++) {
        c.xmm[k] = random.nextLong();
      }
      for (int k = 0; k < 0x4000; k += 8) {
        m.put64(PlainMachine.DATA + k, random.nextLong());
      }
      c.setArithmeticFlags(random.nextInt());
      c.rip = PlainMachine.CODE;
      boolean attentive = random.nextBoolean();
      int faults = 0;
      while (c.rip != RandomProgram.END && c.instructions < MAX_INSNS && faults < MAX_FAULTS) {
        c.attention = attentive ? Cpu.ATTENTION_SAFEPOINT : 0;
        c.fuel = 1000;
        try {
          c.runBlocks();
        } catch (GuestFault f) {
          faults++;
          log.add("vector " + f.vector + " error " + f.errorCode + " cr2 " + c.cr2 + state(c));
          if (c.rip != RandomProgram.END) {
            c.rip = p.after(c.rip);
          }
        }
      }
      if (c.rip == RandomProgram.END || faults == MAX_FAULTS) {
        log.add("end" + state(c));
        log.add(Arrays.toString(c.xmm));
        log.add("data " + Arrays.hashCode(m.get(PlainMachine.DATA, 0x8000)));
        log.add("stack " + Arrays.hashCode(m.get(PlainMachine.STACK - 0x1000, 0x2000)));
      }
    }
    return log;
  }

  private static String firstDifference(List<String> a, List<String> b, RandomProgram p) {
    for (int n = 0; n < Math.max(a.size(), b.size()); n++) {
      String x = n < a.size() ? a.get(n) : "nothing";
      String y = n < b.size() ? b.get(n) : "nothing";
      if (!x.equals(y)) {
        String before = n > 0 ? a.get(n - 1) : "the beginning";
        return "after " + before + "\ninterpreted " + x + "\ncompiled    " + y + "\n" + p.listing();
      }
    }
    return "";
  }

  private static String state(Cpu c) {
    return String.format(
        " rip %x flags %x count %d %s", c.rip, c.eflags(), c.instructions, Arrays.toString(c.gpr));
  }

  @Test
  void randomProgramsRunAlikeInterpretedAndCompiled() {
    System.out.println("-Dpluribus.seed=" + SEED);
    Random random = new Random(SEED);
    long regions = 0;
    for (int n = 0; n < PROGRAMS; n++) {
      long seed = random.nextLong();
      RandomProgram p = new RandomProgram(new Random(seed), 4 + random.nextInt(60), 12);
      List<String> interpreted = trace(p, seed, null);
      try (RegionCompiler compiler = RegionCompiler.immediate(1 + random.nextInt(4))) {
        List<String> compiled = trace(p, seed, compiler);
        assertThat(compiler.lastFailure()).isNull();
        assertThat(firstDifference(interpreted, compiled, p))
            .as("program %d (%x) of -Dpluribus.seed=%d", n, seed, SEED)
            .isEmpty();
        regions += compiler.regions();
      }
    }
    assertThat(regions).isGreaterThan(PROGRAMS);
  }
}
