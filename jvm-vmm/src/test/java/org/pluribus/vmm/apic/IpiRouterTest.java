package org.pluribus.vmm.apic;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.pluribus.vmm.apic.ApicCluster.ids;
import static org.pluribus.vmm.apic.IpiMessage.FIXED;
import static org.pluribus.vmm.apic.IpiMessage.LOWEST_PRIORITY;

import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Who receives what, over three nodes of two vCPUs each. */
class IpiRouterTest {

  private static final int LOGICAL = 1 << 11;
  private static final int LOWEST = 1 << 8;
  private static final int SELF = 1 << 18;
  private static final int ALL = 2 << 18;
  private static final int OTHERS = 3 << 18;

  private final ApicCluster cluster = new ApicCluster(3, 2).enableAll();

  private List<Integer> receivers(int from, int destination, int low) {
    cluster.sendIpi(from, destination, low);
    cluster.settle();
    List<Integer> got = cluster.holders(low & 0xFF);
    for (int i : got) {
      cluster.apics[i].acknowledge();
      cluster.write(i, ApicRegister.EOI, 0);
      assertThat(cluster.apics[i].pendingVector()).as("exactly once").isEqualTo(-1);
    }
    return got;
  }

  private void flatIds() {
    for (int i = 0; i < 6; i++) {
      cluster.write(i, ApicRegister.LOGICAL_DESTINATION, 1 << i + 24);
    }
  }

  @Test
  void physical() {
    assertThat(receivers(0, 0, 0x41)).isEqualTo(ids(0));
    assertThat(receivers(0, 1, 0x41)).isEqualTo(ids(1));
    assertThat(receivers(0, 5, 0x41)).isEqualTo(ids(5));
    assertThat(receivers(4, 1, 0x41)).isEqualTo(ids(1));
    assertThat(receivers(0, 6, 0x41)).isEmpty();
    assertThat(receivers(2, 0xFF, 0x41)).isEqualTo(ids(0, 1, 2, 3, 4, 5));
  }

  @Test
  void physicalGoesToOneNodeOnly() {
    cluster.sendIpi(0, 3, 0x41);
    assertThat(cluster.messagesUnderWay()).isEqualTo(1);
    assertThat(cluster.routers[0].sentToNodes()).isEqualTo(1);
    cluster.settle();
    assertThat(cluster.routers[1].receivedFromNodes()).isEqualTo(1);
    assertThat(cluster.routers[2].receivedFromNodes()).isZero();
  }

  @Test
  void shorthands() {
    assertThat(receivers(3, 0, 0x42 | SELF)).isEqualTo(ids(3));
    assertThat(receivers(3, 0, 0x42 | ALL)).isEqualTo(ids(0, 1, 2, 3, 4, 5));
    assertThat(receivers(3, 0, 0x42 | OTHERS)).isEqualTo(ids(0, 1, 2, 4, 5));
    assertThat(receivers(3, 0, 0x42 | OTHERS | LOGICAL)).isEqualTo(ids(0, 1, 2, 4, 5));
  }

  @Test
  void logicalFlat() {
    flatIds();
    assertThat(receivers(0, 0b10_0110, 0x43 | LOGICAL)).isEqualTo(ids(1, 2, 5));
    assertThat(receivers(0, 0b100_0000, 0x43 | LOGICAL)).isEmpty();
    assertThat(receivers(0, 0xFF, 0x43 | LOGICAL)).isEqualTo(ids(0, 1, 2, 3, 4, 5));
  }

  @Test
  void logicalDestinationsAreThoseOfTheMomentOnEachNode() {
    flatIds();
    cluster.sendIpi(0, 1 << 5, 0x43 | LOGICAL);
    cluster.write(5, ApicRegister.LOGICAL_DESTINATION, 1 << 30);
    cluster.write(4, ApicRegister.LOGICAL_DESTINATION, 1 << 29);
    cluster.settle();
    assertThat(cluster.holders(0x43)).isEqualTo(ids(4));
  }

  @Test
  void logicalCluster() {
    int[] logical = {0x01, 0x02, 0x14, 0x18, 0x21, 0x22};
    for (int i = 0; i < 6; i++) {
      cluster.write(i, ApicRegister.DESTINATION_FORMAT, 0x0FFF_FFFF);
      cluster.write(i, ApicRegister.LOGICAL_DESTINATION, logical[i] << 24);
    }
    assertThat(receivers(0, 0x03, 0x44 | LOGICAL)).isEqualTo(ids(0, 1));
    assertThat(receivers(0, 0x18, 0x44 | LOGICAL)).isEqualTo(ids(3));
    assertThat(receivers(0, 0x13, 0x44 | LOGICAL)).isEmpty();
    assertThat(receivers(0, 0xF2, 0x44 | LOGICAL)).as("all clusters").isEqualTo(ids(1, 5));
  }

