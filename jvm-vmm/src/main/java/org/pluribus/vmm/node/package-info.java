/**
 * The node: one server's part of the machine. {@link org.pluribus.vmm.node.PluribusNode} ties the
 * coherence controllers, the transport and guest RAM together; {@link
 * org.pluribus.vmm.node.VcpuThread} runs one vCPU.
 *
 * <h2>The way of a page fault</h2>
 *
 * <p>Read {@link org.pluribus.vmm.node.PluribusNode} from top to bottom. An emulated vCPU misses
 * its soft TLB and calls {@link org.pluribus.vmm.node.EmulatedVcpu#pageForWrite}; when {@link
 * org.pluribus.vmm.node.SoftMmuPageRights} has no such right, {@link
 * org.pluribus.vmm.node.PluribusNode#acquire} hands a fault to the {@code CacheController} and runs
 * the duty cycle until the right is there.
 *
 * <p>A vCPU under KVM waits in the kernel instead: {@link org.pluribus.vmm.node.KvmVm}'s fault
 * thread reads the event from userfaultfd and calls {@link
 * org.pluribus.vmm.node.PluribusNode#fault}; {@link org.pluribus.vmm.node.UffdPageRights} gives the
 * page to the guest and wakes the vCPU.
 *
 * <p>{@link org.pluribus.vmm.node.MirrorBudget} says whether there is room for one more page, and
 * which pages are given back when there is little.
 *
 * <p>On request a {@link org.pluribus.vmm.node.FaultLog} keeps times of these steps.
 *
 * <h2>The duty token</h2>
 *
 * <p>Controllers and transport belong to whoever holds the node's duty token, one thread at a time.
 * Nobody waits for the token while it owns anything: threads try, and do something else if it is
 * taken. A vCPU thread that waits for a page takes the token and polls for its own answer, so that
 * no thread has to be woken on the way; a vCPU that runs guest code polls now and then between
 * blocks; the node's own thread looks after the node when no vCPU does.
 *
 * <h2>Shoot-downs</h2>
 *
 * <p>A vCPU is either <em>running</em> (it may use host addresses it looked up) or <em>quiet</em>
 * (it promises to serve its {@link org.pluribus.vmm.node.ShootdownQueue} before it runs on). Taking
 * a right away posts to every vCPU of the node; those that are quiet count as done at once, the
 * running ones acknowledge at their next block boundary. {@link org.pluribus.vmm.node.BusLock}
 * stops vCPUs by the same two states, for a LOCKed access across two pages.
 */
@NullMarked
package org.pluribus.vmm.node;

import org.jspecify.annotations.NullMarked;
