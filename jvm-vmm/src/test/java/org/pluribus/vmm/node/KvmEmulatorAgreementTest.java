package org.pluribus.vmm.node;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.pluribus.vmm.node.OneVcpu.Kind;
import org.pluribus.vmm.node.VcpuState.Fpu;

/**
 * The processor under KVM and the emulator as each other's oracle: the same program from the same
 * state has to leave the same registers and the same memory on both, whichever of them runs it, and
 * also if it moves from one to the other on the way.
 */
@Timeout(value = 600, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class KvmEmulatorAgreementTest {
  /** Where the harness' own code lies, behind the payloads. */
  private static final long CODE = 0x70_0000;

  private static final int CODE_PAGE = 0x1000;
  private static final long DATA = 0x80_0000;
  private static final long STACK = UserMode.STACK_TOP - 0x1000;
  private static final int STACK_BYTES = 0x2000;

  /** cmp eax, eax, which defines all flags; out END_PORT, al; jmp $. */
  private static final byte[] END = HexFormat.of().parseHex("39C0E6F4EBFE");

  /** The jump at the end, where the guest stays. */
  private static final int JUMP_BYTES = 2;

  private static final int SNIPPETS = 600;
  private static final int LONGEST_SNIPPET = 40;
  private static final int SNIPPETS_THAT_MOVE = 10;
  private static final long ROUNDS_OF_MOVERS = 200_000;
  private static final int COMPUTE_ROUNDS = 3_000;
  private static final int COMPUTE_ROUNDS_OF_MOVERS = 100_000;
  private static final int COMPUTE_SEEDS = 4;

  // compute.c: struct state.
  private static final int STATE_BYTES = 264;
  private static final int STATE_XMM = 136;
  private static final int PAGE = 0x1000;
  private static final long TWO_AS_DOUBLE = 0x4000_0000_0000_0000L;

  private static final int RDX = 2;
  private static final int RSP = 4;
  private static final int RSI = 6;
  private static final int RDI = 7;
  private static final int R14 = 14;
  private static final int R15 = 15;

  private static final int ATTEMPTS = 300;
  private static final long FIRST_DELAY_NANOS = 500_000;

  private final long seed =
      Long.getLong("pluribus.seed", ThreadLocalRandom.current().nextLong() >>> 1);
  private OneVcpu kvm;
  private OneVcpu emulator;

  @BeforeEach
  void make() throws InterruptedException {
    OneVcpu.assumeKvm();
    System.out.println("seed " + seed + " (repeat with -Dpluribus.seed=" + seed + ")");
    kvm = new OneVcpu(Kind.KVM);
    emulator = new OneVcpu(Kind.EMULATOR);
    UserMode.tables(kvm, CODE);
    UserMode.tables(emulator, CODE);
  }

  @AfterEach
  void close() throws InterruptedException {
    if (kvm != null) {
      kvm.close();
    }
    if (emulator != null) {
      emulator.close();
    }
  }

  /**
   * A program, ready to run.
   *
   * @param code at {@code start}
   * @param data at {@link #DATA}
   * @param state where it begins
   */
  private record Program(long start, byte[] code, byte[] data, VcpuState state, String what) {
    void load(OneVcpu vcpu) {
      vcpu.write(start, code);
      vcpu.write(DATA, data);
      vcpu.write(STACK, new byte[STACK_BYTES]);
      vcpu.state(state);
    }
  }

  /** What a program left. */
  private record Outcome(VcpuState state, byte[] data, byte[] stack) {
    static Outcome of(OneVcpu vcpu, int dataBytes) {
      return new Outcome(vcpu.state(), vcpu.read(DATA, dataBytes), vcpu.read(STACK, STACK_BYTES));
    }
  }

  private static Outcome run(OneVcpu vcpu, Program program) {
    program.load(vcpu);
    while (!vcpu.run()) {
      // A kick that came late from before: it goes on.
    }
    return Outcome.of(vcpu, program.data.length);
  }

  private static void agree(Outcome expected, Outcome actual, Program program) {
    String differences = StateComparison.differences(expected.state, actual.state);
    assertThat(differences).as(program.what).isEmpty();
    assertThat(actual.data).as("memory, " + program.what).isEqualTo(expected.data);
    assertThat(actual.stack).as("stack, " + program.what).isEqualTo(expected.stack);
  }

  // ---- the payload

  /** compute.S, as compute.c calls it, with this many rounds. */
  private Program compute(PayloadRoutine payload, Random random, int rounds) {
    ByteBuffer data = ByteBuffer.allocate(2 * PAGE).order(ByteOrder.LITTLE_ENDIAN);
    for (int at = 0; at < STATE_XMM; at += 8) {
      data.putLong(at, random.nextLong());
    }
    for (int at = STATE_XMM; at < STATE_BYTES; at += 8) {
      data.putLong(at, TWO_AS_DOUBLE);
    }
    for (int at = PAGE; at < 2 * PAGE; at += 8) {
      data.putLong(at, random.nextLong());
    }
    List<Long> general = new ArrayList<>(random.longs(16).boxed().toList());
    general.set(RDI, DATA);
    general.set(RSI, DATA + PAGE);
    general.set(RDX, (long) rounds);
    general.set(RSP, UserMode.STACK_TOP - 16);
    VcpuState state = UserMode.state(general, payload.address("compute"), UserMode.fpu());
    return new Program(CODE, END, data.array(), state, "compute, seed " + seed);
  }

  private void prepareCompute(PayloadRoutine payload) {
    payload.load(kvm);
    payload.load(emulator);
  }

  /** Where the routine returns to. */
  private static void returnToHarness(OneVcpu vcpu) {
    vcpu.writeLong(UserMode.STACK_TOP - 16, CODE);
  }

  private static Outcome runCompute(OneVcpu vcpu, Program program) {
    program.load(vcpu);
    returnToHarness(vcpu);
    while (!vcpu.run()) {
      // See run().
    }
    return Outcome.of(vcpu, program.data.length);
  }

  /**
   * Every register counts: they all went into memory, and the last ones are compared themselves.
   */
  @Test
  void payloadComputesTheSame() throws Exception {
    PayloadRoutine payload = new PayloadRoutine();
    prepareCompute(payload);
    Random random = new Random(seed);
    for (int i = 0; i < COMPUTE_SEEDS; i++) {
      Program program = compute(payload, random, COMPUTE_ROUNDS);
      Outcome expected = runCompute(kvm, program);
      assertThat(expected.data).as("it did something").isNotEqualTo(program.data);
      agree(expected, runCompute(emulator, program), program);
    }
  }

  @ParameterizedTest
  @EnumSource(Kind.class)
  void payloadMovesOnTheWay(Kind from) throws Exception {
    PayloadRoutine payload = new PayloadRoutine();
    prepareCompute(payload);
    Program program = compute(payload, new Random(seed), COMPUTE_ROUNDS_OF_MOVERS);
    Outcome expected = runCompute(kvm, program);
    OneVcpu first = from == Kind.KVM ? kvm : emulator;
    VcpuState middle =
        stopInTheMiddle(
            first,
            () -> {
              program.load(first);
              returnToHarness(first);
            },
            s ->
                s.rip() != program.state.rip()
                    && s.general().get(R14) > 0
                    && s.general().get(R14) < COMPUTE_ROUNDS_OF_MOVERS);
    OneVcpu second = from == Kind.KVM ? emulator : kvm;
    second.write(CODE, END);
    agree(expected, goOn(first, second, middle, program), program);
  }

  // ---- random snippets

  private Program snippet(Random random, int index, int length, long rounds) {
    CodeBytes code = new CodeBytes();
    IntegerSnippets integers = new IntegerSnippets(random, code);
    SseSnippets sse = new SseSnippets(random, code, integers);
    for (int i = 0; i < length; i++) {
      if (random.nextInt(5) < 3) {
        integers.next();
      } else {
        sse.next();
      }
    }
    integers.defineFlags();
    code.raw(0x49, 0xFF, 0xCE); // DEC R14
    int back = -(code.size() + 6);
    code.raw(0x0F, 0x85).number(back, 4); // JNZ
    for (byte b : END) {
      code.raw(b);
    }
    List<Long> general = new ArrayList<>();
    for (int i = 0; i < 16; i++) {
      general.add(number(random));
    }
    general.set(RSP, UserMode.STACK_TOP);
    general.set(R14, rounds);
    general.set(R15, DATA);
    List<Long> xmm = new ArrayList<>();
    for (int i = 0; i < Fpu.XMM_WORDS; i++) {
      xmm.add(number(random));
    }
    byte[] data = new byte[IntegerSnippets.MEMORY_BYTES];
    random.nextBytes(data);
    long start = CODE + random.nextInt(CODE_PAGE);
    String what =
        "snippet %d of seed %d, %d rounds: %s"
            .formatted(index, seed, rounds, HexFormat.of().formatHex(code.toArray()));
    VcpuState state = UserMode.state(general, start, UserMode.fpu(xmm));
    return new Program(start, code.toArray(), data, state, what);
  }

  /** Small and large integers, floating-point numbers of both widths, and borders. */
  private static long number(Random random) {
    return switch (random.nextInt(6)) {
      case 0 -> random.nextInt(256) - 128;
      case 1 -> Double.doubleToRawLongBits(random.nextGaussian() * 1000);
      case 2 ->
          (long) Float.floatToRawIntBits((float) random.nextGaussian()) << 32
              | Float.floatToRawIntBits(random.nextInt(1000)) & 0xFFFF_FFFFL;
      case 3 -> 1L << random.nextInt(64);
      case 4 -> (1L << random.nextInt(64)) - 1;
      default -> random.nextLong();
    };
  }

  /** Few rounds are interpreted; many are compiled. */
  @Test
  void randomInstructionsDoTheSame() {
    Random random = new Random(seed);
    for (int i = 0; i < SNIPPETS; i++) {
      long rounds = i % 8 == 0 ? 2500 : 1 + random.nextInt(20);
      Program program = snippet(random, i, 1 + random.nextInt(LONGEST_SNIPPET), rounds);
      Outcome expected = run(kvm, program);
      assertThat(expected.state.general().get(R14)).as("rounds left").isZero();
      assertThat(expected.state.rip()).isEqualTo(program.start + program.code.length - JUMP_BYTES);
      agree(expected, run(emulator, program), program);
    }
  }

  @ParameterizedTest
  @EnumSource(Kind.class)
  void randomInstructionsMoveOnTheWay(Kind from) throws Exception {
    Random random = new Random(seed);
    OneVcpu first = from == Kind.KVM ? kvm : emulator;
    OneVcpu second = from == Kind.KVM ? emulator : kvm;
    for (int i = 0; i < SNIPPETS_THAT_MOVE; i++) {
      Program program = snippet(random, i, LONGEST_SNIPPET, ROUNDS_OF_MOVERS);
      Outcome expected = run(kvm, program);
      VcpuState middle =
          stopInTheMiddle(
              first,
              () -> program.load(first),
              s -> s.general().get(R14) > 0 && s.general().get(R14) < ROUNDS_OF_MOVERS);
      second.write(program.start, program.code);
      agree(expected, goOn(first, second, middle, program), program);
    }
  }

  // ---- moving

  /** Whether a program is neither at its beginning nor at its end. */
  private interface InTheMiddle {
    boolean test(VcpuState state);
  }

  /** Lets somebody else stop a program, sooner or later, until that hits its middle. */
  private static VcpuState stopInTheMiddle(OneVcpu vcpu, Runnable load, InTheMiddle middle)
      throws InterruptedException {
    long delay = FIRST_DELAY_NANOS;
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
      load.run();
      vcpu.forgetInterrupt();
      long nanos = delay;
      Thread other =
          new Thread(() -> {
            LockSupport.parkNanos(nanos);
            vcpu.interrupt();
          });
      other.start();
      boolean ended = vcpu.run();
      other.join();
      VcpuState state = vcpu.state();
      if (!ended && middle.test(state)) {
        return state;
      }
      delay = ended ? delay * 3 / 5 : delay * 3 / 2;
    }
    throw new AssertionError("the program could not be stopped in its middle");
  }

  /** Moves registers and memory, and runs to the end. */
  private static Outcome goOn(OneVcpu from, OneVcpu to, VcpuState state, Program program) {
    to.write(DATA, from.read(DATA, program.data.length));
    to.write(STACK, from.read(STACK, STACK_BYTES));
    to.state(state);
    assertThat(StateComparison.differences(state, to.state())).as(program.what).isEmpty();
    while (!to.run()) {
      // See run().
    }
    return Outcome.of(to, program.data.length);
  }
}
