package org.pluribus.vmm.devices;

import org.pluribus.vmm.bus.BusDevice;
import org.pluribus.vmm.bus.InterruptLine;

/**
 * A 16550A serial port: the guest's console, both ways.
 *
 * <p>Sending takes no time: a byte written is output at once and the transmitter is empty again.
 * For input a bounded queue stands in front of the 16-byte FIFO and refills it as the guest reads,
 * so nothing is ever overrun; the sender is told when the queue is full.
 *
 * <p>Complete enough for Linux's 8250 driver to find out what it is: loopback, scratch register,
 * FIFO bits, transmitter interrupt on enabling. Source: TI TL16C550C data sheet; Linux
 * drivers/tty/serial/8250/8250_port.c (autoconfig).
 */
public final class Uart16550 implements BusDevice {

  /** Bytes of input held for the guest until it reads them. */
  public static final int INPUT_QUEUE_SIZE = 4096;

  private static final int FIFO_SIZE = 16;

  /** Register offsets; 0 to 2 have other meanings for reading, writing and with DLAB set. */
  private static final int DATA = 0;

  private static final int INTERRUPT_ENABLE = 1;
  private static final int INTERRUPT_ID = 2;
  private static final int LINE_CONTROL = 3;
  private static final int MODEM_CONTROL = 4;
  private static final int LINE_STATUS = 5;
  private static final int MODEM_STATUS = 6;
  private static final int SCRATCH = 7;

  /** Interrupt enable and, shifted, what can be pending. */
  private static final int IER_RECEIVED = 0x01;

  private static final int IER_TRANSMITTER_EMPTY = 0x02;
  private static final int IER_MODEM_STATUS = 0x08;
  private static final int IER_MASK = 0x0F;

  private static final int IIR_NONE = 0x01;
  private static final int IIR_MODEM_STATUS = 0x00;
  private static final int IIR_TRANSMITTER_EMPTY = 0x02;
  private static final int IIR_RECEIVED = 0x04;
  private static final int IIR_CHARACTER_TIMEOUT = 0x0C;
  private static final int IIR_FIFOS_ENABLED = 0xC0;

  private static final int FCR_ENABLE = 0x01;
  private static final int FCR_CLEAR_RECEIVER = 0x02;
  private static final int FCR_TRIGGER_SHIFT = 6;

  /** Receiver FIFO trigger levels by FCR bits 7:6. */
  private static final int[] TRIGGER_LEVELS = {1, 4, 8, 14};

  private static final int LCR_DLAB = 0x80;

  private static final int MCR_OUT2 = 0x08;
  private static final int MCR_LOOP = 0x10;
  private static final int MCR_MASK = 0x1F;

  private static final int LSR_DATA_READY = 0x01;
  private static final int LSR_TRANSMITTER_IDLE = 0x60;

  /** Modem lines of a terminal that is there: clear to send, data set ready, carrier detected. */
  private static final int MODEM_LINES_READY = 0xB0;

  private static final int MODEM_LINES_MASK = 0xF0;

  /** Ring indicator reports its trailing edge only. */
  private static final int MODEM_RING = 0x40;

  /** Divisor for 9600 baud at 1.8432 MHz: what firmware leaves. */
  private static final int DEFAULT_DIVISOR = 12;

  private final InterruptLine interrupt;
  private final ByteOutput output;

  private final byte[] queue = new byte[INPUT_QUEUE_SIZE];
  private int queueHead;
  private int queueLength;
  private final byte[] fifo = new byte[FIFO_SIZE];
  private int fifoHead;
  private int fifoLength;

  private int interruptEnable;
  private boolean fifosEnabled;
  private int triggerLevel = TRIGGER_LEVELS[0];
  private int lineControl;
  private int modemControl;
  private int modemLines = MODEM_LINES_READY;
  private int modemDeltas;
  private int scratch;
  private int divisor = DEFAULT_DIVISOR;

  /** The transmitter ran empty and the guest hasn't been told yet. */
  private boolean transmitterEmptyPending;

  /**
   * @param interrupt driven high while an enabled interrupt is pending
   * @param output gets what the guest sends
   */
  public Uart16550(InterruptLine interrupt, ByteOutput output) {
    this.interrupt = interrupt;
    this.output = output;
  }

  /**
   * Sends a byte to the guest.
   *
   * @return false if the queue is full; the byte is not taken, try again when the guest has read
   */
  public synchronized boolean receive(byte value) {
    if (queueLength == INPUT_QUEUE_SIZE) {
      return false;
    }
    queue[(queueHead + queueLength) % INPUT_QUEUE_SIZE] = value;
    queueLength++;
    refillFifo();
    updateInterrupt();
    return true;
  }

  @Override
  public synchronized long read(long offset, int size) {
    int value = readRegister((int) offset);
    updateInterrupt();
    return value;
  }

  @Override
  public synchronized void write(long offset, int size, long value) {
    writeRegister((int) offset, (int) value & 0xFF);
    updateInterrupt();
  }

  private boolean divisorAccess() {
    return (lineControl & LCR_DLAB) != 0;
  }

  private boolean loopback() {
    return (modemControl & MCR_LOOP) != 0;
  }

