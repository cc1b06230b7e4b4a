package org.pluribus.kvm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.InstanceOfAssertFactories.type;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A guest of a few instructions, on the real /dev/kvm: each exit carries its data. */
class VcpuExitTest {
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

  @Test
  void interruptedByAKickBeforehand() {
    try (TinyGuest guest = new TinyGuest(3, "EB FE  jmp self")) {
      guest.vcpu.kick();
      assertThat(guest.vcpu.run()).asInstanceOf(type(VcpuExit.Interrupted.class)).isNotNull();
    }
  }
}
