/** See docs. */
package org.pluribus.posix;
