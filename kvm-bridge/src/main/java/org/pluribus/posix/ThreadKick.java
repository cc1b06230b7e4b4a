package org.pluribus.posix;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/**
 * Makes a thread's blocking system call return with EINTR: a signal whose handler does nothing.
 *
 * <p>A thread {@linkplain #enlist() enlists} itself and publishes the id it gets; others
 * {@linkplain #send send}. The signal alone loses wake-ups (it may arrive just before the call
 * begins), so the call needs a flag of its own beside it; {@code KVM_RUN} has {@code
 * immediate_exit}.
 *
 * <p>The handler is {@code abs} of the C library: it takes the signal number as its argument,
 * touches no memory and returns, which is all that a handler has to do; the JVM is not involved. It
 * is installed without SA_RESTART, so that a blocking {@code read} returns too.
 *
 * <p>The signal is the real-time signal 40, which neither HotSpot (HUP, INT, TERM, QUIT, SEGV, BUS,
 * FPE, ILL, PIPE, XFSZ, USR2), the JDK's channels (62) nor the C library (32, 33) use. Another one
 * can be had with {@code -Dpluribus.kickSignal=N}. If a handler is there already, enlisting fails.
 */
@Abi.Headers({"signal.h"})
public final class ThreadKick {
  /** Real-time signals that programs may use: SIGRTMIN to SIGRTMAX; bits/signum-generic.h. */
  private static final int FIRST_REAL_TIME = 34;

  private static final int LAST_REAL_TIME = 64;
  private static final int DEFAULT_SIGNAL = 40;

  /** struct sigaction of the C library; bits/sigaction.h:27. */
  @Abi("sizeof(struct sigaction)")
  static final int SIGACTION_BYTES = 152;

  @Abi("offsetof(struct sigaction, sa_handler)")
  static final int SIGACTION_HANDLER = 0;

  /** sigset_t; bits/types/__sigset_t.h. Signal n is bit n-1. */
  @Abi("sizeof(sigset_t)")
  static final int SIGSET_BYTES = 128;

  /** The handler field's value for "default action"; bits/signum-generic.h. */
  @Abi("(long)SIG_DFL")
  static final long SIG_DFL = 0;

  /** pthread_sigmask: remove the set from the mask; bits/sigaction.h:75. */
  @Abi static final int SIG_UNBLOCK = 1;

  private static final MethodHandle SIGACTION =
      CLibrary.bind("sigaction", CLibrary.status(JAVA_INT, ADDRESS, ADDRESS));
  private static final MethodHandle SIGMASK =
      CLibrary.bind("pthread_sigmask", CLibrary.status(JAVA_INT, ADDRESS, ADDRESS));
  private static final MethodHandle GETTID = CLibrary.bind("gettid", CLibrary.status());

  private static final int PID = (int) ProcessHandle.current().pid();
  private static final int SIGNAL = Integer.getInteger("pluribus.kickSignal", DEFAULT_SIGNAL);

  private static boolean installed;

  private ThreadKick() {}

  /** The signal's number. */
  public static int signal() {
    return SIGNAL;
  }

  /**
   * Prepares the calling thread for kicks: installs the handler (once per process) and unblocks the
   * signal. The thread must be a platform thread.
   *
   * @return the kernel's id of the thread, for {@link #send}
   * @throws IllegalStateException if somebody else handles the signal
   */
  public static int enlist() {
    install();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment set = arena.allocate(SIGSET_BYTES, Long.BYTES);
      set.set(JAVA_LONG, 0, 1L << (SIGNAL - 1));
      // Returns its error instead of setting errno, and these arguments have none.
      int ignored =
          (int) SIGMASK.invokeExact(CLibrary.capture(), SIG_UNBLOCK, set, MemorySegment.NULL);
      return (int) GETTID.invokeExact(CLibrary.capture());
    } catch (Throwable t) {
      throw CLibrary.unexpected(t);
    }
  }

  private static synchronized void install() {
    if (installed) {
      return;
    }
    if (SIGNAL < FIRST_REAL_TIME || SIGNAL > LAST_REAL_TIME) {
      throw new IllegalStateException(
          "pluribus.kickSignal=%d is no real-time signal; choose one of %d to %d"
              .formatted(SIGNAL, FIRST_REAL_TIME, LAST_REAL_TIME));
    }
    long handler = CLibrary.address("abs");
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment action = arena.allocate(SIGACTION_BYTES, Long.BYTES);
      sigaction(MemorySegment.NULL, action);
      long present = action.get(JAVA_LONG, SIGACTION_HANDLER);
      if (present != SIG_DFL && present != handler) {
        throw new IllegalStateException(
            "signal %d has a handler already; start java with another -Dpluribus.kickSignal=N"
                .formatted(SIGNAL));
      }
      action.fill((byte) 0); // no flags, empty mask
      action.set(JAVA_LONG, SIGACTION_HANDLER, handler);
      sigaction(action, MemorySegment.NULL);
    }
    installed = true;
  }

  private static void sigaction(MemorySegment action, MemorySegment old) {
    try {
      int result = (int) SIGACTION.invokeExact(CLibrary.capture(), SIGNAL, action, old);
      if (result < 0) {
        throw CLibrary.failure("sigaction", "signal " + SIGNAL);
      }
    } catch (PosixException e) {
      throw e;
    } catch (Throwable t) {
      throw CLibrary.unexpected(t);
    }
  }

  /**
   * Sends the signal to one thread of this process. Allocates nothing.
   *
   * @param threadId what {@link #enlist()} answered
   * @return 0, or minus errno: ESRCH if the thread has ended
   */
  public static int send(int threadId) {
    return (int) SystemCall.callShort(SystemCall.TGKILL, PID, threadId, SIGNAL);
  }
}
