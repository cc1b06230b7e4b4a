package org.pluribus.uffd;

import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.pluribus.kvm.TinyGuest;
import org.pluribus.kvm.VcpuExit;
import org.pluribus.posix.Epoll;
import org.pluribus.posix.Errno;
import org.pluribus.posix.Mapping;

/**
 * The sequences that keep guest RAM coherent: rights of a page of the guest's view, given and taken
 * while a vCPU touches it. RAM is a memfd mapped twice; only the vCPU touches the guarded mapping.
 */
@Timeout(value = 120, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class UserfaultFdTest {
  private static final long PAGE = Mapping.PAGE_BYTES;
  private static final int PAGES = 16;
  private static final int WAIT_MILLIS = 10_000;
  private static final int STORE_EVERY = 10;
  private static final Set<UffdFeature> FEATURES =
      EnumSet.of(
          UffdFeature.PAGEFAULT_FLAG_WP,
          UffdFeature.MISSING_SHMEM,
          UffdFeature.MINOR_SHMEM,
          UffdFeature.WP_HUGETLBFS_SHMEM);

  /** For ever: port 1 says "about to load", load; port 2 "about to store", add one. */
  private static final String LOAD_THEN_ADD =
      """
      E6 01           out 1, al
      48 8B 07        mov rax, [rdi]
      E6 02           out 2, al
      48 83 07 01     add qword [rdi], 1
      EB F3           jmp -13
      """;

  private final UffdEvents events = new UffdEvents(8);
  private TinyGuest guest;
  private UserfaultFd uffd;
  private Epoll epoll;
  private ExecutorService vcpuThread;
  private long page;

  @BeforeEach
  void guard() {
    TinyGuest.assumeThat(
        Files.exists(Path.of(UserfaultFd.DEVICE)) || "root".equals(System.getProperty("user.name")),
        UserfaultFd.DEVICE + " does not exist and the user is not root");
    Set<UffdFeature> lacking = EnumSet.copyOf(FEATURES);
    lacking.removeAll(UserfaultFd.offered());
    TinyGuest.assumeThat(lacking.isEmpty(), "this kernel's userfaultfd lacks " + lacking);
    guest = new TinyGuest(3, LOAD_THEN_ADD);
    guest.guestView.advise(Mapping.Advice.NOHUGEPAGE, 0, TinyGuest.RAM_BYTES);
    uffd = UserfaultFd.open(FEATURES);
    page = guest.guestView.address() + TinyGuest.DATA;
    for (int i = 0; i < PAGES; i++) {
      guest.ram.set(JAVA_LONG, TinyGuest.DATA + i * PAGE, 100);
    }
    uffd.register(
        page,
        PAGES * PAGE,
        UserfaultFd.REGISTER_MISSING | UserfaultFd.REGISTER_MINOR | UserfaultFd.REGISTER_WP);
    epoll = Epoll.create(1);
    epoll.add(uffd.fd(), Epoll.IN, 7);
    vcpuThread = Executors.newSingleThreadExecutor();
  }

  @AfterEach
  void close() {
    if (uffd != null) {
      uffd.close(); // frees a vCPU that still waits for a page
      epoll.close();
    }
    if (guest != null) {
      guest.vcpu.kick();
      vcpuThread.close();
      guest.close();
    }
  }

  private Future<Integer> runToPort() {
    Callable<Integer> run =
        () -> {
          VcpuExit exit = guest.vcpu.run();
          return exit instanceof VcpuExit.Io io ? io.port() : -1;
        };
    return vcpuThread.submit(run);
  }

  private static int port(Future<Integer> run) throws Exception {
    return run.get(WAIT_MILLIS, TimeUnit.MILLISECONDS);
  }

  /** Waits for the one fault that must come, and checks that the vCPU is held by it. */
  private void fault(Future<Integer> run, boolean write, boolean writeProtect, boolean minor) {
    assertThat(epoll.await(WAIT_MILLIS)).as("an event within 10 s").isOne();
    assertThat(epoll.token(0)).isEqualTo(7);
    assertThat(uffd.read(events)).isOne();
    assertThat(events.event(0)).isEqualTo(UffdEvents.PAGEFAULT);
    assertThat(events.address(0)).isEqualTo(page);
    assertThat(events.isWrite(0)).isEqualTo(write);
    assertThat(events.isWriteProtect(0)).isEqualTo(writeProtect);
    assertThat(events.isMinor(0)).isEqualTo(minor);
    assertThat(run.isDone()).as("the vCPU waits").isFalse();
  }

  @Test
  void invalidToSharedToModifiedToInvalid() throws Exception {
    assertThat(port(runToPort())).isEqualTo(1);

    // I -> S: the load faults; the data is complete in the alias; map it write-protected.
    Future<Integer> load = runToPort();
    fault(load, false, false, true);
    guest.ram.set(JAVA_LONG, TinyGuest.DATA, 500);
    assertThat(uffd.continueRange(page, PAGE, UserfaultFd.MAP_WP)).isZero();
    assertThat(port(load)).isEqualTo(2);
    assertThat(guest.regs().rax()).isEqualTo(500);

    // S -> M: the store faults with the WP flag.
    Future<Integer> store = runToPort();
    fault(store, true, true, false);
    assertThat(guest.data(0)).as("not stored yet").isEqualTo(500);
    assertThat(uffd.writeProtect(page, PAGE, 0)).isZero();
    assertThat(port(store)).isEqualTo(1);
    assertThat(guest.data(0)).isEqualTo(501);

    // M -> S: protect again; the load goes through, the store faults.
    assertThat(uffd.writeProtect(page, PAGE, UserfaultFd.WP_PROTECT)).isZero();
    assertThat(port(runToPort())).isEqualTo(2);
    store = runToPort();
    fault(store, true, true, false);

    // S -> I while a store waits: drop, other bytes, then I -> M.
    assertThat(guest.guestView.drop(TinyGuest.DATA, PAGE)).isZero();
    guest.ram.set(JAVA_LONG, TinyGuest.DATA, 900);
    assertThat(uffd.continueRange(page, PAGE, 0)).isZero();
    assertThat(port(store)).isEqualTo(1);
    assertThat(guest.data(0)).isEqualTo(901);
  }

  @Test
  void answersThatBelongToNormalOperationAreNumbers() throws Exception {
    assertThat(port(runToPort())).isEqualTo(1);
    Future<Integer> load = runToPort();
    fault(load, false, false, true);
    assertThat(uffd.continueRange(page, PAGE, UserfaultFd.DONTWAKE)).isZero();
    assertThat(uffd.continueRange(page, PAGE, 0)).isEqualTo(-Errno.EEXIST.number());
    assertThat(load.isDone()).as("nobody was woken").isFalse();
    assertThat(uffd.wake(page, PAGE)).isZero();
    assertThat(port(load)).isEqualTo(2);
    assertThat(uffd.writeProtect(page + PAGE, PAGE, UserfaultFd.WP_PROTECT))
        .as("write protection of a page that is not mapped")
        .isZero();
    assertThat(uffd.read(events)).as("no event").isZero();
    assertThat(events.count()).isZero();
  }

  /**
   * Once drop (or protection) is back, the guest stores no more: the bytes stay as they are until
   * the next grant. And no store is lost.
   */
  @Test
  void aRevokedPageIsStill() throws Exception {
    guest.code(
        TinyGuest.CODE,
        """
        48 FF 07     inc qword [rdi]
        EB FB        jmp -5
        """);
    Future<Integer> run = runToPort();
    long last = 100;
    for (int i = 0; i < 300; i++) {
      boolean invalid = i % 2 == 0;
      int taken =
          invalid
              ? guest.guestView.drop(TinyGuest.DATA, PAGE)
              : uffd.writeProtect(page, PAGE, UserfaultFd.WP_PROTECT);
      assertThat(taken).isZero();
      long revoked = guest.data(0);
      assertThat(revoked).as("nothing is lost").isGreaterThanOrEqualTo(last);
      serveUntilFault(invalid);
      assertThat(guest.data(0)).as("round %d: no store without the right", i).isEqualTo(revoked);
      last = revoked;
      assertThat(invalid ? uffd.continueRange(page, PAGE, 0) : uffd.writeProtect(page, PAGE, 0))
          .isZero();
      if (i % STORE_EVERY == 0) {
        awaitStoreAfter(revoked);
      }
    }
    awaitStoreAfter(last);
    guest.vcpu.kick();
    assertThat(port(run)).isEqualTo(-1);
  }

  /**
   * Waits until the guest, which may write again, has done so. The rounds between are not waited
   * for: on a busy host the page is often revoked before the vCPU's thread ran at all.
   */
  private void awaitStoreAfter(long value) {
    long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(WAIT_MILLIS);
    while (guest.data(0) == value) {
      assertThat(System.nanoTime()).as("a store within 10 s of the grant").isLessThan(deadline);
      Thread.yield();
    }
  }

  /** Waits for the guest's next touch; a duplicate of the last round's fault is woken. */
  private void serveUntilFault(boolean invalid) {
    for (int tries = 0; tries < 100; tries++) {
      assertThat(epoll.await(WAIT_MILLIS)).as("an event within 10 s").isOne();
      assertThat(uffd.read(events)).isOne();
      if (events.isWriteProtect(0) != invalid) {
        return;
      }
      assertThat(uffd.wake(page, PAGE)).isZero();
    }
    throw new AssertionError("100 events, none of the kind awaited");
  }

  /** A hole of the file raises MISSING (no MINOR flag); copy fills it. */
  @Test
  void holesAreMissingPages() throws Exception {
    guest.memfd.punchHole(TinyGuest.DATA, PAGE);
    assertThat(port(runToPort())).isEqualTo(1);
    Future<Integer> load = runToPort();
    fault(load, false, false, false);
    assertThat(uffd.continueRange(page, PAGE, 0))
        .as("there is nothing to map")
        .isEqualTo(-Errno.EFAULT.number());
    guest.ram.set(JAVA_LONG, TinyGuest.DATA + 8 * PAGE, 4711);
    long source = guest.ram.address() + TinyGuest.DATA + 8 * PAGE;
    assertThat(uffd.copy(page, source, PAGE, 0)).isZero();
    assertThat(port(load)).isEqualTo(2);
    assertThat(guest.regs().rax()).isEqualTo(4711);
    assertThat(guest.data(0)).isEqualTo(4711);
    assertThat(uffd.copy(page, source, PAGE, 0)).isEqualTo(-Errno.EEXIST.number());
  }

  @Test
  void missingPagesCanBeZeros() throws Exception {
    guest.memfd.punchHole(TinyGuest.DATA, PAGE);
    assertThat(port(runToPort())).isEqualTo(1);
    Future<Integer> load = runToPort();
    fault(load, false, false, false);
    assertThat(uffd.zeropage(page, PAGE, 0)).isZero();
    assertThat(port(load)).isEqualTo(2);
    assertThat(guest.regs().rax()).isZero();
  }

  @Test
  void unregisterFreesWhoWaits() throws Exception {
    assertThat(port(runToPort())).isEqualTo(1);
    Future<Integer> load = runToPort();
    fault(load, false, false, true);
    uffd.unregister(page, PAGES * PAGE);
    assertThat(port(load)).isEqualTo(2);
    assertThat(guest.regs().rax()).isEqualTo(100);
  }

  @Test
  void aRoundOfRightsAllocatesNothing() {
    rounds(20_000);
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    long before = threads.getCurrentThreadAllocatedBytes();
    int rounds = 5_000;
    assertThat(rounds(rounds)).isZero();
    long allocated = threads.getCurrentThreadAllocatedBytes() - before;
    assertThat(allocated).as("bytes for %d rounds", rounds).isLessThan(rounds * 2L);
  }

  private int rounds(int count) {
    int answers = 0;
    for (int i = 0; i < count; i++) {
      answers |= uffd.continueRange(page, PAGE, UserfaultFd.MAP_WP);
      answers |= uffd.writeProtect(page, PAGE, 0);
      answers |= uffd.writeProtect(page, PAGE, UserfaultFd.WP_PROTECT);
      answers |= uffd.wake(page, PAGE);
      answers |= uffd.read(events);
      answers |= guest.guestView.drop(TinyGuest.DATA, PAGE);
    }
    return answers;
  }

  /** No vCPU may touch the page: KVM would send its thread a SIGBUS, which ends the JVM. */
  @Test
  void poisoningLastsUntilThePageIsDropped() {
    TinyGuest.assumeThat(
        UserfaultFd.offered().contains(UffdFeature.POISON), "userfaultfd lacks POISON (Linux 6.6)");
    assertThat(uffd.poison(page, PAGE, 0)).isZero();
    assertThat(uffd.poison(page, PAGE, 0)).isEqualTo(-Errno.EEXIST.number());
    assertThat(guest.guestView.drop(TinyGuest.DATA, PAGE)).isZero();
    assertThat(uffd.continueRange(page, PAGE, 0)).as("dropping ends it").isZero();
  }

  @Test
  void aLackingFeatureIsNamedWithItsKernel() {
    assertThat(UserfaultFd.lackingText(EnumSet.of(UffdFeature.MINOR_SHMEM, UffdFeature.MOVE)))
        .isEqualTo(
            "this kernel's userfaultfd lacks MINOR_SHMEM (Linux 5.14), MOVE (Linux 6.8);"
                + " use a newer kernel");
  }

  @Test
  void errorsNameCallAndCure() {
    assertThatThrownBy(() -> uffd.register(page + 1, PAGE, UserfaultFd.REGISTER_MISSING))
        .hasMessageContaining("UFFDIO_REGISTER")
        .hasMessageContaining("EINVAL")
        .hasMessageContaining("page-aligned");
    try (UserfaultFd second = UserfaultFd.open(FEATURES)) {
      assertThatThrownBy(() -> second.register(page, PAGE, UserfaultFd.REGISTER_MISSING))
          .hasMessageContaining("EBUSY")
          .hasMessageContaining("another userfaultfd");
      assertThat(second.features()).isEqualTo(FEATURES);
    }
    assertThat(uffd.continueRange(page + 1, PAGE, 0)).isEqualTo(-Errno.EINVAL.number());
    assertThatThrownBy(() -> UserfaultFd.check(-22, "UFFDIO_CONTINUE", "0x1"))
        .hasMessageStartingWith("UFFDIO_CONTINUE(0x1) failed: EINVAL: ");
    UserfaultFd closed = UserfaultFd.open(Set.of());
    closed.close();
    assertThat(closed.wake(page, PAGE)).isEqualTo(-Errno.EBADF.number());
    assertThat(closed.read(events)).isEqualTo(-Errno.EBADF.number());
    assertThatThrownBy(() -> closed.unregister(page, PAGE)).hasMessageContaining("is closed");
  }
}