  private int readRegister(int register) {
    return switch (register) {
      case DATA -> divisorAccess() ? divisor & 0xFF : readReceiver();
      case INTERRUPT_ENABLE -> divisorAccess() ? divisor >> 8 : interruptEnable;
      case INTERRUPT_ID -> readInterruptId();
      case LINE_CONTROL -> lineControl;
      case MODEM_CONTROL -> modemControl;
      case LINE_STATUS -> LSR_TRANSMITTER_IDLE | (fifoLength > 0 ? LSR_DATA_READY : 0);
      case MODEM_STATUS -> readModemStatus();
      case SCRATCH -> scratch;
      default -> 0xFF;
    };
  }

  private void writeRegister(int register, int value) {
    switch (register) {
      case DATA -> {
        if (divisorAccess()) {
          divisor = (divisor & 0xFF00) | value;
        } else {
          transmit((byte) value);
        }
      }
      case INTERRUPT_ENABLE -> {
        if (divisorAccess()) {
          divisor = (divisor & 0xFF) | value << 8;
        } else {
          enableInterrupts(value & IER_MASK);
        }
      }
      case INTERRUPT_ID -> controlFifos(value);
      case LINE_CONTROL -> lineControl = value;
      case MODEM_CONTROL -> {
        modemControl = value & MCR_MASK;
        setModemLines(loopback() ? loopedModemLines() : MODEM_LINES_READY);
        refillFifo();
      }
      case SCRATCH -> scratch = value;
      default -> {
        // Line and modem status are read-only outside factory test.
      }
    }
  }

  private int readReceiver() {
    if (fifoLength == 0) {
      return 0;
    }
    int value = fifo[fifoHead] & 0xFF;
    fifoHead = (fifoHead + 1) % FIFO_SIZE;
    fifoLength--;
    refillFifo();
    return value;
  }

  private int readInterruptId() {
    int id = pendingInterrupt();
    if (id == IIR_TRANSMITTER_EMPTY) {
      transmitterEmptyPending = false;
    }
    return id | (fifosEnabled ? IIR_FIFOS_ENABLED : 0);
  }

  private int readModemStatus() {
    int status = modemLines | modemDeltas;
    modemDeltas = 0;
    return status;
  }

  private void transmit(byte value) {
    if (loopback()) {
      pushFifo(value);
    } else {
      output.accept(value);
    }
    transmitterEmptyPending = true;
  }

  private void enableInterrupts(int enable) {
    // The transmitter is always empty, so its interrupt is due as soon as it gets enabled.
    if ((enable & ~interruptEnable & IER_TRANSMITTER_EMPTY) != 0) {
      transmitterEmptyPending = true;
    }
    interruptEnable = enable;
  }

  private void controlFifos(int value) {
    boolean enable = (value & FCR_ENABLE) != 0;
    boolean toggled = enable != fifosEnabled;
    fifosEnabled = enable;
    triggerLevel = enable ? TRIGGER_LEVELS[value >> FCR_TRIGGER_SHIFT] : 1;
    if (toggled || (enable && (value & FCR_CLEAR_RECEIVER) != 0)) {
      fifoLength = 0;
      refillFifo();
    }
  }

  /** MCR's outputs as the modem inputs they are wired to in loopback: RTS, DTR, OUT1, OUT2. */
  private int loopedModemLines() {
    int rtsToCts = (modemControl & 0x02) << 3;
    int dtrToDsr = (modemControl & 0x01) << 5;
    int outputsToRingAndCarrier = (modemControl & 0x0C) << 4;
    return rtsToCts | dtrToDsr | outputsToRingAndCarrier;
  }

  private void setModemLines(int lines) {
    int changed = (lines ^ modemLines) & MODEM_LINES_MASK;
    // For the ring indicator only the edge from on to off counts.
    changed &= ~(lines & MODEM_RING);
    modemDeltas |= changed >> 4;
    modemLines = lines;
  }

  private void pushFifo(byte value) {
    int depth = fifosEnabled ? FIFO_SIZE : 1;
    if (fifoLength < depth) {
      fifo[(fifoHead + fifoLength) % FIFO_SIZE] = value;
      fifoLength++;
    }
  }

  private void refillFifo() {
    int depth = fifosEnabled ? FIFO_SIZE : 1;
    // In loopback the receiver is cut off from the line.
    while (!loopback() && queueLength > 0 && fifoLength < depth) {
      pushFifo(queue[queueHead]);
      queueHead = (queueHead + 1) % INPUT_QUEUE_SIZE;
      queueLength--;
    }
  }

  /**
   * The pending enabled interrupt of highest priority. Below its trigger level a real 16550 waits
   * four character times before it reports; ours take no time.
   */
  private int pendingInterrupt() {
    if ((interruptEnable & IER_RECEIVED) != 0 && fifoLength > 0) {
      return fifoLength >= triggerLevel ? IIR_RECEIVED : IIR_CHARACTER_TIMEOUT;
    }
    if ((interruptEnable & IER_TRANSMITTER_EMPTY) != 0 && transmitterEmptyPending) {
      return IIR_TRANSMITTER_EMPTY;
    }
    if ((interruptEnable & IER_MODEM_STATUS) != 0 && modemDeltas != 0) {
      return IIR_MODEM_STATUS;
    }
    return IIR_NONE;
  }

  /** On a PC the chip's interrupt output is wired through a gate that OUT2 opens. */
  private void updateInterrupt() {
    interrupt.set((modemControl & MCR_OUT2) != 0 && pendingInterrupt() != IIR_NONE);
  }
}
