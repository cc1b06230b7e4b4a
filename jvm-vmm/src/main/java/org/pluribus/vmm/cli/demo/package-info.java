/**
 * What {@code pluribus demo} boots: Debian's own cloud kernel, and a guest made of one static
 * busybox.
 *
 * <p>{@link org.pluribus.vmm.cli.demo.DebianKernel} fetches both packages through apt into the
 * user's cache; nothing is installed and no root is needed. {@link
 * org.pluribus.vmm.cli.demo.InitramfsBuilder} packs busybox and the script {@code init.sh} (a
 * resource of this package) into an initramfs. The script shows the machine as the guest sees it,
 * has every CPU do work whose result is known, and powers off.
 */
@NullMarked
package org.pluribus.vmm.cli.demo;

import org.jspecify.annotations.NullMarked;
