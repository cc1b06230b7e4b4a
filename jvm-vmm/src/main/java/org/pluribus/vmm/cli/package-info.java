/**
 * The command line: {@code pluribus run}, {@code node}, {@code demo}, {@code selftest}, {@code
 * doctor}. Standard output belongs to the guest's console; everything we say goes to standard
 * error.
 */
@NullMarked
package org.pluribus.vmm.cli;

import org.jspecify.annotations.NullMarked;
