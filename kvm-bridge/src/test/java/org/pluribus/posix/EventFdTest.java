package org.pluribus.posix;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EventFdTest {
  @Test
  void countsSignalsUntilDrained() {
    try (EventFd event = EventFd.create()) {
      assertThat(event.drain()).isZero();
      event.signal();
      event.signal();
      assertThat(event.drain()).isEqualTo(2);
      assertThat(event.drain()).isZero();
    }
  }

  @Test
  void epollTellsWhichOneIsReady() {
    try (EventFd one = EventFd.create();
        EventFd two = EventFd.create();
        Epoll epoll = Epoll.create(4)) {
      epoll.add(one.fd(), Epoll.IN, -1L);
      epoll.add(two.fd(), Epoll.IN, Long.MAX_VALUE);
      assertThat(epoll.await(0)).isZero();
      two.signal();
      assertThat(epoll.await(Epoll.FOREVER)).isOne();
      assertThat(epoll.token(0)).isEqualTo(Long.MAX_VALUE);
      assertThat(epoll.ready(0)).isEqualTo(Epoll.IN);
      one.signal();
      assertThat(epoll.await(Epoll.FOREVER)).isEqualTo(2);
      assertThat(new long[] {epoll.token(0), epoll.token(1)})
          .containsExactlyInAnyOrder(-1L, Long.MAX_VALUE);
      epoll.remove(two.fd());
      one.drain();
      assertThat(epoll.await(0)).isZero();
      assertThatThrownBy(() -> epoll.token(0)).hasMessage("result 0 of 0");
    }
  }

  @Test
  void errorsNameCallAndErrno(@TempDir Path dir) throws IOException {
    EventFd event = EventFd.create();
    Epoll epoll = Epoll.create(1);
    epoll.add(event.fd(), Epoll.IN, 0);
    MemfdTest.assertErrno(Errno.EEXIST, "epoll_ctl", () -> epoll.add(event.fd(), Epoll.IN, 0));
    epoll.remove(event.fd());
    MemfdTest.assertErrno(Errno.ENOENT, "epoll_ctl", () -> epoll.remove(event.fd()));
    try (Descriptor file =
        Descriptor.open(Files.createFile(dir.resolve("f")).toString(), Descriptor.O_RDWR)) {
      MemfdTest.assertErrno(Errno.EPERM, "epoll_ctl", () -> epoll.add(file.fd(), Epoll.IN, 0));
    }
    event.close();
    event.close();
    epoll.close();
    MemfdTest.assertErrno(Errno.EBADF, "write", event::signal);
    MemfdTest.assertErrno(Errno.EBADF, "read", event::drain);
    MemfdTest.assertErrno(Errno.EBADF, "epoll_wait", () -> epoll.await(0));
    MemfdTest.assertErrno(
        Errno.ENOENT, "open", () -> Descriptor.open(dir + "/none", Descriptor.O_RDWR));
    assertThatThrownBy(() -> Epoll.create(0)).hasMessageContaining("at least 1");
  }
}
