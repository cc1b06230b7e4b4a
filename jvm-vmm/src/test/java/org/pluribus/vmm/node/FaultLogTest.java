package org.pluribus.vmm.node;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.pluribus.coherence.CoherenceMessage;
import org.pluribus.coherence.MessageType;
import org.pluribus.vmm.memory.GuestRamLayout;

/** The log of node 0 of 3. */
class FaultLogTest {
  private static final long PAGE = 5;
  private static final long TICKS_PER_SECOND = 1_000_000_000L;

  private final AtomicLong tsc = new AtomicLong();
  private final FaultLog log = new FaultLog(() -> tsc.addAndGet(1_000_000));
  private final CoherenceMessage message = new CoherenceMessage();

  private CoherenceMessage message(MessageType type, int from, int to, int requester) {
    return message.set(type, PAGE, from, to, requester, 0, 0, 0);
  }

  private FaultRecords records() {
    return log.records(GuestRamLayout.of(64 << 20, 3), TICKS_PER_SECOND);
  }

  private void fetch() {
    log.began(PAGE, true, log.now());
    log.sent(message(MessageType.GET_M, 0, 1, 0));
    log.received(message(MessageType.DATA, 2, 0, 0));
    log.copying(PAGE);
    log.installing(PAGE);
    log.installed(PAGE);
  }

  @Test
  void faultFromEventToInstallation() {
    fetch();
    log.installed(PAGE); // the second call says nothing new
    log.sent(message(MessageType.UNBLOCK, 0, 1, 0));
    FaultRecords.Fault f = records().faults().getFirst();
    assertThat(f.gpa()).isEqualTo(PAGE << 12);
    assertThat(f.write()).isTrue();
    assertThat(f.eventTsc()).isLessThanOrEqualTo(1_000_000);
    assertThat(
            new long[] {f.event(), f.sent(), f.answered(), f.install(), f.installed(), log.now()})
        .isSorted();
    assertThat(records().services()).isEmpty();
  }

  @Test
  void homeOfThePageAsksTheOwner() {
    log.began(PAGE, false, log.now());
    log.sent(message(MessageType.FWD_GET_S, 0, 2, 0));
    log.received(message(MessageType.DATA, 2, 0, 0));
    log.installing(PAGE);
    log.installed(PAGE);
    assertThat(records().faults()).hasSize(1);
  }

  @Test
  void lastAnswerCounts() {
    log.began(PAGE, true, log.now());
    log.sent(message(MessageType.GET_M, 0, 1, 0));
    log.received(message(MessageType.DATA, 2, 0, 0));
    log.copying(PAGE);
    log.received(message(MessageType.INV_ACK, 1, 0, 0));
    log.installing(PAGE);
    log.installed(PAGE);
    FaultRecords.Fault f = records().faults().getFirst();
    assertThat(f.install()).isGreaterThanOrEqualTo(f.answered());
  }

  @Test
  void faultsWithoutBytesFromElsewhereAreNotTold() {
    log.began(PAGE, true, log.now());
    log.sent(message(MessageType.UPGRADE, 0, 1, 0));
    log.received(message(MessageType.GRANT, 1, 0, 0));
    log.installing(PAGE);
    log.installed(PAGE);
    // This node is home, and nobody has the page.
    log.began(PAGE, true, log.now());
    log.installing(PAGE);
    log.installed(PAGE);
    assertThat(records().faults()).isEmpty();
  }

  @Test
  void secondFaultOfThePageBelongsToTheFirst() {
    long first = log.now();
    log.began(PAGE, true, first);
    log.began(PAGE, true, log.now() + 1_000_000);
    log.sent(message(MessageType.GET_M, 0, 1, 0));
    log.received(message(MessageType.DATA, 1, 0, 0));
    log.installing(PAGE);
    log.installed(PAGE);
    assertThat(records().faults()).hasSize(1);
    assertThat(records().faults().getFirst().event()).isEqualTo(first);
  }

  @Test
  void servicesPassOnAndGive() {
    log.received(message(MessageType.GET_M, 1, 0, 1));
    log.sent(message(MessageType.FWD_GET_M, 0, 2, 1));
    log.received(message(MessageType.FWD_GET_S, 1, 0, 2));
    log.sent(message(MessageType.DATA, 0, 2, 2));
    // Leaves without bytes.
    log.received(message(MessageType.INV, 1, 0, 1));
    log.sent(message(MessageType.INV_ACK, 0, 1, 1));
    assertThat(records().services())
        .extracting(FaultRecords.Service::requester)
        .containsExactly(1, 2);
    assertThat(records().services()).allMatch(s -> s.gpa() == PAGE << 12);
    assertThat(records().services()).allMatch(s -> s.sent() >= s.received());
  }

  @Test
  void oldestGoFirst() {
    fetch();
    long afterFirst = log.now();
    for (int i = 0; i < FaultLog.CAPACITY; i++) {
      fetch();
    }
    assertThat(records().faults()).hasSize(FaultLog.CAPACITY);
    assertThat(records().faults()).extracting(FaultRecords.Fault::event).isSorted();
    assertThat(records().faults()).allMatch(f -> f.event() >= afterFirst);
  }

  @Test
  void offCostsNothing() {
    FaultLog.OFF.began(PAGE, true, FaultLog.OFF.now());
    FaultLog.OFF.sent(message(MessageType.GET_M, 0, 1, 0));
    FaultLog.OFF.received(message(MessageType.GET_M, 1, 0, 1));
    FaultLog.OFF.copying(PAGE);
    FaultLog.OFF.installing(PAGE);
    FaultLog.OFF.installed(PAGE);
    assertThat(FaultLog.OFF.isOn()).isFalse();
    assertThat(FaultLog.OFF.now()).isZero();
  }
}
