/** See docs. */
package org.pluribus.vmm.emulator;
