package org.pluribus.posix;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class PlatformTest {
  @Test
  void acceptsLinuxOnX86UnderBothItsNames() {
    assertThatCode(() -> Platform.require("Linux", "amd64")).doesNotThrowAnyException();
    assertThatCode(() -> Platform.require("Linux", "x86_64")).doesNotThrowAnyException();
  }

  @Test
  void refusesOthersInOneLineThatNamesThem() {
    assertThatThrownBy(() -> Platform.require("Linux", "aarch64"))
        .isInstanceOf(UnsatisfiedLinkError.class)
        .hasMessageContaining("aarch64")
        .hasMessageNotContaining("\n");
    assertThatThrownBy(() -> Platform.require("Windows 11", "amd64"))
        .hasMessageContaining("Windows 11");
  }
}
