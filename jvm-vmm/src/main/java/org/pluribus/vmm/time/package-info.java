/**
 * Time as the guest sees it: one clock, the timers that hang on it, and the 8254 PIT.
 *
 * <p>{@link org.pluribus.vmm.time.GuestClock} counts nanoseconds since the machine started and is
 * the same on all nodes: {@link org.pluribus.vmm.time.HostClock} is the host's monotonic clock plus
 * an offset that the node disciplines against node 0, without ever stepping back; {@link
 * org.pluribus.vmm.time.ClockComparison} tells by how much. The guest's TSC is the same count (1
 * GHz), so a value read on one node may be compared with one read on another.
 *
 * <p>{@link org.pluribus.vmm.time.TimerQueue} is the node's one table of timers, with one thread.
 * Each timer is an object made once, when its device is built; arming it again allocates nothing.
 * Tests put a {@link org.pluribus.vmm.time.ManualClock} under the same classes and turn the hands
 * themselves.
 */
@NullMarked
package org.pluribus.vmm.time;

import org.jspecify.annotations.NullMarked;
