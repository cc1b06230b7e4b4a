/**
 * What this host offers to a machine, found out by trying.
 *
 * <p>{@link org.pluribus.hw.host.KernelCodeProbe} runs a small guest under KVM: processor flags
 * cannot tell whether a KVM executes a guest's kernel on the processor or in an instruction
 * emulator, which is a thousand times slower and lacks most of the instruction set. {@link
 * org.pluribus.hw.host.KvmFitness} says whether Linux should run under KVM here, which is what
 * {@code --vmi auto} does; {@link org.pluribus.hw.host.HostSurvey} looks at everything, for {@code
 * pluribus doctor}. Each kind of thing has a survey of its own ({@code SystemSurvey}, {@code
 * KvmSurvey}, {@code NumaSurvey}, {@code NetworkSurvey}, {@code RdmaSurvey}), which reads what the
 * kernel tells below a root folder ({@code HostFiles}), so that tests can make up hosts.
 */
@NullMarked
package org.pluribus.hw.host;

import org.jspecify.annotations.NullMarked;
