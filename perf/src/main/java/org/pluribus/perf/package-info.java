/**
 * Benchmarks. {@link org.pluribus.perf.GuestMips} prints how fast the emulator runs small loops;
 * {@code perf/guest-mips} starts it. {@link org.pluribus.perf.ratio} compares exits and page faults
 * with C. The scripts beside it measure whole machines.
 */
@NullMarked
package org.pluribus.perf;

import org.jspecify.annotations.NullMarked;
