package org.pluribus.vmm.devices;

import org.pluribus.vmm.bus.BusDevice;

/**
 * An i8042 keyboard controller with nothing connected: ready for commands, never any data. What it
 * is for is the one command every PC kernel knows to reset the machine with: pulse output line 0.
 * The FADT says there is no i8042, so that nobody waits for its answers.
 */
public final class KeyboardController {

  /** Status: self-test passed; no data, and room for a command. */
  private static final int STATUS_IDLE = 0x04;

  /** Commands 0xF0 to 0xFF pulse the output lines whose bit is 0; line 0 is the CPU's reset. */
  private static final int PULSE_MASK = 0xF0;

  private static final int RESET_LINE = 0x01;

  private final MachineControl machine;

  public KeyboardController(MachineControl machine) {
    this.machine = machine;
  }

  /** The data port, 0x60. */
  public BusDevice data() {
    return new BusDevice() {
      @Override
      public long read(long offset, int size) {
        return 0;
      }

      @Override
      public void write(long offset, int size, long value) {
        // No keyboard to send it to.
      }
    };
  }

  /** The command and status port, 0x64. */
  public BusDevice command() {
    return new BusDevice() {
      @Override
      public long read(long offset, int size) {
        return STATUS_IDLE;
      }

      @Override
      public void write(long offset, int size, long value) {
        if ((value & PULSE_MASK) == PULSE_MASK && (value & RESET_LINE) == 0) {
          machine.reset();
        }
      }
    };
  }
}
