package org.pluribus.kvm;

import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.pluribus.kvm.VcpuExitTest.as;

import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A vCPU's state: what is set can be got, in the fields that the guest sees. */
class VcpuStateTest {
  private static final int IA32_STAR = 0xC000_0081;
  private static final int IA32_LSTAR = 0xC000_0082;
  private static final int NO_SUCH_MSR = 0x4000_ABCD;

  private TinyGuest guest;
  private VcpuFd vcpu;

  @BeforeEach
  void make() {
    guest = new TinyGuest(0, "F4  hlt");
    vcpu = guest.vcpu;
  }

  @AfterEach
  void close() {
    if (guest != null) {
      guest.close();
    }
  }

  @Test
  void generalRegisters() {
    Regs set = new Regs();
    for (int i = 0; i < 16; i++) {
      set.general(i, 0x1111_0000_0000_0000L * (i + 1) + i);
    }
    set.rip(TinyGuest.CODE);
    set.rflags(0x246);
    vcpu.setRegs(set);
    Regs got = new Regs();
    vcpu.getRegs(got);
    for (int i = 0; i < 16; i++) {
      assertThat(got.general(i)).as("register %d", i).isEqualTo(set.general(i));
    }
    assertThat(got.rflags()).isEqualTo(0x246);
    assertThat(got.rsp()).isEqualTo(set.general(4));
    assertThat(got.rbx()).isEqualTo(set.general(3));
    as(VcpuExit.Hlt.class, vcpu.run());
    vcpu.getRegs(got);
    assertThat(got.rip()).isEqualTo(TinyGuest.CODE + 1);
  }

  @Test
  void specialRegisters() {
    Sregs sregs = Sregs.create();
    vcpu.getSregs(sregs);
    assertThat(sregs.cs().access()).isEqualTo(0xA09B);
    assertThat(sregs.cs().selector()).isEqualTo(8);
    assertThat(sregs.interruptInjected()).isEqualTo(-1);
    sregs.fs().base(0x1234_5678_9000L);
    sregs.cr2(0xABCD_E000L);
    vcpu.setSregs(sregs);
    Sregs got = Sregs.create();
    vcpu.getSregs(got);
    assertThat(got.fs().base()).isEqualTo(0x1234_5678_9000L);
    assertThat(got.cr2()).isEqualTo(0xABCD_E000L);
    assertThat(got.idtLimit()).isEqualTo(0xFFF);
    assertThatThrownBy(() -> got.pdptr(0)).hasMessageContaining("create2");
    assertThatThrownBy(() -> vcpu.getSregs2(got)).hasMessageContaining("create2");
  }

  @Test
  void specialRegistersOfTheSecondForm() {
    TinyGuest.assumeThat(guest.kvm.has(KvmCap.SREGS2), "this KVM has no KVM_GET_SREGS2");
    Sregs sregs = Sregs.create2();
    vcpu.getSregs2(sregs);
    assertThat(sregs.cr3()).isEqualTo(0x1000);
    assertThat(sregs.pdptrsValid()).as("64-bit mode has no PDPTRs").isFalse();
    sregs.gs().base(0x77_0000);
    vcpu.setSregs2(sregs);
    Sregs got = Sregs.create2();
    vcpu.getSregs2(got);
    assertThat(got.gs().base()).isEqualTo(0x77_0000);
  }

  @Test
  void floatingPointState() {
    Fpu set = new Fpu();
    set.fcw(0x37F);
    set.mxcsr(0x1F80);
    set.xmm(3, 0x0102_0304_0506_0708L, 0x1112_1314_1516_1718L);
    set.x87(2, 0x8000_0000_0000_0001L, 0x3FFF);
    vcpu.setFpu(set);
    Fpu got = new Fpu();
    vcpu.getFpu(got);
    assertThat(got.xmmLow(3)).isEqualTo(0x0102_0304_0506_0708L);
    assertThat(got.xmmHigh(3)).isEqualTo(0x1112_1314_1516_1718L);
    assertThat(got.x87Significand(2)).isEqualTo(0x8000_0000_0000_0001L);
    assertThat(got.fcw()).isEqualTo(0x37F);
  }

  /** Offsets of the legacy region and header: SDM volume 1, 13.4.1 and 13.4.2. */
  @Test
  void extendedState() {
    long xmm3 = 160 + 3 * 16;
    long xstateBv = 512;
    Xsave set = new Xsave(guest.vm.xsaveBytes());
    vcpu.getXsave(set);
    set.segment().set(JAVA_LONG, xmm3, 0x2122_2324_2526_2728L);
    set.segment().set(JAVA_LONG, xstateBv, set.segment().get(JAVA_LONG, xstateBv) | 3);
    vcpu.setXsave(set);
    Xsave got = new Xsave(guest.vm.xsaveBytes());
    vcpu.getXsave(got);
    assertThat(got.segment().get(JAVA_LONG, xmm3)).isEqualTo(0x2122_2324_2526_2728L);
    Fpu fpu = new Fpu();
    vcpu.getFpu(fpu);
    assertThat(fpu.xmmLow(3)).isEqualTo(0x2122_2324_2526_2728L);
  }

