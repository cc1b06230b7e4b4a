package org.pluribus.vmm.emulator.oracle;

import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.util.HexFormat;
import java.util.Objects;
import org.junit.jupiter.api.Test;

/** The oracles themselves, on instructions whose outcome the SDM states plainly. */
class OraclesTest {
  private static final long DATA = MachineImage.DATA_ADDRESS;

  private interface Oracle {
    MachineImage run(MachineImage in) throws IOException;
  }

  private static byte[] hex(String bytes) {
    return HexFormat.of().parseHex(bytes.replace(" ", ""));
  }

  private static MachineImage image(String instruction) {
    MachineImage image = MachineImage.allocate();
    image.reset();
    image.instruction(hex(instruction));
    return image;
  }

  @Test
  void theHostCpuAddsLoadsStoresAndFaults() throws IOException {
    String why = OracleProcess.noHostCpu();
    assumeTrue(why == null, Objects.toString(why));
    try (OracleProcess cpu = OracleProcess.hostCpu()) {
      Oracle oracle = in -> runAlone(cpu, in);
      checkIntegers(oracle);
      checkFpu(oracle);
      checkFaults(oracle, 14);
      assertThat(oracle.run(image("48 8B 00")).errorCode()).isEqualTo(4); // user read, not present
      MachineImage wild = image("48 8B 00"); // mov rax, [rax]
      wild.gpr(MachineImage.RAX, 0x1234_5000);
      assertThat(oracle.run(wild).cr2()).isEqualTo(0x1234_5000);
      MachineImage compatibility = image("40"); // inc eax outside 64-bit mode, else a bare REX
      compatibility.selectors(MachineImage.USER_CS32, MachineImage.USER_DS);
      assertThat(oracle.run(compatibility).gpr(MachineImage.RAX)).isEqualTo(1);
    }
  }

  @Test
  void unicornAddsLoadsStoresAndFaults() throws IOException {
    String why = UnicornLibrary.unavailable();
    assumeTrue(why == null, Objects.toString(why));
    try (OracleProcess unicorn = OracleProcess.unicorn()) {
      Oracle oracle = in -> runAlone(unicorn, in);
      checkIntegers(oracle);
      checkFpu(oracle);
      checkFaults(oracle, Unicorn.MEMORY_FAULT);
    }
  }

  private static MachineImage runAlone(OracleProcess process, MachineImage in) throws IOException {
    process.input(0).copyFrom(in);
    process.run(1, "a hand-written case");
    return process.result(0);
  }

  private static void checkIntegers(Oracle oracle) throws IOException {
    MachineImage add = image("48 01 D8"); // add rax, rbx
    add.gpr(MachineImage.RAX, -1);
    add.gpr(MachineImage.RBX, 1);
    MachineImage sum = oracle.run(add);
    assertThat(sum.gpr(MachineImage.RAX)).isZero();
    assertThat(sum.rip()).isEqualTo(MachineImage.CODE_ADDRESS + 3);
    assertThat(sum.rflags()).isEqualTo(0x257); // IF ZF AF PF CF and the fixed bit 1

    MachineImage store = image("48 89 0B"); // mov [rbx], rcx: other code at the same address
    store.gpr(MachineImage.RBX, DATA + 4093);
    store.gpr(MachineImage.RCX, 0x1122334455667788L);
    MachineImage stored = oracle.run(store);
    assertThat(stored.data().get(JAVA_LONG_UNALIGNED, 4093)).isEqualTo(0x1122334455667788L);

    MachineImage fill = image("F3 AA"); // rep stosb
    fill.maxSteps(100);
    fill.gpr(MachineImage.RAX, 0x77);
    fill.gpr(MachineImage.RCX, 8);
    fill.gpr(MachineImage.RDI, DATA);
    MachineImage filled = oracle.run(fill);
    assertThat(filled.data().get(JAVA_LONG_UNALIGNED, 0)).isEqualTo(0x7777777777777777L);
    assertThat(filled.gpr(MachineImage.RCX)).isZero();
    assertThat(filled.rip()).isEqualTo(MachineImage.CODE_ADDRESS + 2);
  }

  private static void checkFpu(Oracle oracle) throws IOException {
    MachineImage one = oracle.run(image("D9 E8")); // fld1
    assertThat(one.fxWord(MachineImage.FSW)).isEqualTo(7 << 11); // TOP
    assertThat(one.fxWord(MachineImage.FTW)).isEqualTo(0x80);
    assertThat(one.fxWord(MachineImage.ST0 + 8)).isEqualTo(0x3FFF);
    MachineImage xor = image("0F 57 C1"); // xorps xmm0, xmm1
    xor.fxsave().set(JAVA_LONG_UNALIGNED, MachineImage.XMM0, 0x5555L);
    xor.fxsave().set(JAVA_LONG_UNALIGNED, MachineImage.XMM0 + 16, 0x0FF0L);
    assertThat(oracle.run(xor).fxsave().get(JAVA_LONG_UNALIGNED, MachineImage.XMM0))
        .isEqualTo(0x5AA5L);
  }

  private static void checkFaults(Oracle oracle, int memoryFault) throws IOException {
    assertThat(oracle.run(image("48 8B 00")).vector()).isEqualTo(memoryFault); // mov rax, [0]
    assertThat(oracle.run(image("F7 F3")).vector()).isZero(); // div ebx, by 0
    assertThat(oracle.run(image("0F 0B")).vector()).isEqualTo(6); // ud2
    assertThat(oracle.run(image("90")).vector()).isEqualTo(MachineImage.NO_FAULT);
  }
}
