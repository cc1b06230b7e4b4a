/**
 * Scripted scenarios: text files under {@code scenarios/} that say what a small cluster does, step
 * by step, and what must come of it. They read like a transcript; races are written down by
 * delivering messages in the order that makes the race.
 */
@NullMarked
package org.pluribus.coherence.scenario;

import org.jspecify.annotations.NullMarked;