  @Test
  void logicalX2apic() {
    ApicCluster big = new ApicCluster(3, 8).toX2apic();
    for (LocalApic apic : big.apics) {
      apic.writeMsr(0x80F, 0x1FF);
    }
    big.apics[0].writeMsr(0x830, 0x0001_0081L << 32 | LOGICAL | 0x45);
    big.settle();
    assertThat(big.holders(0x45)).isEqualTo(ids(16, 23));
    big.apics[0].writeMsr(0x830, 0xFFFF_FFFFL << 32 | 0x46);
    big.settle();
    assertThat(big.holders(0x46)).hasSize(24);
  }

  @Test
  void lowestPriorityPrefersTheLowestClassOnTheSendersNode() {
    flatIds();
    cluster.write(2, ApicRegister.TPR, 0x20);
    assertThat(receivers(2, 0xFF, 0x47 | LOWEST | LOGICAL)).isEqualTo(ids(3));
    cluster.write(3, ApicRegister.TPR, 0x30);
    assertThat(receivers(2, 0xFF, 0x47 | LOWEST | LOGICAL)).isEqualTo(ids(2));
  }

  @Test
  void lowestPriorityWalksOnUntilSomebodyAccepts() {
    flatIds();
    cluster.write(4, ApicRegister.SPURIOUS, 0xFF);
    assertThat(receivers(2, 0b11_0001, 0x48 | LOWEST | LOGICAL)).isEqualTo(ids(5));
    cluster.write(5, ApicRegister.SPURIOUS, 0xFF);
    assertThat(receivers(2, 0b11_0001, 0x48 | LOWEST | LOGICAL)).isEqualTo(ids(0));
    assertThat(receivers(2, 0b11_0000, 0x48 | LOWEST | LOGICAL)).as("ends").isEmpty();
    assertThat(cluster.messagesUnderWay()).isZero();
  }

  @Test
  void lowestPriorityReachesExactlyOneWhateverTheGuestDoesToLogicalIds() {
    long seed = new Random().nextLong();
    Random random = new Random(seed);
    int delivered = 0;
    for (int round = 0; round < 3_000; round++) {
      for (int i = 0; i < 6; i++) {
        cluster.write(i, ApicRegister.LOGICAL_DESTINATION, random.nextInt(256) << 24);
      }
      int destination = 1 + random.nextInt(254);
      int vector = 0x20 + random.nextInt(0xD0);
      List<Integer> matching =
          IntStream.range(0, 6)
              .filter(i ->
                  (cluster.read(i, ApicRegister.LOGICAL_DESTINATION) >>> 24 & destination) != 0)
              .boxed()
              .toList();
      List<Integer> got = receivers(random.nextInt(6), destination, vector | LOWEST | LOGICAL);
      assertThat(got).as("seed %d round %d", seed, round).hasSize(matching.isEmpty() ? 0 : 1);
      assertThat(matching).as("seed %d round %d", seed, round).containsAll(got);
      delivered += got.size();
    }
    assertThat(delivered).as("seed %d", seed).isGreaterThan(2_000);
  }

  @Test
  void lowestPrioritySpreadsVectorsOverEquals() {
    flatIds();
    assertThat(receivers(0, 0b11, 0x50 | LOWEST | LOGICAL)).isEqualTo(ids(0));
    assertThat(receivers(0, 0b11, 0x51 | LOWEST | LOGICAL)).isEqualTo(ids(1));
  }

  @Test
  void nmiInitAndSipiCrossNodes() {
    cluster.sendIpi(0, 4, 0x4400);
    cluster.settle();
    assertThat(cluster.apics[4].takeNmi()).isTrue();
    cluster.sendIpi(0, 0, 0x4500 | OTHERS);
    cluster.settle();
    for (int i = 1; i < 6; i++) {
      assertThat(cluster.apics[i].takeInit()).isTrue();
    }
    assertThat(cluster.apics[0].takeInit()).isFalse();
    cluster.sendIpi(0, 0, 0x4698 | OTHERS);
    cluster.settle();
    for (int i = 1; i < 6; i++) {
      assertThat(cluster.apics[i].takeSipi()).isEqualTo(0x98);
    }
  }

  @Test
  void routesArePure() {
    IpiRouter router = cluster.routers[1];
    assertThat(router.route(IpiMessage.of(FIXED, 0x40, false, 4, false))).isEqualTo(2);
    assertThat(router.route(IpiMessage.of(FIXED, 0x40, false, 9, false)))
        .isEqualTo(IpiRouter.NOWHERE);
    assertThat(router.route(IpiMessage.of(FIXED, 0x40, true, 9, false)))
        .isEqualTo(IpiRouter.ALL_NODES);
    assertThat(router.route(IpiMessage.of(LOWEST_PRIORITY, 0x40, true, 9, false)))
        .isEqualTo(IpiRouter.RING);
    assertThat(router.route(IpiMessage.of(LOWEST_PRIORITY, 0x40, false, 0, false))).isZero();
    assertThat(cluster.messagesUnderWay()).isZero();
  }

  @Test
  void anImpossibleNodeNumberIsRefused() {
    assertThatThrownBy(() -> new IpiRouter(3, 3, new int[] {0}, 0, RemoteInterrupts.NONE))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("node 3 of 3");
  }
}
