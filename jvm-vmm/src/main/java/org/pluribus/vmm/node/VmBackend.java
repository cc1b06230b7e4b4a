package org.pluribus.vmm.node;

import java.util.Map;
import org.HdrHistogram.Histogram;
import org.pluribus.vmm.emulator.CpuidTable;

/**
 * One node's share of a machine under one kind of virtualisation: it makes the vCPUs and enforces
 * the rights to pages for them.
 *
 * <p>Life: constructor, {@link #rights} for the node, {@link #makeVcpu} for each vCPU, {@link
 * #start}, the vCPUs run, {@link #stop}, the vCPU threads end, {@link #close}.
 */
public interface VmBackend extends AutoCloseable {

  /** What it is, as options and reports name it: {@code emulator} or {@code kvm}. */
  String name();

  /** Enforces this node's rights to guest RAM. */
  PageRights rights();

  /**
   * Makes what executes a vCPU's instructions.
   *
   * @param apicId its APIC id
   * @param cpuid what the guest's CPUID instruction tells on that vCPU
   */
  VcpuBackend makeVcpu(VcpuThread vcpu, int apicId, CpuidTable cpuid);

  /** Begins to serve page faults. Before the vCPUs run. */
  void start(PluribusNode node);

  /**
   * The node's clock was moved against those of the others: guest time has to follow. Any thread.
   */
  void clockChanged();

  /** What the guest's RDTSC gives on this node now. Any thread. */
  long guestTsc();

  /** Frees every vCPU that waits for a page; faults are not served any more. Any thread. */
  void stop();

  /** Latencies of this node's page faults in nanoseconds. After the vCPUs' end. */
  Histogram latency();

  /** Instructions nobody implements, by their bytes, with counts. Any thread. */
  Map<String, Integer> unknownInstructions();

  @Override
  void close();
}
