/**
 * A seeded simulator of a cluster that runs the shipped controllers: discrete events, a network
 * whose lanes run at different speeds, vCPUs whose instructions need up to six pages at once,
 * devices that pin pages, revokes that complete later or on the spot. A page's content is the
 * number of the last write to it. Checkers watch every step; a failure names its seed and shows the
 * last events.
 */
@NullMarked
package org.pluribus.coherence.sim;

import org.jspecify.annotations.NullMarked;
