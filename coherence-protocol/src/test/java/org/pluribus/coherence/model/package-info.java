/**
 * The TLA+ model of the protocol ({@code src/tla}) under TLC, in a process of its own for each
 * configuration, as TLC keeps state in static fields.
 */
@NullMarked
package org.pluribus.coherence.model;

import org.jspecify.annotations.NullMarked;
