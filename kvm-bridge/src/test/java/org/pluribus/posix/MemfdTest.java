package org.pluribus.posix;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.InstanceOfAssertFactories.type;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class MemfdTest {
  private static final long PAGE = Mapping.PAGE_BYTES;

  @Test
  void createsAFileOfTheAskedNameAndSize() throws IOException {
    try (Memfd memfd = Memfd.create("guest-ram", 3 * PAGE)) {
      Path link = Path.of("/proc/self/fd/" + memfd.fd());
      assertThat(Files.readSymbolicLink(link).toString()).startsWith("/memfd:guest-ram");
      assertThat(Files.size(link)).isEqualTo(3 * PAGE);
      assertThat(memfd.size()).isEqualTo(3 * PAGE);
    }
  }

  @Test
  void closeReleasesTheDescriptorOnce() {
    Memfd memfd = Memfd.create("closed", PAGE);
    memfd.close();
    memfd.close();
    assertErrno(Errno.EBADF, "fallocate", () -> memfd.punchHole(0, PAGE));
  }

  @Test
  void onlyPagesThatAreNoHolesTakeMemory() {
    try (Memfd memfd = Memfd.create("sparse", 16 * PAGE);
        Mapping one = Mapping.of(memfd);
        Mapping two = Mapping.of(memfd)) {
      assertThat(memfd.residentBytes()).isZero();
      one.segment().asSlice(2 * PAGE, 3 * PAGE).fill((byte) 1);
      assertThat(two.segment().get(JAVA_BYTE, 2 * PAGE)).isEqualTo((byte) 1);
      assertThat(memfd.residentBytes()).isEqualTo(3 * PAGE);
      memfd.punchHole(3 * PAGE, PAGE);
      assertThat(memfd.residentBytes()).isEqualTo(2 * PAGE);
    }
  }

  @Test
  void punchedPagesReadAsZerosInEveryMapping() {
    try (Memfd memfd = Memfd.create("holes", 4 * PAGE);
        Mapping one = Mapping.of(memfd);
        Mapping two = Mapping.of(memfd)) {
      one.segment().fill((byte) 0x5A);
      memfd.punchHole(PAGE, 2 * PAGE);
      for (Mapping mapping : new Mapping[] {one, two}) {
        assertThat(mapping.segment().get(JAVA_BYTE, PAGE - 1)).isEqualTo((byte) 0x5A);
        assertThat(mapping.segment().get(JAVA_BYTE, PAGE)).isZero();
        assertThat(mapping.segment().get(JAVA_BYTE, 3 * PAGE - 1)).isZero();
        assertThat(mapping.segment().get(JAVA_BYTE, 3 * PAGE)).isEqualTo((byte) 0x5A);
      }
    }
  }

  @Test
  void badRequestsNameCallAndErrno() {
    assertThatThrownBy(() -> Memfd.create("empty", 0))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("empty");
    assertErrno(Errno.EINVAL, "memfd_create", () -> Memfd.create("x".repeat(300), PAGE));
    try (Memfd memfd = Memfd.create("range", PAGE)) {
      assertErrno(Errno.EINVAL, "fallocate", () -> memfd.punchHole(-1, PAGE));
      assertErrno(Errno.EINVAL, "fallocate", () -> memfd.punchHole(0, 0));
    }
  }

  static void assertErrno(Errno errno, String call, Runnable action) {
    assertThatThrownBy(action::run)
        .asInstanceOf(type(PosixException.class))
        .satisfies(e -> assertThat(e.errno()).isEqualTo(errno))
        .satisfies(e -> assertThat(e.call()).isEqualTo(call))
        .satisfies(e -> assertThat(e).hasMessageContaining(errno.cure()));
  }
}
