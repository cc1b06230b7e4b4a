package org.pluribus.transport.verbs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayDeque;
import java.util.Random;
import org.junit.jupiter.api.Test;

class CreditsTest {
  /** What is on its way: credits given back, and whether the message took one. */
  private record Sent(int returned, boolean counted) {}

  @Test
  void sendsAsManyMessagesAsThereAreReceives() {
    Credits credits = new Credits();
    for (int i = 0; i < Credits.MESSAGES; i++) {
      assertThat(credits.canSend()).isTrue();
      credits.spend();
    }
    assertThat(credits.canSend()).isFalse();
    assertThatThrownBy(credits::spend).isInstanceOf(IllegalStateException.class);
    assertThat(credits.give(1)).isTrue();
    assertThat(credits.canSend()).isTrue();
  }

  @Test
  void refusesCreditsThatNobodyCanHave() {
    Credits credits = new Credits();
    assertThat(credits.give(1)).isFalse();
    credits.spend();
    assertThat(credits.give(-1)).isFalse();
    assertThat(credits.give(2)).isFalse();
    assertThat(credits.give(1)).isTrue();
  }

  @Test
  void neverSendsIntoNothingAndNeverStops() {
    long seed = new Random().nextLong();
    Random random = new Random(seed);
    Credits[] ends = {new Credits(), new Credits()};
    @SuppressWarnings("unchecked")
    ArrayDeque<Sent>[] wires = new ArrayDeque[] {new ArrayDeque<Sent>(), new ArrayDeque<Sent>()};
    long delivered = 0;
    for (int turn = 0; turn < 100_000; turn++) {
      int end = random.nextInt(2);
      Credits own = ends[end];
      // Bursts make it run into its limits.
      for (int i = random.nextInt(100); i > 0 && own.canSend(); i--) {
        own.spend();
        wires[1 - end].add(new Sent(own.takeOwed(), true));
      }
      assertThat(wires[1 - end].size()).as("seed %d", seed).isLessThanOrEqualTo(Credits.RECEIVES);
      for (int i = random.nextInt(100); i > 0 && !wires[end].isEmpty(); i--) {
        Sent sent = wires[end].remove();
        assertThat(own.give(sent.returned())).as("seed %d", seed).isTrue();
        if (sent.counted()) {
          own.owe();
          delivered++;
        }
      }
      if (own.shouldReturn()) {
        wires[1 - end].add(new Sent(own.takeOwed(), false));
        assertThat(wires[1 - end].size()).as("seed %d", seed).isLessThanOrEqualTo(Credits.RECEIVES);
      }
    }
    assertThat(delivered).as("seed %d", seed).isGreaterThan(100_000);
  }
}
