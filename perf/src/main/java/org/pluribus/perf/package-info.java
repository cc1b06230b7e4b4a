/** See docs. */
package org.pluribus.perf;
