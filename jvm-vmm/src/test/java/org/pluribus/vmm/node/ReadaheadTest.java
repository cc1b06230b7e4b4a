package org.pluribus.vmm.node;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

class ReadaheadTest {
  private static final long PAGES = 1000;

  private final Readahead readahead = new Readahead(PAGES);
  private final TreeSet<Long> here = new TreeSet<>();
  private int faults;

  /** The vCPU touches a page; returns what is fetched along with it, if it was not there. */
  private List<Long> touch(long page) {
    if (here.contains(page)) {
      return List.of();
    }
    faults++;
    List<Long> fetched = new ArrayList<>();
    readahead.missed(page, true, (p, write) -> here.contains(p), (p, write) -> fetched.add(p));
    here.add(page);
    here.addAll(fetched);
    return fetched;
  }

  @Test
  void fetchesMoreTheLongerItGoesOn() {
    assertThat(touch(100)).isEmpty();
    assertThat(touch(101)).isEmpty();
    assertThat(touch(102)).containsExactly(103L);
    assertThat(touch(104)).containsExactly(105L, 106L, 107L);
    assertThat(touch(108)).hasSize(7).contains(109L, 115L);
    assertThat(touch(116)).hasSize(15);
    assertThat(touch(132)).hasSize(Readahead.MOST_PAGES);
  }

  @Test
  void hundredsOfPagesTakeFewFaults() {
    for (long page = 0; page < 500; page++) {
      touch(page);
    }
    assertThat(faults).isLessThan(40);
  }

  @Test
  void goesDownToo() {
    for (long page = 600; page > 100; page--) {
      touch(page);
    }
    assertThat(faults).isLessThan(40);
    assertThat(here.first()).isGreaterThanOrEqualTo(101L - Readahead.MOST_PAGES);
  }

  @Test
  void followsACopysTwoWaysWithOthersInBetween() {
    for (long page = 0; page < 200; page++) {
      touch(page);
      touch(700 - page);
      if (page % 50 == 25) {
        touch(950 + page / 10); // a stack, say
      }
    }
    assertThat(faults).isLessThan(60);
  }

  @Test
  void leavesPagesAloneThatAreTouchedHereAndThere() {
    for (long page = 0; page < 900; page += 3) {
      assertThat(touch(page)).isEmpty();
    }
  }

  @Test
  void stopsAtTheEndsOfMemory() {
    touch(PAGES - 4);
    touch(PAGES - 3);
    assertThat(touch(PAGES - 2)).containsExactly(PAGES - 1);
    touch(2);
    touch(1);
    assertThat(touch(0)).isEmpty();
  }

  @Test
  void aPageStillOnItsWayFetchesNothingMore() {
    touch(10);
    touch(11);
    touch(12); // fetches 13
    touch(14); // fetches 15, 16, 17
    List<Long> fetched = new ArrayList<>();
    readahead.missed(15, true, (p, write) -> false, (p, write) -> fetched.add(p));
    assertThat(fetched).isEmpty();
    assertThat(touch(18)).isNotEmpty();
  }
}
