package org.pluribus.vmm.emulator;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.pluribus.posix.HostMemory;

/**
 * One CPU writes code while another decodes it. The two take turns on one thread, between the steps
 * of an instruction, so that each interleaving that matters comes every time.
 */
class ModifiedCodeTest {
  private static final long PAGE = PlainMachine.CODE;

  /** Code of the same page that runs first, so that the page is known as code. */
  private static final long FIRST = PAGE;

  /** MOV EAX, imm32. */
  private static final long MODIFIED = PAGE + 0x100;

  private static final int IMMEDIATE = 1;
  private static final int OLD = 0x11;
  private static final int NEW = 0x22;

  private PlainMachine m;
  private Cpu writer;
  private Cpu reader;

  @BeforeEach
  void make() {
    m = PlainMachine.in64();
    writer = m.cpu;
    reader = m.newCpu(1);
    m.enter64(reader);
    m.code(FIRST, "90 C3");
    m.code(MODIFIED, "B8 11000000 C3");
  }

  @AfterEach
  void close() {
    m.close();
  }

  /** What the reader's EAX is after the modified instruction. */
  private int read(Cpu cpu) {
    cpu.gpr[CpuRegisters.RAX] = 0;
    cpu.rip = MODIFIED;
    cpu.executeOne();
    return (int) cpu.gpr[CpuRegisters.RAX];
  }

  private void knowAsCode() {
    reader.rip = FIRST;
    reader.executeOne();
    assertThat(m.codeCache.isCode(PAGE >>> 12)).isTrue();
  }

  /** The classic one: decoded between the look for old blocks and the store. */
  @Test
  void decodedBetweenLookAndStore() {
    knowAsCode();
    long host = writer.hostForWrite(MODIFIED + IMMEDIATE, 4); // looks for blocks: there is none
    assertThat(read(reader)).isEqualTo(OLD);
    HostMemory.putInt(host, NEW);
    assertThat(read(reader)).isEqualTo(NEW);
    assertThat(read(writer)).isEqualTo(NEW);
  }

  /** While a store is announced nothing is kept; afterwards it is. */
  @Test
  void keptAgainAfterTheStore() {
    knowAsCode();
    HostMemory.putInt(writer.hostForWrite(MODIFIED + IMMEDIATE, 4), NEW);
    reader.rip = MODIFIED;
    assertThat(reader.currentBlock()).isNotSameAs(reader.currentBlock());
    m.code(PlainMachine.DATA, "90 F4");
    m.safepointsLeft = 0;
    writer.rip = PlainMachine.DATA;
    writer.run(); // looks at its attention first
    Block kept = reader.currentBlock();
    assertThat(reader.currentBlock()).isSameAs(kept);
    writer.store32(MODIFIED + IMMEDIATE, OLD);
    assertThat(kept.valid).isFalse();
    assertThat(read(reader)).isEqualTo(OLD);
    reader.rip = MODIFIED;
    assertThat(reader.currentBlock())
        .as("a plain store ends by itself")
        .isSameAs(reader.currentBlock());
  }

  /** Both halves of an operand over two pages are announced. */
  @Test
  void updateOverTwoPages() {
    long second = PAGE + CpuMemory.PAGE_SIZE;
    m.code(second + 0x20, "90 C3");
    knowAsCode();
    reader.rip = second + 0x20;
    reader.executeOne();
    writer.writableHost(second - 2, 2);
    writer.writableHost(second, 2);
    assertThat(m.codeCache.isBeingWritten(PAGE >>> 12, reader.codeWriter)).isTrue();
    assertThat(m.codeCache.isBeingWritten(second >>> 12, reader.codeWriter)).isTrue();
    assertThat(m.codeCache.isBeingWritten(second >>> 12, writer.codeWriter)).isFalse();
    SplitLock.update(writer, second - 2, 4, false, MemoryUpdate.SET, 0x90909090L, 0);
    assertThat(m.codeCache.isBeingWritten(PAGE >>> 12, reader.codeWriter)).isFalse();
    assertThat(m.codeCache.isBeingWritten(second >>> 12, reader.codeWriter)).isFalse();
    assertThat(m.get(second - 2, 4)).containsOnly((byte) 0x90);
  }

  /** Until all CPUs have dropped their write mappings, nobody may decode. */
  @Test
  void nobodyDecodesBeforeThePageIsGuarded() {
    List<Cpu> asked = new ArrayList<>();
    writer.store32(MODIFIED + IMMEDIATE, OLD); // maps the page for writing
    m.onDropWriteMappings =
        (cpu, page) -> {
          asked.add(cpu);
          if (asked.size() == 1) {
            // The reader waits for the writer's answer; meanwhile a third CPU comes along.
            Cpu third = m.newCpu(2);
            m.enter64(third);
            assertThat(read(third)).isEqualTo(OLD);
            assertThat(asked).as("it has asked for itself").contains(third);
          }
          writer.dropPhysicalPage(page, true);
        };
    assertThat(read(reader)).isEqualTo(OLD);
    writer.store32(MODIFIED + IMMEDIATE, NEW);
    assertThat(read(reader)).isEqualTo(NEW);
  }

  /** A page that comes back is compared with what was decoded, not with what lay there before. */
  @Test
  void pageComesBackAsItWasBeforeTheLastStore() {
    knowAsCode(); // takes the page's snapshot
    writer.store32(MODIFIED + IMMEDIATE, NEW);
    assertThat(read(reader)).isEqualTo(NEW);
    // Another node takes the page, writes the old bytes and gives it back.
    HostMemory.putInt(m.host(MODIFIED + IMMEDIATE), OLD);
    m.codeCache.markStale(PAGE >>> 12);
    assertThat(read(reader)).isEqualTo(OLD);
  }
}
