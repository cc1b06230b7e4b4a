/**
 * What {@code pluribus selftest} runs: bare-metal programs that use the machine hard on all CPUs at
 * once and check themselves. Their sources are in {@code native/payloads}; the build packs them
 * into one image, a resource of this package.
 *
 * <p>{@link org.pluribus.vmm.cli.selftest.Suite} runs each {@link
 * org.pluribus.vmm.cli.selftest.Payload} in a machine of its own, reads its serial lines ({@link
 * org.pluribus.vmm.cli.selftest.Transcript}) and joins them with what the nodes report to a {@link
 * org.pluribus.vmm.cli.selftest.PayloadResult}. The last payload times remote page faults: {@link
 * org.pluribus.vmm.cli.selftest.FaultService} splits what it saw by what the nodes noted.
 */
@NullMarked
package org.pluribus.vmm.cli.selftest;

import org.jspecify.annotations.NullMarked;
