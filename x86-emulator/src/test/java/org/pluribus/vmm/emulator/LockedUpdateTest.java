package org.pluribus.vmm.emulator;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** LOCK between CPUs of one node: no update is lost, whatever the operand's place. */
@Timeout(120)
class LockedUpdateTest {
  private static final int CPUS = 2;
  private static final int ROUNDS = 50_000;

  /** Offsets: aligned; misaligned in a cache line; across cache lines; across pages. */
  @ParameterizedTest
  @ValueSource(longs = {0x10, 0x13, 0x3D, 0xFFD})
  void lockedIncrementsAllCount(long offset) throws Exception {
    try (PlainMachine m = PlainMachine.in64()) {
      m.put64(PlainMachine.DATA + offset, 0xFFFF_FF00L); // a carry passes the boundary
      // l: lock inc qword [rbx]; dec rcx; jnz l
      run(m, "F048FF03 48FFC9 75F7", PlainMachine.DATA + offset);
      assertThat(m.get64(PlainMachine.DATA + offset)).isEqualTo(0xFFFF_FF00L + CPUS * ROUNDS);
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {0x10, 0x3F, 0xFFF})
  void exchangedSpinlockProtectsPlainIncrements(long offset) throws Exception {
    try (PlainMachine m = PlainMachine.in64()) {
      String code =
          "B801000000" // l: mov eax, 1
              + "668703" // s: xchg [rbx], ax
              + "6685C0" // test ax, ax
              + "7404" // jz +4
              + "F390" // pause
              + "EBF4" // jmp s
              + "48FF4340" // inc qword [rbx+0x40]
              + "66C7030000" // mov word [rbx], 0
              + "48FFC9" // dec rcx
              + "75E1"; // jnz l
      run(m, code, PlainMachine.DATA + offset);
      assertThat(m.get64(PlainMachine.DATA + offset + 0x40)).isEqualTo((long) CPUS * ROUNDS);
    }
  }

  @Test
  void cmpxchg16bLosesNothing() throws Exception {
    try (PlainMachine m = PlainMachine.in64()) {
      // Adds 1 to the low half and 2 to the high one, together.
      String code =
          "4989C8" // mov r8, rcx (rounds)
              + "488B06" // l: mov rax, [rsi]
              + "488B5608" // mov rdx, [rsi+8]
              + "488D5801" // s: lea rbx, [rax+1]
              + "488D4A02" // lea rcx, [rdx+2]
              + "F0480FC70E" // lock cmpxchg16b [rsi]
              + "75F1" // jnz s
              + "49FFC8" // dec r8
              + "75E5"; // jnz l
      run(m, code, PlainMachine.DATA);
      assertThat(m.get64(PlainMachine.DATA)).isEqualTo((long) CPUS * ROUNDS);
      assertThat(m.get64(PlainMachine.DATA + 8)).isEqualTo(2L * CPUS * ROUNDS);
    }
  }

  /** Runs {@code code} on all CPUs at once with RBX = RSI = operand and RCX = rounds. */
  private static void run(PlainMachine m, String code, long operand) throws Exception {
    m.code(code);
    long end = PlainMachine.CODE + code.replace(" ", "").length() / 2;
    List<Cpu> cpus = new ArrayList<>(List.of(m.cpu));
    for (int n = 1; n < CPUS; n++) {
      cpus.add(m.newCpu(n));
      m.enter64(cpus.get(n));
    }
    try (ExecutorService threads = Executors.newFixedThreadPool(CPUS)) {
      List<Future<?>> done = new ArrayList<>();
      for (Cpu c : cpus) {
        c.gpr[CpuRegisters.RBX] = operand;
        c.gpr[CpuRegisters.RSI] = operand;
        c.gpr[CpuRegisters.RCX] = ROUNDS;
        done.add(
            threads.submit(() -> {
              while (c.rip != end && !Thread.interrupted()) {
                m.runShared(c);
              }
            }));
      }
      for (Future<?> f : done) {
        f.get();
      }
    }
  }
}
