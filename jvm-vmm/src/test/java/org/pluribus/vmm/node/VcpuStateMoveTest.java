package org.pluribus.vmm.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.pluribus.vmm.apic.IpiMessage;
import org.pluribus.vmm.node.OneVcpu.Kind;
import org.pluribus.vmm.node.VcpuState.Activity;
import org.pluribus.vmm.node.VcpuState.Control;
import org.pluribus.vmm.node.VcpuState.Event;
import org.pluribus.vmm.node.VcpuState.Fpu;
import org.pluribus.vmm.node.VcpuState.Segment;

/** What is captured of a vCPU can be given back to it, and to one of the other kind. */
@Timeout(value = 120, unit = TimeUnit.SECONDS)
class VcpuStateMoveTest {
  private static final long CODE = 0x10_0000;
  private static final long HANDLER = 0x11_0000;

  /** out END_PORT, al; jmp $. */
  private static final String END = "E6F4 EBFE";

  private static final int ROUNDS = 200;
  private static final int KERNEL_CODE_SELECTOR = 0x08;
  private static final int KERNEL_CODE = 0xA09B;
  private static final int KERNEL_STACK = 0xC093;
  private static final int INTERRUPT_FLAG = 0x200;

  private static OneVcpu make(Kind kind) throws InterruptedException {
    if (kind == Kind.KVM) {
      OneVcpu.assumeKvm();
    }
    OneVcpu vcpu = new OneVcpu(kind);
    UserMode.tables(vcpu, HANDLER);
    return vcpu;
  }

  private static byte[] code(String hex) {
    return HexFormat.of().parseHex(hex.replace(" ", ""));
  }

  private static void same(VcpuState expected, VcpuState actual, String what) {
    assertThat(StateComparison.differences(expected, actual)).as(what).isEmpty();
  }

  /** Registers that the architecture leaves free, at random. */
  private static VcpuState random(Random random) {
    List<Long> general = random.longs(16).boxed().toList();
    List<Long> xmm = random.longs(Fpu.XMM_WORDS).boxed().toList();
    List<Integer> exponents = random.ints(Fpu.STACK, 0, 1 << 16).boxed().toList();
    Fpu fpu =
        new Fpu(
            0x37F,
            random.nextInt(8) << 11 | random.nextInt(64),
            random.nextInt(256),
            0,
            0,
            0,
            random.longs(Fpu.STACK).boxed().toList(),
            exponents,
            0x1F80 | random.nextInt(64) | random.nextInt(4) << 13,
            xmm);
    VcpuState s = UserMode.state(general, random.nextLong() >>> 17, fpu);
    List<Segment> segments = new ArrayList<>(s.segments());
    segments.set(4, base(segments.get(4), random));
    segments.set(5, base(segments.get(5), random));
    Control c = s.control();
    return new VcpuState(
        s.general(),
        s.rip(),
        s.rflags() | random.nextLong() & 0x8D5,
        segments,
        s.gdt(),
        s.idt(),
        new Control(c.cr0(), random.nextLong() >>> 17, c.cr3(), c.cr4(), c.xcr0()),
        List.of(random.nextLong() >>> 17, 0L, 0L, random.nextLong() >>> 17, 0xFFFF_0FF0L, 0x400L),
        msrs(s, random),
        fpu,
        new Activity(random.nextBoolean(), false, random.nextBoolean(), false, null));
  }

  private static Segment base(Segment s, Random random) {
    return new Segment(s.selector(), random.nextLong() >>> 17, s.limit(), s.access());
  }

  private static java.util.SortedMap<Integer, Long> msrs(VcpuState s, Random random) {
    java.util.SortedMap<Integer, Long> values = new java.util.TreeMap<>(s.msrs());
    values.put(VcpuMsrs.STAR, random.nextLong());
    values.put(VcpuMsrs.LSTAR, random.nextLong() >>> 17);
    values.put(VcpuMsrs.SFMASK, random.nextLong() & 0x3F_FFFF);
    values.put(VcpuMsrs.KERNEL_GS_BASE, random.nextLong() >>> 17);
    values.put(VcpuMsrs.SYSENTER_EIP, random.nextLong() >>> 17);
    values.put(VcpuMsrs.SYSENTER_ESP, random.nextLong() >>> 17);
    values.put(VcpuMsrs.SYSENTER_CS, random.nextLong() & 0xFFF8);
    return values;
  }

