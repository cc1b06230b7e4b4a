/** See docs. */
package org.pluribus.coherence;
