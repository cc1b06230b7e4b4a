package org.pluribus.vmm.emulator;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** When compiled code gives control back, and what becomes of it when its bytes change. */
final class RegionCompilerTest {
  private static final int THRESHOLD = 10;

  /** More rounds than any loop here needs; a test that gets there has failed. */
  private static final int MAX_ROUNDS = 100_000;

  private final PlainMachine m = PlainMachine.in64();
  private final RegionCompiler compiler = RegionCompiler.immediate(THRESHOLD);

  @AfterEach
  void close() {
    m.close();
  }

  private void start(String code) {
    m.code(code);
    m.cpu.compileWith(compiler);
    m.cpu.fuel = Integer.MAX_VALUE;
  }

  /** Runs until the code at CODE is compiled. */
  private void warmUp() {
    for (int n = 0; compiler.regions() == 0; n++) {
      assertThat(n).isLessThan(MAX_ROUNDS);
      m.cpu.runBlocks();
    }
    assertThat(compiler.lastFailure()).isNull();
  }

  @Test
  void endlessLoopGivesWayToAttention() {
    start("48FFC0 EBFB"); // inc rax; jmp back
    warmUp();
    m.cpu.attention = Cpu.ATTENTION_SAFEPOINT;
    m.cpu.runBlocks();
    long before = m.reg(0);
    m.cpu.runBlocks();
    assertThat(m.reg(0)).isGreaterThan(before);
    assertThat(m.cpu.rip).isEqualTo(PlainMachine.CODE);
  }

  @Test
  void shortRegionsThatFollowEachOtherUseUpFuel() {
    start("E802000000 EBF9 C3"); // call f; jmp back; f: ret
    warmUp();
    m.cpu.fuel = 1000;
    m.cpu.runBlocks();
    int rounds = 0;
    while (m.cpu.fuel >= 0) {
      assertThat(rounds++).isLessThan(MAX_ROUNDS);
      m.cpu.runBlocks();
    }
  }

  @Test
  void overwrittenCodeIsLeftBehindAtOnce() {
    // mov eax, imm32; mov [rip - 10], ecx (the imm32); add rbx, rax; dec rdx; jnz back
    start("B801000000 890DF6FFFFFF 4801C3 48FFCA 75ED EBFE");
    m.reg(1, 1).reg(3, 0).reg(2, 100);
    while (m.reg(2) > 50) {
      m.cpu.runBlocks();
    }
    long sum = m.reg(3);
    long left = m.reg(2);
    m.reg(1, 7);
    while (m.reg(2) > 0) {
      m.cpu.runBlocks();
    }
    assertThat(compiler.lastFailure()).isNull();
    // The first pass still adds what the immediate was when it was loaded.
    assertThat(m.reg(3) - sum).isBetween(1 + 7 * (left - 1), 7 * left);
  }

  @Test
  void codeChangedByAnotherIsNotRunOnceThePageIsStale() {
    start("B801000000 4801C3 EBF6"); // mov eax, 1; add rbx, rax; jmp back
    warmUp();
    m.reg(3, 0);
    m.put(PlainMachine.CODE + 1, new byte[] {0});
    m.codeCache.markStale(PlainMachine.CODE >>> 12);
    m.cpu.attention = Cpu.ATTENTION_SAFEPOINT;
    for (int n = 0; n < 3 * THRESHOLD; n++) {
      m.cpu.runBlocks();
    }
    assertThat(m.reg(3)).isLessThanOrEqualTo(1);
  }

  @Test
  void sixteenAndThirtyTwoBitCodeStaysInterpreted() {
    try (PlainMachine old = PlainMachine.in32()) {
      old.code("40 EBFD"); // inc eax; jmp back
      old.cpu.compileWith(compiler);
      for (int n = 0; n < 5 * THRESHOLD; n++) {
        old.cpu.runBlocks();
      }
      assertThat(compiler.regions()).isZero();
      assertThat(compiler.failures()).isZero();
      assertThat(old.reg(0)).isEqualTo(5 * THRESHOLD);
    }
  }

  @Test
  void backgroundCompilerTakesOver() throws InterruptedException {
    try (RegionCompiler background = RegionCompiler.inBackground(THRESHOLD)) {
      m.code("48FFC0 EBFB");
      m.cpu.compileWith(background);
      m.cpu.attention = Cpu.ATTENTION_SAFEPOINT; // one pass at a time
      Block b = m.cpu.currentBlock();
      for (int n = 0; b.compiled == null && n < MAX_ROUNDS; n++) {
        m.cpu.runBlocks();
        if (n > THRESHOLD) {
          Thread.sleep(1);
        }
      }
      assertThat(background.lastFailure()).isNull();
      assertThat(b.compiled).isNotNull();
      assertThat(m.reg(0)).isEqualTo(m.cpu.instructions / 2);
    }
  }
}
