package org.pluribus.vmm.devices;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class Uart16550Test {

  private static final int RBR = 0;
  private static final int THR = 0;
  private static final int IER = 1;
  private static final int IIR = 2;
  private static final int FCR = 2;
  private static final int LCR = 3;
  private static final int MCR = 4;
  private static final int LSR = 5;
  private static final int MSR = 6;
  private static final int SCR = 7;

  private final ByteArrayOutputStream sent = new ByteArrayOutputStream();
  private boolean line;
  private int rises;
  private final Uart16550 uart =
      new Uart16550(
          level -> {
            if (level && !line) {
              rises++;
            }
            line = level;
          },
          sent::write);

  private int in(int register) {
    return (int) uart.read(register, 1);
  }

  private void out(int register, int value) {
    uart.write(register, 1, value);
  }

  private void type(String text) {
    for (byte b : text.getBytes(StandardCharsets.US_ASCII)) {
      assertThat(uart.receive(b)).isTrue();
    }
  }

  private String readAll() {
    StringBuilder text = new StringBuilder();
    while ((in(LSR) & 1) != 0) {
      text.append((char) in(RBR));
    }
    return text.toString();
  }

  @Test
  void printsWhatIsWrittenPolled() {
    for (char c : "Hello".toCharArray()) {
      assertThat(in(LSR) & 0x60).isEqualTo(0x60);
      out(THR, c);
    }
    assertThat(sent.toString(StandardCharsets.US_ASCII)).isEqualTo("Hello");
    assertThat(line).isFalse();
  }

  @Test
  void registersAreThereForTheDriversProbe() {
    out(SCR, 0xA5);
    assertThat(in(SCR)).isEqualTo(0xA5);
    out(IER, 0xFF);
    assertThat(in(IER)).as("only four interrupts, no XScale unit enable").isEqualTo(0x0F);
    out(IER, 0);
    assertThat(in(IER)).isZero();
    assertThat(in(IIR)).as("8250: no FIFO bits before FIFOs are enabled").isEqualTo(0x01);
    out(FCR, 0x01);
    assertThat(in(IIR) & 0xC0).as("16550A").isEqualTo(0xC0);
    out(FCR, 0x21);
    assertThat(in(IIR) & 0x20).as("no 16750").isZero();
    out(LCR, 0x83);
    out(0, 0x34);
    out(1, 0x12);
    assertThat(in(0)).isEqualTo(0x34);
    assertThat(in(1)).isEqualTo(0x12);
    out(LCR, 0x03);
    assertThat(in(LCR)).isEqualTo(0x03);
    assertThat(in(IER)).as("divisor latch is apart").isZero();
    assertThat(sent.size()).isZero();
  }

  @Test
  void loopbackWiresOutputsToInputsAndDataToItself() {
    assertThat(in(MSR)).as("a terminal is connected").isEqualTo(0xB0);
    // Linux's autoconfig: OUT2 and RTS must come back as DCD and CTS.
    out(MCR, 0x10 | 0x0A);
    assertThat(in(MSR) & 0xF0).isEqualTo(0x90);
    out(MCR, 0x10 | 0x05);
    assertThat(in(MSR) & 0xF0).as("DTR and OUT1 are DSR and RI").isEqualTo(0x60);
    type("x");
    out(THR, 'y');
    assertThat(in(RBR)).isEqualTo('y');
    assertThat(sent.size()).as("nothing leaves").isZero();
    out(MCR, 0);
    assertThat(readAll()).as("what arrived meanwhile is kept").isEqualTo("x");
  }

  @Test
  void modemStatusChangesAreReportedOnceAndInterrupt() {
    in(MSR);
    out(IER, 0x08);
    out(MCR, 0x08);
    assertThat(line).isFalse();
    out(MCR, 0x18);
    assertThat(line).isTrue();
    assertThat(in(IIR) & 0x0F).isZero();
    assertThat(in(MSR)).as("DCD stays, CTS and DSR went").isEqualTo(0x83);
    assertThat(line).isFalse();
    assertThat(in(MSR)).isEqualTo(0x80);
  }

  @Test
  void transmitterInterruptComesOnEnablingAndAfterEachByteUntilRead() {
    out(MCR, 0x08);
    out(IER, 0x02);
    assertThat(line).as("transmitter is empty").isTrue();
    assertThat(in(IIR) & 0x0F).isEqualTo(0x02);
    assertThat(line).as("reading IIR ends it").isFalse();
    assertThat(in(IIR) & 0x0F).isEqualTo(0x01);
    out(THR, 'a');
    assertThat(line).isTrue();
    in(IIR);
    out(IER, 0);
    out(IER, 0x02);
    assertThat(in(IIR) & 0x0F).as("Linux checks that enabling again asserts again").isEqualTo(0x02);
  }

  @Test
  void receivedDataInterruptsByTriggerLevelAndBelowItAsTimeout() {
    out(MCR, 0x08);
    out(FCR, 0x41);
    out(IER, 0x01);
    type("abc");
    assertThat(line).isTrue();
    assertThat(in(IIR)).as("3 of 4: character timeout").isEqualTo(0xCC);
    type("d");
    assertThat(in(IIR)).isEqualTo(0xC4);
    assertThat(readAll()).isEqualTo("abcd");
    assertThat(line).isFalse();
    assertThat(in(RBR)).as("empty receiver").isZero();
    type("e");
    assertThat(rises).isEqualTo(2);
    out(FCR, 0x43);
    assertThat(in(LSR) & 1).as("cleared FIFO").isZero();
  }

  @Test
  void interruptsNeedTheGateOfOut2() {
    out(IER, 0x03);
    type("x");
    assertThat(line).isFalse();
    assertThat(in(IIR) & 0x0F).as("received data comes first").isEqualTo(0x04);
    out(MCR, 0x08);
    assertThat(line).isTrue();
  }

  @Test
  void longInputIsQueuedInOrderAndBounded() {
    out(FCR, 0x01);
    StringBuilder expected = new StringBuilder();
    int taken = 0;
    while (uart.receive((byte) ('A' + taken % 26))) {
      expected.append((char) ('A' + taken % 26));
      taken++;
      assertThat(taken).isLessThan(10_000);
    }
    assertThat(taken).as("queue and FIFO").isEqualTo(Uart16550.INPUT_QUEUE_SIZE + 16);
    assertThat(readAll()).isEqualTo(expected.toString());
    assertThat(uart.receive((byte) 'z')).isTrue();
  }
}
