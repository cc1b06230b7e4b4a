/**
 * From kernel file to first instruction.
 *
 * <p>{@link org.pluribus.vmm.loader.KernelImage#detect} looks into the file and picks one of three
 * loaders: {@link org.pluribus.vmm.loader.BzImageLoader} (a distribution's vmlinuz, entered in long
 * mode by the 64-bit Linux boot protocol), {@link org.pluribus.vmm.loader.PvhLoader} (an ELF
 * vmlinux entered in 32-bit mode through its Xen PVH note) or {@link
 * org.pluribus.vmm.loader.MultibootLoader} (bare-metal test kernels). Each copies the kernel, its
 * initrd and command line into guest RAM, writes the table its protocol asks for, and returns an
 * {@link org.pluribus.vmm.loader.EntryState}: the registers the boot vCPU starts with. No firmware
 * runs in between.
 *
 * <p>Whatever is wrong with a file ends as a {@link org.pluribus.vmm.loader.BadImageException},
 * whose message is the one line the user gets to see.
 */
@NullMarked
package org.pluribus.vmm.loader;

import org.jspecify.annotations.NullMarked;