  @Test
  void extendedControlRegister() {
    Xcrs xcrs = new Xcrs();
    vcpu.getXcrs(xcrs);
    assertThat(xcrs.count()).isPositive();
    assertThat(xcrs.xcr0() & 1).as("x87 state is always on").isOne();
    xcrs.xcr0(3);
    vcpu.setXcrs(xcrs);
    vcpu.getXcrs(xcrs);
    assertThat(xcrs.xcr0()).isEqualTo(3);
  }

  @Test
  void msrListsTellTheFirstOneRefused() {
    Msrs set = Msrs.of(IA32_STAR, IA32_LSTAR);
    set.value(0, 0x0013_0008_0000_0000L);
    set.value(1, 0xFFFF_8000_1234_5678L);
    assertThat(vcpu.setMsrs(set)).isEqualTo(2);
    Msrs got = Msrs.of(IA32_LSTAR, NO_SUCH_MSR, IA32_STAR);
    assertThat(vcpu.getMsrs(got)).isOne();
    assertThat(got.value(0)).isEqualTo(0xFFFF_8000_1234_5678L);
    assertThat(got.value(2)).as("untouched").isZero();
    got.set(1, IA32_STAR, 0);
    got.count(2);
    assertThat(vcpu.getMsrs(got)).isEqualTo(2);
    assertThat(got.value(1)).isEqualTo(0x0013_0008_0000_0000L);
    assertThat(vcpu.setMsrs(Msrs.of(NO_SUCH_MSR))).isZero();
  }

  @Test
  void everyMsrOfTheListCanBeRead() {
    int[] indices = guest.kvm.msrIndices();
    assertThat(indices).contains(IA32_STAR, IA32_LSTAR);
    assertThat(guest.kvm.featureMsrIndices()).isNotNull();
    Msrs all = Msrs.of(indices);
    assertThat(vcpu.getMsrs(all)).isEqualTo(indices.length);
  }

  @Test
  void cpuidIsAListOfValues() {
    List<CpuidEntry> supported = guest.kvm.supportedCpuid();
    assertThat(supported).extracting(CpuidEntry::function).contains(0, 1, 7, 0x8000_0001);
    assertThat(supported).filteredOn(e -> e.function() == 7).allMatch(CpuidEntry::indexCounts);
    List<CpuidEntry> mine =
        supported.stream()
            .map(e -> e.function() == 1 ? e.with(e.eax(), 5 << 24, e.ecx(), e.edx()) : e)
            .toList();
    vcpu.setCpuid(mine);
    assertThat(vcpu.cpuid())
        .filteredOn(e -> e.function() == 1)
        .singleElement()
        .satisfies(e -> assertThat(e.ebx() >>> 24).isEqualTo(5));
  }

  @Test
  void eventsInFlight() {
    VcpuEvents events = new VcpuEvents();
    vcpu.getVcpuEvents(events);
    assertThat(events.nmiPending()).isZero();
    events.nmiMasked(1);
    events.flags(VcpuEvents.VALID_NMI_PENDING | VcpuEvents.VALID_SHADOW);
    vcpu.setVcpuEvents(events);
    vcpu.getVcpuEvents(events);
    assertThat(events.nmiMasked()).isOne();
  }

  @Test
  void debugRegisters() {
    DebugRegs set = new DebugRegs();
    set.db(1, 0x1234_5000);
    set.dr6(0xFFFF_0FF0L);
    set.dr7(0x400);
    vcpu.setDebugRegs(set);
    DebugRegs got = new DebugRegs();
    vcpu.getDebugRegs(got);
    assertThat(got.db(1)).isEqualTo(0x1234_5000);
    assertThat(got.dr7()).isEqualTo(0x400);
  }

  @Test
  void timeStampCounter() {
    int khz = vcpu.tscKhz();
    assertThat(khz).isBetween(100_000, 10_000_000);
    vcpu.setTscKhz(khz);
    assertThat(vcpu.tscKhz()).isEqualTo(khz);
    TinyGuest.assumeThat(vcpu.hasTscOffset(), "this KVM has no TSC offset attribute");
    long offset = vcpu.tscOffset();
    vcpu.setTscOffset(offset + 1_000_000_000_000L);
    long now = vcpu.tscOffset();
    TinyGuest.assumeThat(now != offset, "this KVM takes TSC offsets and ignores them");
    assertThat(now).isEqualTo(offset + 1_000_000_000_000L);
  }

  @Test
  void clockRunStateAndTranslation() {
    guest.vm.setClockNanos(1_000_000_000_000L);
    assertThat(guest.vm.clockNanos()).isGreaterThanOrEqualTo(1_000_000_000_000L);
    assertThat(vcpu.mpState()).isEqualTo(MpState.RUNNABLE);
    vcpu.setMpState(MpState.RUNNABLE);
    assertThat(vcpu.translate(TinyGuest.DATA + 5)).isEqualTo(TinyGuest.DATA + 5);
    assertThat(vcpu.translate(0x10_0000_0000L)).isEqualTo(-1);
  }
}
