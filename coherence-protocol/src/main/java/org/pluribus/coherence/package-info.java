/**
 * The coherence protocol as pure state machines: write-invalidate, home-based directory, 4 KiB
 * pages.
 *
 * <p>Guest RAM is cut into pages; a page is named by its index, {@code GPA >>> 12}, always a {@code
 * long}. Nodes are numbered 0 to 63. Every page has one fixed <em>home</em> ({@link
 * org.pluribus.coherence.HomeMap}), whose {@link org.pluribus.coherence.DirectoryController} knows
 * the page's owner and sharers and serves one request for that page at a time. Every node has a
 * {@link org.pluribus.coherence.CacheController}, which turns local page faults into requests, and
 * answers for the copies this node holds. A node that has too many offers some to their homes.
 *
 * <p>How to use them:
 *
 * <ol>
 *   <li>One thread owns a pair of controllers and calls them; nothing here locks or blocks.
 *   <li>Events go in by method call ({@code fault}, {@code message}, {@code revoked}, {@code tick},
 *       ...); time comes in as an argument, in nanoseconds of any monotonic clock.
 *   <li>Effects come out as callbacks during the call ({@link org.pluribus.coherence.CacheEffects},
 *       {@link org.pluribus.coherence.DirectoryEffects}). The node executes them at once and in the
 *       order given.
 *   <li>A message to the node itself is put in a local FIFO ({@link
 *       org.pluribus.coherence.MessageRing}) and delivered after the current call returned, never
 *       from inside {@code send}. Such a message never carries page bytes.
 *   <li>A message is for the directory if {@link
 *       org.pluribus.coherence.MessageType#forDirectory()}, else for the cache controller.
 * </ol>
 *
 * <p>The network must deliver reliably, and in order per (sender, receiver, {@link
 * org.pluribus.coherence.Lane}). Lanes are not ordered against each other: the directory stays
 * blocked for a page until its requester says Unblock, so no message of a later transaction can
 * meet one of an earlier transaction, whichever lane is faster.
 *
 * <p>States and transients carry the names of Nagarajan, Sorin, Hill and Wood, "A Primer on Memory
 * Consistency and Cache Coherence" (2nd edition, chapter 8). {@code docs/coherence.md} has the
 * state tables and message sequences.
 */
@NullMarked
package org.pluribus.coherence;

import org.jspecify.annotations.NullMarked;
