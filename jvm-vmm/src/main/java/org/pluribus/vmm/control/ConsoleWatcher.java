package org.pluribus.vmm.control;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;
import org.pluribus.vmm.devices.ByteOutput;

/**
 * The guest's console on its way out, watched for two lines that Linux prints: the start of {@code
 * /init} and a panic.
 *
 * <p>Output is written at once; a line is looked at when it is complete.
 */
final class ConsoleWatcher implements ByteOutput {
  /** init/main.c, run_init_process. */
  private static final String INIT_STARTS = "Run ";

  private static final String INIT_STARTS_END = " as init process";

  /** kernel/panic.c. */
  private static final String PANIC = "Kernel panic - not syncing";

  /** Longer lines are looked at in pieces. */
  private static final int MAX_LINE = 512;

  private final OutputStream out;
  private final MachineEnd end;
  private final byte[] line = new byte[MAX_LINE];
  private int length;
  private volatile long initStartedNanos;
  private volatile @Nullable IOException broken;

  ConsoleWatcher(OutputStream out, MachineEnd end) {
    this.out = out;
    this.end = end;
  }

  @Override
  public void accept(byte value) {
    try {
      if (broken == null) {
        out.write(value);
        if (value == '\n') {
          out.flush();
        }
      }
    } catch (IOException e) {
      broken = e; // whoever read our output is gone; the guest goes on
    }
    if (value == '\n' || length == MAX_LINE) {
      look();
      length = 0;
    }
    if (value != '\n') {
      line[length++] = value;
    }
  }

  /** Writes out what is buffered: a prompt has no line end. Any thread, often. */
  void flush() {
    try {
      if (broken == null) {
        out.flush();
      }
    } catch (IOException e) {
      broken = e;
    }
  }

  private void look() {
    String s = new String(line, 0, length, StandardCharsets.ISO_8859_1);
    if (initStartedNanos == 0 && s.contains(INIT_STARTS) && s.contains(INIT_STARTS_END)) {
      initStartedNanos = System.nanoTime();
    }
    if (s.contains(PANIC)) {
      end.panicSeen();
    }
  }

  /** {@link System#nanoTime} at which the kernel started init, 0 if it has not. */
  long initStartedNanos() {
    return initStartedNanos;
  }
}
