package org.pluribus.posix;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.pluribus.posix.MemfdTest.assertErrno;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.pluribus.posix.Mapping.Advice;

class MappingTest {
  private static final long PAGE = Mapping.PAGE_BYTES;
  private static final int READ_WRITE = Mapping.PROT_READ | Mapping.PROT_WRITE;

  @Test
  void twoMappingsOfAFileShareItsBytesAndDontneedKeepsThem() {
    try (Memfd memfd = Memfd.create("twice", 2 * PAGE);
        Mapping guest = Mapping.of(memfd);
        Mapping alias = Mapping.of(memfd)) {
      assertThat(guest.address()).isNotEqualTo(alias.address());
      guest.segment().set(JAVA_LONG, PAGE, 0x1122334455667788L);
      guest.advise(Advice.DONTNEED, PAGE, PAGE);
      assertThat(alias.segment().get(JAVA_LONG, PAGE)).isEqualTo(0x1122334455667788L);
      assertThat(guest.segment().get(JAVA_LONG, PAGE)).isEqualTo(0x1122334455667788L);
    }
  }

  @Test
  void dontneedOfAnonymousMemoryAndRemoveOfAFileZeroThePage() {
    try (Memfd memfd = Memfd.create("remove", PAGE);
        Mapping file = Mapping.of(memfd);
        Mapping anonymous = Mapping.anonymous(PAGE, READ_WRITE)) {
      file.segment().fill((byte) 7);
      anonymous.segment().fill((byte) 7);
      file.advise(Advice.REMOVE, 0, PAGE);
      anonymous.advise(Advice.DONTNEED, 0, PAGE);
      assertThat(file.segment().get(JAVA_BYTE, 0)).isZero();
      assertThat(anonymous.segment().get(JAVA_BYTE, PAGE - 1)).isZero();
    }
  }

  @Test
  void noHugepageShowsInTheKernelsFlags() throws IOException {
    try (Memfd memfd = Memfd.create("small-pages", PAGE);
        Mapping mapping = Mapping.of(memfd)) {
      mapping.advise(Advice.NOHUGEPAGE, 0, PAGE);
      mapping.advise(Advice.DONTFORK, 0, PAGE);
      mapping.advise(Advice.DONTDUMP, 0, PAGE);
      // VmFlags, Documentation/filesystems/proc.rst: nh no huge pages, dc do not copy, dd do not
      // dump
      assertThat(vmFlags(mapping)).contains(" nh").contains(" dc").contains(" dd");
    }
  }

  private static String vmFlags(Mapping mapping) throws IOException {
    boolean inRange = false;
    for (String line : Files.readAllLines(Path.of("/proc/self/smaps"))) {
      inRange |= line.startsWith("%x-".formatted(mapping.address()));
      if (inRange && line.startsWith("VmFlags:")) {
        return line;
      }
    }
    throw new AssertionError("no VmFlags for " + mapping);
  }

  @Test
  void closeUnmapsAndASecondCloseDoesNothing() throws IOException {
    try (Memfd memfd = Memfd.create("unmapped-once", PAGE)) {
      Mapping mapping = Mapping.of(memfd);
      Path maps = Path.of("/proc/self/maps");
      assertThat(Files.readString(maps)).contains("/memfd:unmapped-once");
      mapping.close();
      mapping.close();
      assertThat(Files.readString(maps)).doesNotContain("/memfd:unmapped-once");
      assertThatThrownBy(() -> mapping.advise(Advice.DONTNEED, 0, PAGE))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("closed");
    }
  }

  @Test
  void badRequestsNameCallAndErrno() {
    assertErrno(Errno.EBADF, "mmap", () -> Mapping.shared(-7, 0, PAGE, READ_WRITE));
    assertErrno(Errno.EINVAL, "mmap", () -> Mapping.anonymous(0, READ_WRITE));
    assertErrno(Errno.ENOMEM, "mmap", () -> Mapping.anonymous(1L << 60, READ_WRITE));
    try (Memfd memfd = Memfd.create("bad", 2 * PAGE);
        Mapping mapping = Mapping.of(memfd)) {
      assertErrno(Errno.EINVAL, "mmap", () -> Mapping.shared(memfd.fd(), 1, PAGE, READ_WRITE));
      assertErrno(Errno.EINVAL, "madvise", () -> mapping.advise(Advice.DONTNEED, 1, PAGE));
      assertErrno(Errno.EINVAL, "mprotect", () -> mapping.protect(1, PAGE, READ_WRITE));
      assertThatThrownBy(() -> mapping.advise(Advice.DONTNEED, PAGE, 2 * PAGE))
          .isInstanceOf(IndexOutOfBoundsException.class);
      assertThatThrownBy(() -> mapping.protect(-PAGE, PAGE, READ_WRITE))
          .isInstanceOf(IndexOutOfBoundsException.class);
    }
  }
}
