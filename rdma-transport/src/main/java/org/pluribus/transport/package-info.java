/**
 * How the nodes of one virtual machine talk.
 *
 * <p>A {@link org.pluribus.transport.Transport} is one node's end of the cluster. It holds one
 * {@link org.pluribus.transport.Channel} per peer, and each channel has three {@linkplain
 * org.pluribus.coherence.Lane lanes}: interrupts, coherence control and pages. A lane delivers
 * everything once and in order; lanes are not ordered against each other.
 *
 * <pre>
 *   transport.connect(handler, timeout)     hello with every peer: same version, same VM key, ...
 *   loop: transport.poll(limit)             delivers what arrived to the MessageHandler,
 *                                           sends what waited, watches the peers' heartbeats
 *         transport.channel(2).sendIpi(...) never blocks
 *   transport.close()
 * </pre>
 *
 * <p>Nothing in here starts a thread of its own unless asked to. Whoever runs the node's duty cycle
 * holds the <em>duty token</em>; everything but the {@code post...} methods of a channel is called
 * by its holder only. The token may go from thread to thread under a lock.
 *
 * <p>Back ends: {@code .udp} (Aeron, between processes and hosts) and {@code .loopback} (rings,
 * nodes of one process). What they share, down to the bytes of a frame, is in {@code .wire}.
 */
@org.jspecify.annotations.NullMarked
package org.pluribus.transport;
