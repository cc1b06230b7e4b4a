package org.pluribus.vmm.control;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Every way in which up to four nodes can vote: yes, no, not at all. */
class BallotTest {
  private static final int MOST_NODES = 4;
  private static final int WAYS = 3;
  private static final String SILENCE = "did not say";

  @Test
  void onlyTheYesOfAllIsAYes() {
    for (int nodes = 1; nodes <= MOST_NODES; nodes++) {
      for (int way = 0; way < Math.pow(WAYS, nodes); way++) {
        check(nodes, way);
      }
    }
  }

  /**
   * @param way per node, in base three: 0 yes, 1 no, 2 silence
   */
  private static void check(int nodes, int way) {
    List<String> names = names(nodes);
    Ballot ballot = new Ballot(names);
    List<String> noes = new ArrayList<>();
    List<String> silent = new ArrayList<>();
    int votes = 0;
    int rest = way;
    for (int node = 0; node < nodes; node++, rest /= WAYS) {
      int vote = rest % WAYS;
      if (vote != 2) {
        ballot.vote(node, vote == 0 ? null : "has no device " + node);
        votes++;
      }
      if (vote == 1) {
        noes.add("n" + node + " has no device " + node);
      } else if (vote == 2) {
        silent.add("n" + node + " did not say");
      }
      assertThat(ballot.awaits(node)).as("way %d, node %d", way, node).isEqualTo(vote == 2);
    }
    assertThat(ballot.isComplete()).as("way %d", way).isEqualTo(votes == nodes);
    assertThat(ballot.isLost()).as("way %d", way).isEqualTo(!noes.isEmpty());
    List<String> objections = noes.isEmpty() ? silent : noes;
    String expected =
        switch (objections.size()) {
          case 0 -> null;
          case 1 -> objections.getFirst();
          case 2 -> objections.getFirst() + "; 1 node more objects";
          default -> objections.getFirst() + "; " + (objections.size() - 1) + " nodes more object";
        };
    assertThat(ballot.objection(SILENCE)).as("way %d", way).isEqualTo(expected);
  }

  @Test
  void aNodesFirstWordCounts() {
    Ballot ballot = new Ballot(names(2));
    ballot.vote(0, null);
    ballot.vote(1, "has no device");
    ballot.vote(1, null);
    ballot.vote(0, "has none either");
    assertThat(ballot.objection(SILENCE)).isEqualTo("n1 has no device");
    assertThat(ballot.isComplete()).isTrue();
  }

  private static List<String> names(int nodes) {
    List<String> names = new ArrayList<>();
    for (int i = 0; i < nodes; i++) {
      names.add("n" + i);
    }
    return names;
  }
}
