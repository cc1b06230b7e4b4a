package org.pluribus.kvm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.management.ThreadMXBean;
import java.lang.foreign.MemorySegment;
import java.lang.management.ManagementFactory;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.pluribus.posix.Mapping;

/** A guest of a few instructions, on the real /dev/kvm: each exit carries its data. */
class VcpuExitTest {
  private static final long MMIO = 0xD000_0000L;

  /** The example in the package's description. */
  @Test
  void aMachineMonitorFitsOneScreen() {
    TinyGuest.assumeKvm();
    StringBuilder console = new StringBuilder();
    try (Kvm kvm = Kvm.open();
        VmFd vm = kvm.createVm();
        Mapping ram = Mapping.anonymous(1 << 20, Mapping.PROT_READ | Mapping.PROT_WRITE)) {
      vm.setUserMemoryRegion(0, 0, ram);
      byte[] code = HexFormat.of().parseHex("b068" + "e6e9" + "b069" + "e6e9" + "f4");
      ram.segment().asSlice(0x1000).copyFrom(MemorySegment.ofArray(code));
      try (VcpuFd vcpu = vm.createVcpu(0)) {
        vcpu.setCpuid(kvm.supportedCpuid());
        Sregs sregs = Sregs.create();
        vcpu.getSregs(sregs);
        sregs.cs().set(0, 0, 0xFFFF, 0x9B);
        vcpu.setSregs(sregs);
        Regs regs = new Regs();
        regs.rip(0x1000);
        regs.rflags(2);
        vcpu.setRegs(regs);
        for (boolean halted = false; !halted; ) {
          switch (vcpu.run()) {
            case VcpuExit.Io io when !io.isIn() -> console.append((char) io.data(0));
            case VcpuExit.Hlt hlt -> halted = true;
            case VcpuExit other -> throw new AssertionError(other.toString());
          }
        }
      }
    }
    assertThat(console).hasToString("hi");
  }

  @Test
  void aVirtualThreadIsRefused() throws Exception {
    try (TinyGuest guest = new TinyGuest(3, "EB FE  jmp self")) {
      AtomicReference<Throwable> thrown = new AtomicReference<>();
      Thread thread = Thread.ofVirtual().unstarted(guest.vcpu::run);
      thread.setUncaughtExceptionHandler((t, e) -> thrown.set(e));
      thread.start();
      thread.join();
      assertThat(thrown.get()).hasMessageContaining("platform thread");
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 3})
  void portsCarryDirectionPortSizeAndData(int cpl) {
    try (TinyGuest guest =
        new TinyGuest(
            cpl,
            """
            B8 78 56 34 12  mov eax, 0x12345678
            66 BA 80 00     mov dx, 0x80
            EE              out dx, al
            66 EF           out dx, ax
            EF              out dx, eax
            66 BA F8 03     mov dx, 0x3f8
            ED              in eax, dx
            89 07           mov [rdi], eax
            EE              out dx, al
            """)) {
      assertOut(guest.vcpu.run(), 0x80, 1, 0x78);
      assertOut(guest.vcpu.run(), 0x80, 2, 0x5678);
      assertOut(guest.vcpu.run(), 0x80, 4, 0x12345678);
      VcpuExit.Io in = as(VcpuExit.Io.class, guest.vcpu.run());
      assertThat(in.isIn()).isTrue();
      assertThat(in.port()).isEqualTo(0x3F8);
      assertThat(in.size()).isEqualTo(4);
      assertThatThrownBy(() -> in.answer(1, 0)).hasMessage("item 1 of 1");
      in.answer(0, 0xCAFE_BABE);
      assertOut(guest.vcpu.run(), 0x3F8, 1, 0xBE);
      assertThat(guest.data(0)).isEqualTo(0xCAFE_BABEL);
    }
  }

  private static void assertOut(VcpuExit exit, int port, int size, int data) {
    VcpuExit.Io io = as(VcpuExit.Io.class, exit);
    assertThat(io.isIn()).isFalse();
    assertThat(io.port()).isEqualTo(port);
    assertThat(io.size()).isEqualTo(size);
    assertThat(io.count()).isOne();
    assertThat(io.data(0)).isEqualTo(data);
  }

