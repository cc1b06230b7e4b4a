package org.pluribus.vmm.emulator;

import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Measures guest MIPS of small loops, interpreted and compiled, by hand:
 *
 * <pre>
 *   mvn -q -pl x86-emulator -am test-compile
 *   java ... org.pluribus.vmm.emulator.SpeedMeter [seconds per figure]
 * </pre>
 *
 * Prints one line per loop and mode.
 */
public final class SpeedMeter {
  private enum Loop {
    /** dec, add, xor, lea, shl, cmp, jnz. */
    INTEGER(
        "48C7C1FFFFFF7F 31C0 BA01000000"
            + "4801D0 4831C2 488D5C1001 48C1E303 4801D8 4839C3 48FFC9 75E6 EBFE"),
    /** A memory copy of quadwords. */
    COPY(
        "48C7C1FFFFFF7F BE00004000 BF00004100"
            + "4889CA 81E2FF0F0000 488B04D6 488904D7 48FFC9 75EA EBFE"),
    /** Calls of a small function with a frame. */
    CALLS("48C7C1FFFFFF7F" + "E807000000 48FFC9 75F6 EBFE 55 4889E5 53 4801C8 5B 5D C3"),
    /** Sums of bytes with a compare and a branch, as in string functions. */
    BYTES(
        "48C7C1FFFFFF7F BE00004000"
            + "89C8 25FF0F0000 0FB60406 3C41 7204 4883C301 4801C3 48FFC9 75E5 EBFE");

    final String code;

    Loop(String code) {
      this.code = code;
    }
  }

  private SpeedMeter() {}

  public static void main(String[] args) {
    double seconds = args.length > 0 ? Double.parseDouble(args[0]) : 3;
    for (Loop l : Loop.values()) {
      measure(l, "interpreted", null, seconds);
      try (RegionCompiler c = RegionCompiler.inBackground(RegionCompiler.DEFAULT_THRESHOLD)) {
        measure(l, "compiled", c, seconds);
      }
    }
  }

  private static void measure(
      Loop loop, String mode, @Nullable RegionCompiler compiler, double seconds) {
    try (PlainMachine m = PlainMachine.in64()) {
      m.code(loop.code);
      if (compiler != null) {
        m.cpu.compileWith(compiler);
      }
      // Half of the time warms up.
      double best = 0;
      for (int k = 0; k < 6; k++) {
        best = Math.max(best, mips(m.cpu, seconds / 6));
      }
      System.out.printf(Locale.ROOT, "%-8s %-12s %8.1f MIPS%n", loop, mode, best);
    }
  }

  private static double mips(Cpu cpu, double seconds) {
    long begin = System.nanoTime();
    long before = cpu.instructions;
    while (System.nanoTime() - begin < seconds * 1e9) {
      for (int k = 0; k < 1000; k++) {
        cpu.fuel = 1 << 16;
        cpu.runBlocks();
      }
    }
    return (cpu.instructions - before) / ((System.nanoTime() - begin) / 1e3);
  }
}
