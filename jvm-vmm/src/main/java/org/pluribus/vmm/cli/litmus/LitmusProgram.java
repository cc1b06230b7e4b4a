package org.pluribus.vmm.cli.litmus;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * What the payload {@code litmus} runs, as the module (initial RAM disk) that it gets from the
 * loader: a header, a record for each case, and the CPUs' code. native/payloads/litmus.c has the
 * same structures; all numbers are 32 bits, little-endian.
 *
 * @param cases what to run, one after the other
 * @param iterations how often each, at least
 */
public record LitmusProgram(List<LitmusCase> cases, int iterations) {
  /** Instances of a test between two barriers: native/payloads/litmus.c, INSTANCES. */
  static final int INSTANCES = 256;

  /** Most cases: the guest has a page for each one's outcomes (MAX_CASES there). */
  static final int MAX_CASES = 512;

  /** First number of the file: "litm". */
  private static final int MAGIC = 0x6D74_696C;

  private static final int HEADER_NUMBERS = 4;

  /** CPUs, variables, layout, batches, slot of the first variable, nothing; then each CPU's. */
  private static final int CASE_NUMBERS = 6;

  /** Code without delays, code with delays, registers, slot of the first one. */
  private static final int CPU_NUMBERS = 4;

  private static final int CASE_BYTES =
      Integer.BYTES * (CASE_NUMBERS + LitmusTest.MAX_CPUS * CPU_NUMBERS);

  /** Routines start on cache lines of their own. */
  private static final int CODE_ALIGNMENT = 64;

  public LitmusProgram {
    cases = List.copyOf(cases);
    if (cases.size() > MAX_CASES) {
      throw new IllegalArgumentException(
          cases.size() + " tests are too many; at most " + MAX_CASES);
    }
  }

  /** Barriers' worth of each case; each has {@value #INSTANCES} iterations. */
  int batches() {
    return Math.ceilDiv(iterations, INSTANCES);
  }

  /** The bytes. */
  byte[] toBytes() {
    int codeStart = aligned(HEADER_NUMBERS * Integer.BYTES + cases.size() * CASE_BYTES);
    List<byte[]> routines = new ArrayList<>();
    ByteBuffer head = ByteBuffer.allocate(codeStart).order(ByteOrder.LITTLE_ENDIAN);
    head.putInt(MAGIC).putInt(cases.size()).putInt(INSTANCES).putInt(0);
    int at = codeStart;
    for (LitmusCase c : cases) {
      LitmusTest test = c.test();
      head.putInt(test.cpus().size()).putInt(test.variables()).putInt(c.layout().ordinal());
      head.putInt(batches()).putInt(test.variableSlot()).putInt(0);
      for (int cpu = 0; cpu < LitmusTest.MAX_CPUS; cpu++) {
        if (cpu >= test.cpus().size()) {
          head.position(head.position() + CPU_NUMBERS * Integer.BYTES);
          continue;
        }
        for (boolean delays : new boolean[] {false, true}) {
          byte[] code = CpuCode.of(test.cpus().get(cpu), delays);
          head.putInt(at);
          routines.add(code);
          at += aligned(code.length);
        }
        head.putInt(test.registers(cpu)).putInt(test.firstSlot(cpu));
      }
    }
    byte[] all = new byte[at];
    System.arraycopy(head.array(), 0, all, 0, codeStart);
    int to = codeStart;
    for (byte[] code : routines) {
      System.arraycopy(code, 0, all, to, code.length);
      to += aligned(code.length);
    }
    return all;
  }

  private static int aligned(int size) {
    return (size + CODE_ALIGNMENT - 1) & -CODE_ALIGNMENT;
  }

  /** Writes it to a temporary file, for the one who deletes it. */
  public Path write() throws IOException {
    Path file = Files.createTempFile("pluribus-litmus", ".bin");
    return Files.write(file, toBytes());
  }
}
