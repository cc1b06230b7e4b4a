package org.pluribus.vmm.cli.selftest;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.pluribus.vmm.control.NodeReport;
import org.pluribus.vmm.node.FaultRecords;

/**
 * Joins what the guest measured to what the nodes measured of the same page faults.
 *
 * <p>A touch and its node's record share a TSC, so they belong together if the record lies within
 * the touch. All nodes are on one host and share its clock, so what another node did for the same
 * page and requester meanwhile was for this fault. A touch for which this does not give exactly one
 * fault (its page was there already, or was taken away again before it was used, or the node has
 * forgotten) is left out.
 */
final class FaultJoin {
  /** The other end may have a message before the call that sent it has returned. */
  private static final long TOLERANCE_NANOS = 50_000;

  private static final double NANOS_PER_MICRO = 1e3;
  private static final double NANOS_PER_SECOND = 1e9;

  private final List<NodeReport> nodes;

  FaultJoin(List<NodeReport> nodes) {
    this.nodes = nodes;
  }

  /** The faults behind these touches, as far as there is one for each. */
  List<SplitFault> of(List<Touch> touches) {
    List<SplitFault> found = new ArrayList<>();
    for (Touch touch : touches) {
      SplitFault fault = of(touch);
      if (fault != null) {
        found.add(fault);
      }
    }
    return found;
  }

  private @Nullable SplitFault of(Touch touch) {
    FaultRecords records = recordsOf(touch.node());
    FaultRecords.Fault fault = records == null ? null : faultOf(touch, records);
    if (records == null || fault == null) {
      return null;
    }
    long served = servedNanos(touch.node(), fault);
    long away = fault.answered() - fault.sent();
    if (served < 0 || served > away) {
      return null;
    }
    long local = fault.sent() - fault.event() + (fault.install() - fault.answered());
    long inNode = fault.installed() - fault.event();
    double nanosPerTick = NANOS_PER_SECOND / records.ticksPerSecond();
    double exitToEvent = (fault.eventTsc() - touch.before()) * nanosPerTick;
    double resume = touch.ticks() * nanosPerTick - exitToEvent - inNode;
    if (resume < 0) {
      return null;
    }
    return new SplitFault(
        touch.node(),
        exitToEvent / NANOS_PER_MICRO,
        (local + served) / NANOS_PER_MICRO,
        (away - served) / NANOS_PER_MICRO,
        (fault.installed() - fault.install()) / NANOS_PER_MICRO,
        resume / NANOS_PER_MICRO);
  }

  private @Nullable FaultRecords recordsOf(int node) {
    for (NodeReport n : nodes) {
      if (n.id() == node) {
        return n.faultRecords();
      }
    }
    return null;
  }

  private static FaultRecords.@Nullable Fault faultOf(Touch touch, FaultRecords records) {
    FaultRecords.Fault found = null;
    for (FaultRecords.Fault f : records.faults()) {
      boolean within = f.eventTsc() >= touch.before() && f.eventTsc() <= touch.after();
      if (within && f.gpa() == touch.gpa() && f.write() == touch.write()) {
        if (found != null) {
          return null;
        }
        found = f;
      }
    }
    return found;
  }

  /** How long other nodes were at it, or -1 if that cannot be told. */
  private long servedNanos(int requester, FaultRecords.Fault fault) {
    long from = fault.sent() - TOLERANCE_NANOS;
    long to = fault.answered() + TOLERANCE_NANOS;
    long sum = -1;
    for (NodeReport n : nodes) {
      FaultRecords theirs = n.faultRecords();
      if (n.id() == requester || theirs == null) {
        continue;
      }
      long nanos = -1;
      for (FaultRecords.Service s : theirs.services()) {
        boolean same = s.gpa() == fault.gpa() && s.requester() == requester;
        if (same && s.received() >= from && s.sent() <= to) {
          if (nanos >= 0) {
            return -1;
          }
          nanos = s.sent() - s.received();
        }
      }
      sum = nanos < 0 ? sum : Math.max(sum, 0) + nanos;
    }
    return sum;
  }
}
