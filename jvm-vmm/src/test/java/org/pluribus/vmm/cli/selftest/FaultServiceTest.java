package org.pluribus.vmm.cli.selftest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.pluribus.vmm.cli.selftest.FaultService.Parts;
import org.pluribus.vmm.control.NodeReport;
import org.pluribus.vmm.node.FaultRecords;
import org.pluribus.vmm.node.FaultRecords.Fault;
import org.pluribus.vmm.node.FaultRecords.Service;

/** Node 0's guest touches pages that node 2 has and node 1 is home of; two ticks a nanosecond. */
class FaultServiceTest {
  private static final long HZ = 2_000_000_000L;

  /** The guest's TSC is this far from the double of its node's time. */
  private static final long TSC_AHEAD = 1_000_000_000_000L;

  private static final long PAGE = 0x5000;

  private static NodeReport node(int id, List<Fault> faults, List<Service> services) {
    return new NodeReport(
        id,
        "kvm",
        1,
        0,
        0,
        new NodeReport.Faults(0, 0, 0),
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        new NodeReport.Mirror(null, 0, 0, 0, 0, 0),
        new NodeReport.Latency(0, 0, 0, 0, 0),
        List.of(),
        new FaultRecords(HZ, faults, services),
        Map.of());
  }

  private static long tsc(long nanos) {
    return TSC_AHEAD + 2 * nanos;
  }

  /** Begins at {@code start}: 10 to the event, 2+3 in this node, 60 away, 4 installing. */
  private static Fault fault(long start, boolean write) {
    long event = start + 10_000;
    return new Fault(
        PAGE,
        write,
        tsc(event),
        event,
        event + 2_000,
        event + 62_000,
        event + 65_000,
        event + 69_000);
  }

  /** The guest saw 100 microseconds. */
  private static Touch touch(long start, boolean write) {
    return new Touch(0, PAGE, write, tsc(start), 200_000);
  }

  private static FaultService service(
      List<Touch> touches, List<Fault> faults, List<Service> home, List<Service> owner) {
    return FaultService.of(
        touches,
        List.of(node(0, faults, List.of()), node(1, List.of(), home), node(2, List.of(), owner)));
  }

  @Test
  void partsAddUpToWhatTheGuestSaw() {
    FaultService s =
        service(
            List.of(touch(0, true)),
            List.of(fault(0, true)),
            List.of(new Service(PAGE, 0, 20_000, 27_000)),
            List.of(new Service(PAGE, 0, 40_000, 53_000)));
    assertThat(s.all().faults()).isEqualTo(1);
    Parts parts = s.all().mean();
    assertThat(parts.exitToEvent()).isEqualTo(10);
    assertThat(parts.protocol()).isEqualTo(2 + 7 + 13 + 3);
    assertThat(parts.transport()).isEqualTo(60 - 7 - 13);
    assertThat(parts.install()).isEqualTo(4);
    assertThat(parts.resume()).isEqualTo(100 - 10 - 69);
    assertThat(parts.guest()).isEqualTo(100);
    assertThat(parts.sum()).isCloseTo(parts.guest(), within(0.01));
    assertThat(s.nodes()).hasSize(1);
    assertThat(s.nodes().getFirst().p50()).isEqualTo(parts);
    assertThat(s.nodeWithoutTimes()).isNull();
  }

  @Test
  void onlyWhatBelongsToTheFaultIsJoined() {
    Service mine = new Service(PAGE, 0, 20_000, 50_000);
    Service earlier = new Service(PAGE, 0, -500_000, -400_000);
    Service ofAnotherPage = new Service(PAGE + 4096, 0, 20_000, 30_000);
    Service forAnotherNode = new Service(PAGE, 1, 20_000, 30_000);
    FaultService s =
        service(
            List.of(touch(0, false)),
            List.of(fault(-1_000_000, false), fault(0, false), fault(1_000_000, false)),
            List.of(),
            List.of(earlier, mine, ofAnotherPage, forAnotherNode));
    assertThat(s.all().mean().transport()).isEqualTo(30);
  }

  @Test
  void touchesWithoutOneFaultAreLeftOut() {
    Service served = new Service(PAGE, 0, 20_000, 50_000);
    assertThat(faultsOf(List.of(fault(0, true)), served)).isEqualTo(1);
    assertThat(faultsOf(List.of(), served)).isZero();
    assertThat(faultsOf(List.of(fault(0, false)), served)).isZero();
    assertThat(faultsOf(List.of(fault(0, true), fault(10, true)), served)).isZero();
    // Its node says that it took longer than the guest saw.
    assertThat(faultsOf(List.of(fault(60_000, true)), new Service(PAGE, 0, 80_000, 90_000)))
        .isZero();
    // Nobody sent the page, or for longer than it was away.
    assertThat(faultsOf(List.of(fault(0, true)))).isZero();
    assertThat(faultsOf(List.of(fault(0, true)), new Service(PAGE, 0, 0, 80_000))).isZero();
    // Twice within one fault.
    assertThat(faultsOf(List.of(fault(0, true)), served, served)).isZero();
  }

  private static int faultsOf(List<Fault> faults, Service... served) {
    return service(List.of(touch(0, true)), faults, List.of(), List.of(served)).all().faults();
  }

  @Test
  void percentilesAreOfEachPartForItself() {
    List<SplitFault> faults =
        java.util.stream.IntStream.rangeClosed(1, 10)
            .mapToObj(i -> new SplitFault(0, i, 11 - i, 5, 0, i == 10 ? 100 : 0))
            .toList();
    FaultService.Of of = FaultService.of(0, "kvm", 12, faults);
    assertThat(of.touches()).isEqualTo(12);
    assertThat(of.faults()).isEqualTo(10);
    assertThat(of.p50().exitToEvent()).isEqualTo(5);
    assertThat(of.p50().protocol()).isEqualTo(5);
    assertThat(of.p50().resume()).isZero();
    assertThat(of.p50().sum()).isEqualTo(15);
    assertThat(of.p50().guest()).isEqualTo(16);
    assertThat(of.p90().exitToEvent()).isEqualTo(9);
    assertThat(of.mean().resume()).isEqualTo(10);
    assertThat(of.mean().sum()).isEqualTo(of.mean().guest());
  }

  @Test
  void nodeWithoutTimesIsNamed() {
    FaultService s = service(List.of(touch(0, true)), List.of(), List.of(), List.of());
    assertThat(s.nodeWithoutTimes()).isNotNull();
    assertThat(s.all().p50().guest()).isZero();
    assertThat(s.table()).contains("node 0 (kvm) p50");
  }

  @Test
  void oneNodeHasNoRemoteFaults() {
    assertThat(service(List.of(), List.of(), List.of(), List.of()).table())
        .isEqualTo("remote faults, us: none, as no two nodes have CPUs\n");
  }
}
