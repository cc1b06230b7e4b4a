/**
 * Frames: how messages look on any wire, and all that back ends share.
 *
 * <p>The schema is {@code src/main/sbe/pluribus.xml}; its codecs are generated into {@code
 * .wire.sbe} on every build. {@link org.pluribus.transport.wire.FrameEncoder} writes frames
 * straight into memory the network owns, {@link org.pluribus.transport.wire.FrameDecoder} checks
 * every field of what comes in and hands it to the {@link org.pluribus.transport.MessageHandler}.
 *
 * <p>A back end implements {@link org.pluribus.transport.wire.LaneNetwork}: reliable, ordered lanes
 * of frames. {@link org.pluribus.transport.wire.FramedTransport} makes a {@link
 * org.pluribus.transport.Transport} of it: hello, heartbeats, outbound queues, loss of peers.
 *
 * <pre>
 *   Channel.send... -> FrameEncoder -> OutboundLane -> LaneSink (network takes it at once)
 *                                           |  `----> OutboundQueue (it does not; later flushed)
 *   Transport.poll  -> LaneNetwork.poll -> FrameReceiver.onFrame -> FrameDecoder -> MessageHandler
 * </pre>
 */
@org.jspecify.annotations.NullMarked
package org.pluribus.transport.wire;