  static <T extends VcpuExit> T as(Class<T> kind, VcpuExit exit) {
    assertThat(exit).isInstanceOf(kind);
    return kind.cast(exit);
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 3})
  void mmioCarriesAddressLengthAndData(int cpl) {
    try (TinyGuest guest =
        new TinyGuest(
            cpl,
            """
            BB 00 00 00 D0           mov ebx, 0xd0000000
            C7 43 08 78 56 34 12     mov dword [rbx+8], 0x12345678
            66 89 3B                 mov [rbx], di
            48 8B 43 10              mov rax, [rbx+16]
            48 89 07                 mov [rdi], rax
            8A 4B 03                 mov cl, [rbx+3]
            48 89 4F 08              mov [rdi+8], rcx
            E7 80                    out 0x80, eax
            """)) {
      VcpuFd vcpu = guest.vcpu;
      assertThat(mmio(vcpu.run(), true, MMIO + 8, 4).data()).isEqualTo(0x12345678);
      assertThat(mmio(vcpu.run(), true, MMIO, 2).data()).isEqualTo(TinyGuest.DATA & 0xFFFF);
      mmio(vcpu.run(), false, MMIO + 16, 8).answer(0x1122_3344_5566_7788L);
      mmio(vcpu.run(), false, MMIO + 3, 1).answer(0xFFFF_FFA5L);
      as(VcpuExit.Io.class, vcpu.run());
      assertThat(guest.data(0)).isEqualTo(0x1122_3344_5566_7788L);
      assertThat(guest.data(1)).isEqualTo(0xA5);
    }
  }

  private static VcpuExit.Mmio mmio(VcpuExit exit, boolean write, long address, int length) {
    VcpuExit.Mmio mmio = as(VcpuExit.Mmio.class, exit);
    assertThat(mmio.isWrite()).isEqualTo(write);
    assertThat(mmio.address()).isEqualTo(address);
    assertThat(mmio.length()).isEqualTo(length);
    return mmio;
  }

  @Test
  void haltExitsAndGoesOnBehindIt() {
    try (TinyGuest guest =
        new TinyGuest(
            0,
            """
            F4              hlt
            B8 07 00 00 00  mov eax, 7
            F4              hlt
            """)) {
      as(VcpuExit.Hlt.class, guest.vcpu.run());
      as(VcpuExit.Hlt.class, guest.vcpu.run());
      assertThat(guest.regs().rax()).isEqualTo(7);
      assertThat(guest.regs().rip()).isEqualTo(TinyGuest.CODE + 7);
    }
  }

  /** x2APIC registers and an MSR that no CPU has exit; the answer, or #GP, reaches the guest. */
  @Test
  void msrAccessesExitAndTakeTheAnswer() {
    try (TinyGuest guest =
        new TinyGuest(
            0,
            """
            B9 02 08 00 00  mov ecx, 0x802
            0F 32           rdmsr
            89 07           mov [rdi], eax
            89 57 04        mov [rdi+4], edx
            B9 0B 08 00 00  mov ecx, 0x80b
            B8 55 00 00 00  mov eax, 0x55
            BA 66 00 00 00  mov edx, 0x66
            0F 30           wrmsr
            B9 CD AB 00 40  mov ecx, 0x4000abcd
            0F 32           rdmsr
            F4              hlt
            """)) {
      guest.vm.enableCap(
          KvmCap.X86_USER_SPACE_MSR,
          VmFd.MSR_EXIT_INVALID | VmFd.MSR_EXIT_UNKNOWN | VmFd.MSR_EXIT_FILTERED);
      guest.gate(
          13,
          """
          B8 0D 00 00 00  mov eax, 13
          F4              hlt
          """);
      VcpuExit.Rdmsr id = as(VcpuExit.Rdmsr.class, guest.vcpu.run());
      assertThat(id.index()).isEqualTo(0x802);
      assertThat(id.reason()).isEqualTo(VmFd.MSR_EXIT_INVALID);
      id.answer(0x0123_4567_89AB_CDEFL);
      VcpuExit.Wrmsr eoi = as(VcpuExit.Wrmsr.class, guest.vcpu.run());
      assertThat(guest.data(0)).isEqualTo(0x0123_4567_89AB_CDEFL);
      assertThat(eoi.index()).isEqualTo(0x80B);
      assertThat(eoi.data()).isEqualTo(0x66_0000_0055L);
      eoi.accept();
      VcpuExit.Rdmsr unknown = as(VcpuExit.Rdmsr.class, guest.vcpu.run());
      assertThat(unknown.index()).isEqualTo(0x4000_ABCD);
      assertThat(unknown.reason()).isEqualTo(VmFd.MSR_EXIT_UNKNOWN);
      unknown.fail();
      as(VcpuExit.Hlt.class, guest.vcpu.run());
      assertThat(guest.regs().rax()).as("the guest took #GP").isEqualTo(13);
    }
  }

  @Test
  void filteredMsrsExit() {
    try (TinyGuest guest =
        new TinyGuest(
            0,
            """
            B9 74 01 00 00  mov ecx, 0x174
            0F 32           rdmsr
            F4              hlt
            """)) {
      guest.vm.enableCap(KvmCap.X86_USER_SPACE_MSR, VmFd.MSR_EXIT_FILTERED);
      guest.vm.setMsrFilter(true, List.of(MsrFilterRange.deny(0x174, 3)));
      VcpuExit.Rdmsr denied = as(VcpuExit.Rdmsr.class, guest.vcpu.run());
      assertThat(denied.index()).isEqualTo(0x174);
      assertThat(denied.reason()).isEqualTo(VmFd.MSR_EXIT_FILTERED);
      denied.answer(0x1234);
      as(VcpuExit.Hlt.class, guest.vcpu.run());
      assertThat(guest.regs().rax()).isEqualTo(0x1234);
    }
  }

  @Test
  void tripleFaultShutsDown() {
    try (TinyGuest guest = new TinyGuest(0, "0F 0B  ud2")) {
      Sregs sregs = Sregs.create();
      guest.vcpu.getSregs(sregs);
      sregs.idt(0, 0);
      guest.vcpu.setSregs(sregs);
      as(VcpuExit.Shutdown.class, guest.vcpu.run());
    }
  }

  @Test
  void codeInMmioIsAnInternalError() {
    try (TinyGuest guest =
        new TinyGuest(
            0,
            """
            BB 00 00 00 D0  mov ebx, 0xd0000000
            FF E3           jmp rbx
            """)) {
      VcpuExit.InternalError error = as(VcpuExit.InternalError.class, guest.vcpu.run());
      assertThat(error.isEmulation()).isTrue();
      assertThat(error.toString()).startsWith("InternalError[suberror 1");
    }
  }

  @Test
  void singleStepsExitAfterEachInstruction() {
    try (TinyGuest guest =
        new TinyGuest(
            0,
            """
            90     nop
            90     nop
            F4     hlt
            """)) {
      guest.vcpu.setGuestDebug(GuestDebug.ENABLE | GuestDebug.SINGLE_STEP);
      VcpuExit.Debug first = as(VcpuExit.Debug.class, guest.vcpu.run());
      assertThat(first.exception()).isOne();
      assertThat(first.pc()).isEqualTo(TinyGuest.CODE + 1);
      assertThat(as(VcpuExit.Debug.class, guest.vcpu.run()).pc()).isEqualTo(TinyGuest.CODE + 2);
      guest.vcpu.setGuestDebug(0);
      as(VcpuExit.Hlt.class, guest.vcpu.run());
    }
  }

  @Test
  void registersCanPassThroughTheRunArea() {
    try (TinyGuest guest =
        new TinyGuest(
            3,
            """
            E7 80     out 0x80, eax
            FF C0     inc eax
            EB FA     jmp -6
            """)) {
      KvmRun run = guest.vcpu.runArea();
      run.syncValid(KvmRun.SYNC_REGS | KvmRun.SYNC_SREGS);
      as(VcpuExit.Io.class, guest.vcpu.run());
      assertThat(run.syncRegs().rdi()).isEqualTo(TinyGuest.DATA);
      assertThat(run.syncSregs().cs().selector()).isEqualTo(0x23);
      run.syncRegs().rax(41);
      run.syncDirty(KvmRun.SYNC_REGS);
      VcpuExit.Io io = as(VcpuExit.Io.class, guest.vcpu.run());
      assertThat(io.data(0)).isEqualTo(42);
      assertThat(run.syncRegs().rax()).isEqualTo(42);
    }
  }

  @Test
  void anExitReturnsTheSameObjectAndAllocatesNothing() {
    try (TinyGuest guest =
        new TinyGuest(
            0,
            """
            E4 60     in al, 0x60
            EB FC     jmp -4
            """)) {
      long sum = exits(guest.vcpu, 30_000);
      ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
      long before = threads.getCurrentThreadAllocatedBytes();
      int rounds = 5_000;
      sum += exits(guest.vcpu, rounds);
      long allocated = threads.getCurrentThreadAllocatedBytes() - before;
      assertThat(sum).isEqualTo(35_000L * 0x60);
      assertThat(allocated).as("bytes for %d exits", rounds).isLessThan(rounds);
      assertThat(guest.vcpu.run()).isSameAs(guest.vcpu.run());
    }
  }

  private static long exits(VcpuFd vcpu, int rounds) {
    long sum = 0;
    for (int i = 0; i < rounds; i++) {
      switch (vcpu.run()) {
        case VcpuExit.Io io -> {
          sum += io.port();
          io.answer(0, i);
        }
        case VcpuExit other -> throw new AssertionError(other.toString());
      }
    }
    return sum;
  }
}
