package org.pluribus.transport.verbs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class UnconfirmedTest {
  private static final int MOST = 4;

  /** Sends so many, breaks, goes on, breaks amid sending again, goes on: in every way there is. */
  @Test
  void sendsEachMessageThatDidNotArriveOnceMoreInOrder() {
    int cases = 0;
    for (int sent = 0; sent <= MOST; sent++) {
      for (int confirmed = 0; confirmed <= sent; confirmed++) {
        for (int arrived = confirmed; arrived <= sent; arrived++) {
          for (int begun = 0; begun <= 1; begun++) {
            int waiting = sent + begun - arrived;
            for (int again = 0; again <= waiting; again++) {
              for (int arrivedAgain = 0; arrivedAgain <= again; arrivedAgain++) {
                oneCase(sent, confirmed, arrived, begun == 1, again, arrivedAgain);
                cases++;
              }
            }
          }
        }
      }
    }
    assertThat(cases).isGreaterThan(300);
  }

  private static void oneCase(
      int sent, int confirmed, int arrived, boolean begun, int again, int arrivedAgain) {
    String name =
        "%d sent, %d confirmed, %d arrived, begun %s, %d again, %d of them arrived"
            .formatted(sent, confirmed, arrived, begun, again, arrivedAgain);
    Unconfirmed lane = new Unconfirmed();
    for (int i = 0; i < sent; i++) {
      lane.countSent();
    }
    lane.keep(messages(confirmed, sent), begun ? message(sent) : null);
    for (int wrong : new int[] {confirmed - 1, sent + 1}) {
      assertThat(lane.objection(wrong)).as(name).isNotNull();
      assertThatThrownBy(() -> lane.resume(wrong)).isInstanceOf(IllegalStateException.class);
    }
    assertThat(lane.objection(arrived)).as(name).isNull();
    lane.resume(arrived);
    sendAgain(lane, arrived, again, name);
    lane.keep(messages(arrived, arrived + again), null);
    int all = begun ? sent + 1 : sent;
    int highest = Math.max(sent, arrived + again);
    assertThat(lane.objection(arrived - 1)).as(name).isNotNull();
    assertThat(lane.objection(highest)).as(name).isNull();
    assertThat(lane.objection(highest + 1)).as(name).isNotNull();
    lane.resume(arrived + arrivedAgain);
    sendAgain(lane, arrived + arrivedAgain, all - arrived - arrivedAgain, name);
    assertThat(lane.isEmpty()).as(name).isTrue();
    lane.countSent();
    assertThat(lane.objection(all + 1)).as(name).isNull();
    assertThat(lane.objection(all + 2)).as(name).isNotNull();
  }

  private static void sendAgain(Unconfirmed lane, int first, int count, String name) {
    for (int number = first; number < first + count; number++) {
      assertThat(lane.first().bytes()).as(name).containsExactly(number);
      lane.firstSent();
    }
  }

  private static List<Unconfirmed.Message> messages(int from, int to) {
    List<Unconfirmed.Message> all = new ArrayList<>();
    for (int number = from; number < to; number++) {
      all.add(message(number));
    }
    return all;
  }

  private static Unconfirmed.Message message(int number) {
    return new Unconfirmed.Message(new byte[] {(byte) number}, new long[0]);
  }

  @Test
  void takesNoNewMessageBeforeTheOldOnes() {
    Unconfirmed lane = new Unconfirmed();
    lane.countSent();
    lane.keep(messages(0, 1), null);
    assertThatThrownBy(() -> lane.keep(List.of(), message(1)))
        .isInstanceOf(IllegalStateException.class);
  }

  @Test
  void saysWhatIsWrongWithACount() {
    Unconfirmed lane = new Unconfirmed();
    lane.countSent();
    lane.countSent();
    lane.keep(messages(1, 2), null);
    assertThat(lane.objection(0))
        .isEqualTo("wants to go on at message 0, but has confirmed 1 before");
    assertThat(lane.objection(3)).isEqualTo("wants to go on at message 3 of 2 that were sent");
  }
}