  @ParameterizedTest
  @EnumSource(Kind.class)
  void whatIsRestoredCanBeCaptured(Kind kind) throws Exception {
    long seed = ThreadLocalRandom.current().nextLong();
    Random random = new Random(seed);
    try (OneVcpu vcpu = make(kind)) {
      for (int round = 0; round < ROUNDS; round++) {
        VcpuState set = random(random);
        vcpu.state(set);
        VcpuState got = vcpu.state();
        same(set, got, kind + ", seed " + seed + ", round " + round);
        vcpu.state(got);
        assertThat(vcpu.state()).as("again, seed %d", seed).isEqualTo(got);
      }
    }
  }

  /** What reset leaves is a state like any other. */
  @ParameterizedTest
  @EnumSource(Kind.class)
  void resetIsAState(Kind kind) throws Exception {
    try (OneVcpu vcpu = make(kind)) {
      VcpuState reset = vcpu.state();
      vcpu.state(reset);
      assertThat(vcpu.state()).isEqualTo(reset);
      assertThat(reset.rip()).isEqualTo(0xFFF0);
      assertThat(reset.control().cr0() & 1).isZero();
    }
  }

  /** An interrupt that the APIC gave away but whose handler was not entered moves along. */
  @ParameterizedTest
  @EnumSource(Kind.class)
  void eventUnderWayIsDelivered(Kind kind) throws Exception {
    try (OneVcpu vcpu = make(kind)) {
      vcpu.write(CODE, code("EBFE"));
      vcpu.write(HANDLER, code(END));
      Event interrupt = new Event(UserMode.VECTOR, false, Event.NO_ERROR_CODE);
      vcpu.state(UserMode.state(UserMode.registers(), CODE, UserMode.fpu(), interrupt));
      assertThat(vcpu.run()).isTrue();
      VcpuState after = vcpu.state();
      assertThat(after.rip()).isEqualTo(HANDLER + 2);
      assertThat(after.segments().get(1).selector()).isEqualTo(KERNEL_CODE_SELECTOR);
      long stack = after.general().get(4);
      assertThat(
              java.nio.ByteBuffer.wrap(vcpu.read(stack, 8))
                  .order(java.nio.ByteOrder.LITTLE_ENDIAN)
                  .getLong())
          .as("RIP on the handler's stack")
          .isEqualTo(CODE);
    }
  }

  /** HLT's wait moves along, and an interrupt ends it there. */
  @ParameterizedTest
  @EnumSource(Kind.class)
  void haltedVcpuGoesOnWaiting(Kind kind) throws Exception {
    OneVcpu.assumeKvm();
    try (OneVcpu first = make(kind);
        OneVcpu second = make(kind.other())) {
      for (OneVcpu v : List.of(first, second)) {
        v.write(CODE, code("F4" + END));
        v.write(HANDLER, code(END));
      }
      first.state(inKernel(UserMode.state(UserMode.registers(), CODE, UserMode.fpu())));
      assertThat(runFor(first, 20)).as("HLT ends by an interrupt only").isFalse();
      VcpuState halted = first.state();
      assertThat(halted.activity().halted()).isTrue();
      assertThat(halted.rip()).isEqualTo(CODE + 1);
      second.state(halted);
      same(halted, second.state(), "moved");
      assertThat(runFor(second, 20)).as("it waits there, too").isFalse();
      assertThat(second.state().rip()).isEqualTo(CODE + 1);
      second.apic().write(0xF0, 4, 0x1FF); // software-enabled
      second.apic().accept(IpiMessage.FIXED, UserMode.VECTOR, false);
      assertThat(second.run()).isTrue();
      assertThat(second.state().rip()).isEqualTo(HANDLER + 2);
    }
  }

  private static VcpuState inKernel(VcpuState s) {
    List<Segment> segments = new ArrayList<>(s.segments());
    segments.set(1, new Segment(KERNEL_CODE_SELECTOR, 0, -1, KERNEL_CODE));
    segments.set(2, new Segment(0x10, 0, -1, KERNEL_STACK));
    return new VcpuState(
        s.general(),
        s.rip(),
        s.rflags() | INTERRUPT_FLAG,
        segments,
        s.gdt(),
        s.idt(),
        s.control(),
        s.debug(),
        s.msrs(),
        s.fpu(),
        s.activity());
  }

  /** Runs and has somebody else interrupt that after a while; true if the guest came to its end. */
  private static boolean runFor(OneVcpu vcpu, long millis) throws InterruptedException {
    Thread other =
        new Thread(() -> {
          java.util.concurrent.locks.LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(millis));
          vcpu.interrupt();
        });
    other.start();
    boolean ended = vcpu.run();
    other.join();
    return ended;
  }

  @Test
  void stateWithoutAllRegistersIsRefused() {
    assertThatThrownBy(() -> UserMode.state(List.of(1L), 0, UserMode.fpu()))
        .hasMessageContaining("1 general registers");
  }
}
