package org.pluribus.posix;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.Test;

class ErrnoTest {
  @Test
  void knownNumbersHaveNameAndCure() {
    assertThat(Errno.of(22)).isSameAs(Errno.EINVAL);
    assertThat(Errno.of(12).name()).isEqualTo("ENOMEM");
    assertThat(Errno.of(24).cure()).contains("ulimit -n");
  }

  @Test
  void unknownNumbersShowThemselves() {
    assertThat(Errno.of(4095).name()).isEqualTo("errno 4095");
    assertThat(Errno.of(4095).number()).isEqualTo(4095);
  }

  @Test
  void theExceptionNamesCallDetailErrnoAndCure() {
    PosixException e = new PosixException("mmap", "fd 3", Errno.EACCES);
    assertThat(e).hasMessage("mmap(fd 3) failed: EACCES: " + Errno.EACCES.cure());
    assertThat(e.call()).isEqualTo("mmap");
    assertThat(e.errno()).isEqualTo(Errno.EACCES);
  }

  @Test
  void aMissingFunctionIsNamed() {
    assertThatThrownBy(
            () -> CLibrary.bind("no_such_function", FunctionDescriptor.of(ValueLayout.JAVA_INT)))
        .isInstanceOf(UnsatisfiedLinkError.class)
        .hasMessageContaining("no_such_function()");
  }
}
