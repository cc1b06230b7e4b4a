package org.pluribus.transport.verbs;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.pluribus.coherence.Lane;
import org.pluribus.transport.NodeIdentity;
import org.pluribus.transport.VmKey;

class VerbsLaneTest {
  private static final NodeIdentity PEER = new NodeIdentity(1, 2, 100, VmKey.random(), 7);
  private static final long OWN = 111;
  private static final long THEIRS = 222;

  private final VerbsLane lane = new VerbsLane(1, Lane.PAGE);

  private static Introduction said(long session, long peerSession, long delivered) {
    return Introduction.of(PEER, Lane.PAGE, session, peerSession, delivered);
  }

  private void begin() {
    assertThat(lane.agree(said(THEIRS, 0, 0), OWN)).isNull();
    assertThat(lane.open(Slabs.NONE)).isTrue();
    lane.bind(null, Slabs.NONE);
  }

  @Test
  void opensOnlyForWhoHasIntroducedItself() {
    assertThat(lane.open(Slabs.NONE)).isFalse();
    assertThat(lane.isUp()).isFalse();
    begin();
    assertThat(lane.wasUp()).isTrue();
    assertThat(lane.isUp()).isFalse();
    assertThat(lane.open(Slabs.NONE)).isFalse();
  }

  @Test
  void goesOnWithTheSameProcess() {
    begin();
    assertThat(lane.agree(said(THEIRS, OWN, 0), OWN)).isNull();
    assertThat(lane.open(Slabs.NONE)).isTrue();
    assertThat(lane.isUp()).isTrue();
  }

  @Test
  void refusesAProcessStartedAnew() {
    begin();
    assertThat(lane.agree(said(THEIRS + 1, 0, 0), OWN)).contains("was started anew");
    assertThat(lane.agree(said(THEIRS + 1, OWN, 0), OWN)).contains("was started anew");
    // The same number does not help who has forgotten us.
    assertThat(lane.agree(said(THEIRS, 0, 0), OWN)).contains("was started anew");
    assertThat(lane.open(Slabs.NONE)).isFalse();
  }

  @Test
  void refusesWhoKnowsAnotherProcessOfThisNode() {
    assertThat(lane.agree(said(THEIRS, OWN + 1, 0), OWN)).contains("before this node was started");
    begin();
    assertThat(lane.agree(said(THEIRS, OWN + 1, 0), OWN)).contains("before this node was started");
  }

  @Test
  void refusesCountsThatCanNotBe() {
    assertThat(lane.agree(said(THEIRS, 0, 1), OWN)).contains("message 1 of 0");
    begin();
    assertThat(lane.agree(said(THEIRS, OWN, 1), OWN)).contains("message 1 of 0");
    assertThat(lane.agree(said(THEIRS, OWN, -1), OWN)).contains("message -1");
    assertThat(lane.open(Slabs.NONE)).isFalse();
  }

  @Test
  void takesNothingWithoutAConnection() {
    assertThat(lane.tryClaim(10)).isFalse();
    begin();
    assertThat(lane.tryClaim(10)).isFalse();
    assertThat(lane.flush()).isZero();
  }
}
