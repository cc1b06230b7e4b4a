package org.pluribus.vmm.emulator.oracle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.pluribus.vmm.emulator.Decoder;
import org.pluribus.vmm.emulator.GuestFault;
import org.pluribus.vmm.emulator.Insn;
import org.pluribus.vmm.emulator.OpcodeRow;
import org.pluribus.vmm.emulator.OpcodeTable;

/**
 * Random bytes with piled-up prefixes against the host CPU: what our decoder takes for an
 * instruction must be that instruction there, of the same length, or raise the same fault.
 *
 * <p>What it refuses the host may know (AVX and other extensions our CPUID does not tell of): such
 * opcodes are listed in {@code target/opcodes-left-out.txt}. {@code -Dpluribus.seed=N} repeats a
 * run, {@code -Dpluribus.decodings=N} sets its length.
 */
class DecodingTest {
  private static final long SEED = Long.getLong("pluribus.seed", 20_251_101L);
  private static final int DECODINGS = Integer.getInteger("pluribus.decodings", 20_000);
  private static final int SHOWN = 20;
  private static final int[] PREFIXES = {
    0x66, 0x67, 0xF0, 0xF2, 0xF3, 0x2E, 0x36, 0x3E, 0x26, 0x64, 0x65
  };

  private final Random random = new Random(SEED);
  private final CaseGenerator cases = new CaseGenerator(random);
  private final Decoder decoder = new Decoder(OpcodeTable.standard());
  private final MachineImage ours = MachineImage.allocate();
  private final List<String> failures = new ArrayList<>();
  private final Map<String, Integer> leftOut = new TreeMap<>();
  private int compared;

  /** Drawn bytes, and how our decoder reads them. */
  private record Draw(byte[] bytes, @Nullable Insn insn, int codeBits) {}

  @Test
  void whatWeDecodeTheHostCpuDecodesAlike() throws IOException {
    String why = OracleProcess.noHostCpu();
    assumeTrue(why == null, Objects.toString(why));
    try (OracleProcess host = OracleProcess.hostCpu();
        EmulatedCpu emulated = new EmulatedCpu()) {
      for (int done = 0; done < DECODINGS; done += OracleProcess.ROOM) {
        List<Draw> batch = new ArrayList<>();
        while (batch.size() < OracleProcess.ROOM) {
          Draw draw = draw();
          if (fill(draw, host.input(batch.size()))) {
            batch.add(draw);
          }
        }
        host.run(batch.size(), "random bytes");
        for (int i = 0; i < batch.size(); i++) {
          emulated.run(host.input(i), ours);
          judge(batch.get(i), host.input(i), host.result(i));
        }
      }
    }
    Files.writeString(Path.of("target", "opcodes-left-out.txt"), leftOutTable());
    assertThat(failures)
        .withFailMessage(
            () -> "-Dpluribus.seed=%d:\n%s".formatted(SEED, String.join("\n", failures)))
        .isEmpty();
    assertThat(compared).as("decodings compared").isGreaterThan(DECODINGS / 4);
  }

  private Draw draw() {
    int codeBits = random.nextInt(4) == 0 ? 32 : 64;
    byte[] bytes = new byte[24];
    random.nextBytes(bytes);
    int at = 0;
    int prefixes = random.nextInt(4);
    for (int i = 0; i < prefixes; i++) {
      bytes[at++] = (byte) PREFIXES[random.nextInt(PREFIXES.length)];
    }
    if (codeBits == 64 && random.nextInt(3) == 0) {
      bytes[at++] = (byte) (0x40 | random.nextInt(16));
      if (random.nextInt(8) == 0) {
        bytes[at++] = 0x66; // makes the REX void
      }
    }
    if (random.nextInt(3) != 0) {
      bytes[at++] = 0x0F;
      if (random.nextInt(4) == 0) {
        bytes[at] = random.nextBoolean() ? (byte) 0x38 : 0x3A;
      }
    }
    Insn insn = new Insn();
    int length = decoder.decode(bytes, 0, bytes.length, codeBits, insn);
    return length > 0
        ? new Draw(Arrays.copyOf(bytes, length), insn, codeBits)
        : new Draw(Arrays.copyOf(bytes, Decoder.MAX_LENGTH), null, codeBits);
  }

