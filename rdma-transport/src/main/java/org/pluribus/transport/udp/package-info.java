/**
 * Nodes in processes of their own, on one host or many, joined by Aeron over UDP.
 *
 * <p>Each process runs its own Aeron media driver, by default without a thread: {@link
 * org.pluribus.transport.Transport#poll} runs driver and client in turn, on whatever thread holds
 * the duty token (Aeron's INVOKER mode). On few cores this beats every threaded mode, because no
 * packet waits for another thread to be scheduled.
 *
 * <p>A node listens on one UDP port. Every ordered pair of nodes has three streams, one per lane;
 * the stream id says who sends on which lane ({@code AeronNetwork.streamId}). A frame is one Aeron
 * message, and with the default MTU one datagram: 8192 bytes hold a page with everything around it.
 * Where datagrams must be smaller ({@code AeronSettings.withMtu}), Aeron sends a page in fragments
 * and {@code FrameJoiner} joins them; that costs two copies, but loses less than IP's own
 * fragments.
 *
 * <p>Aeron's own timeouts are set so long that they never decide anything: a garbage collection
 * must not tear a stream. Lost peers are found by the heartbeats of {@code FramedTransport}, peers
 * that close by Aeron's end-of-stream mark.
 */
@org.jspecify.annotations.NullMarked
package org.pluribus.transport.udp;
