/**
 * Bugs planted in the shipped controllers, to prove that the explorer finds them.
 *
 * <p>A {@link org.pluribus.coherence.mutation.Mutant} is a change of a source file: what stands
 * there, and what a mistaken programmer might have written. The changed file is compiled in memory
 * and loaded, with the explorer, by a class loader of its own. So the product has no switches for
 * tests, any mistake can be planted, the list reads like a review, and a mutant whose source text
 * is no longer there fails the test instead of proving nothing.
 */
@NullMarked
package org.pluribus.coherence.mutation;

import org.jspecify.annotations.NullMarked;
