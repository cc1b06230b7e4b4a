/**
 * What Java and the coherence engine add to what the kernel and the network take by themselves
 * ({@code perf/fault-ratio}), and what Java allocates for a page fault ({@code
 * perf/fault-allocations}); the same between two servers with RDMA ({@code
 * perf/remote-fault-ratio}).
 *
 * <p>{@link org.pluribus.perf.ratio.FaultRatio} runs contestants, each a process: {@code baseline},
 * a program in C (src/main/c), and ours: {@link org.pluribus.perf.ratio.MeasuredNode}, a node with
 * real KVM vCPUs, put together from the parts that {@code pluribus run} puts together, and {@link
 * org.pluribus.perf.ratio.PageEcho}, the transport alone. C and Java run the same guest ({@link
 * org.pluribus.perf.ratio.GuestImage}).
 *
 * <p>The contestants take turns of some tenths of a second, and those not on turn are stopped by a
 * signal, so that each has the machine for itself and all of them meet the same weather. Each round
 * gives a ratio; what is printed is the median.
 *
 * <p>{@link org.pluribus.perf.ratio.FaultAllocations} lets two such nodes move pages to and fro and
 * asks both for their {@link org.pluribus.perf.ratio.Allocations}.
 *
 * <p>{@link org.pluribus.perf.ratio.RemoteFaultRatio} does both on servers with RDMA devices, and
 * compares with {@link org.pluribus.perf.ratio.RawVerbs}.
 *
 * <p>Between parent and contestant: the contestant says {@code ready}; then each line to it starts
 * a round, and it answers with the nanoseconds. A line {@code allocations} it answers with those.
 * The end of its input ends it.
 */
@NullMarked
package org.pluribus.perf.ratio;

import org.jspecify.annotations.NullMarked;