  /** False if the bytes must not be run on the host. */
  private boolean fill(Draw draw, MachineImage image) {
    Insn insn = draw.insn;
    if (insn == null) {
      cases.fillState(image);
      image.instruction(draw.bytes);
      if (draw.codeBits == 32) {
        image.selectors(MachineImage.USER_CS32, MachineImage.USER_DS);
      }
      return !unknownButPrivate(draw.bytes);
    }
    if (OracleLimits.nativeReason(insn.row) != null || differsBetweenModels(insn)) {
      return false;
    }
    cases.fill(image, new Encoding(draw.bytes, insn, -1, 0, draw.codeBits));
    return !OracleLimits.skip(image, insn);
  }

  /** XSAVE and its kin would store more than the window holds and depend on XCR0. */
  private static boolean unknownButPrivate(byte[] bytes) {
    for (int i = 0; i + 1 < bytes.length; i++) {
      int next = bytes[i + 1] & 0xFF;
      if (bytes[i] == 0x0F && (next == 0xAE || next == 0xC7 || next == 0x01 || next == 0x05)) {
        return true;
      }
    }
    return false;
  }

  private static boolean differsBetweenModels(Insn insn) {
    OpcodeRow row = insn.row;
    boolean near = row.operands.stream().anyMatch(o -> o.letter() == 'J');
    return switch (row.mnemonic) {
      // With F3 the host's TZCNT and LZCNT, which CPUs without them read as BSF and BSR.
      case "BSF", "BSR" -> insn.rep == 0xF3;
      // With 66 AMD truncates RIP in 64-bit code, Intel ignores the prefix.
      case "CALL", "JMP", "RET" -> insn.prefix66;
      // AMD lets F3 and F2 choose the condition (as with REP and CMPS), Intel ignores them.
      case "LOOPE", "LOOPNE" -> insn.rep != 0 || insn.prefix66;
      // Reserved hints: models differ in which of them look at memory or are undefined.
      case "PREFETCH", "PREFETCHW", "CLFLUSH" -> true;
      default -> near && insn.prefix66;
    };
  }

  private void judge(Draw draw, MachineImage in, MachineImage theirs) {
    if (draw.insn == null) {
      if (theirs.vector() != GuestFault.UD && ours.vector() == GuestFault.UD) {
        leftOut.merge(opcode(draw.bytes), 1, Integer::sum);
      }
      return;
    }
    compared++;
    List<String> found = Comparison.withHostCpu(in, draw.insn, theirs, ours);
    if (!found.isEmpty() && failures.size() < SHOWN) {
      failures.add(
          "%d-bit %s: %s\n    %s\n  from%s"
              .formatted(
                  draw.codeBits,
                  draw.insn.row.text(),
                  hex(draw.bytes),
                  String.join("\n    ", found),
                  Inputs.of(in, draw.insn)));
    }
  }

  /** The opcode bytes behind the prefixes, as far as they tell instructions apart. */
  private static String opcode(byte[] bytes) {
    int at = 0;
    while (at < bytes.length - 4 && isPrefix(bytes[at] & 0xFF)) {
      at++;
    }
    int length = bytes[at] != 0x0F ? 1 : bytes[at + 1] == 0x38 || bytes[at + 1] == 0x3A ? 3 : 2;
    return hex(Arrays.copyOfRange(bytes, at, at + length));
  }

  private static boolean isPrefix(int value) {
    return (value & 0xF0) == 0x40 || Arrays.stream(PREFIXES).anyMatch(p -> p == value);
  }

  private String leftOutTable() {
    StringBuilder text =
        new StringBuilder("Opcodes the host CPU knows and we refuse, and how often met\n");
    leftOut.forEach((opcode, count) -> text.append("%-12s %5d\n".formatted(opcode, count)));
    return text.toString();
  }

  private static String hex(byte[] bytes) {
    return HexFormat.of().withDelimiter(" ").formatHex(bytes);
  }
}
