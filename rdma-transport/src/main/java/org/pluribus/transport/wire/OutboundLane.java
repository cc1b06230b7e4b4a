package org.pluribus.transport.wire;

import org.agrona.MutableDirectBuffer;

/**
 * One lane to one peer: frames go straight into the network's memory while it takes them, and into
 * a bounded queue when it doesn't; order is kept either way. One thread at a time.
 */
final class OutboundLane {
  private final LaneSink sink;
  private final OutboundQueue queue;
  private boolean claimedFromSink;

  OutboundLane(LaneSink sink, int maxQueueBytes) {
    this.sink = sink;
    this.queue = new OutboundQueue(maxQueueBytes);
  }

  /** Claims room for one frame; false if even the queue is full. */
  boolean claim(int length) {
    claimedFromSink = queue.isEmpty() && sink.tryClaim(length);
    return claimedFromSink || queue.claim(length);
  }

  MutableDirectBuffer buffer() {
    return claimedFromSink ? sink.buffer() : queue.buffer();
  }

  int offset() {
    return claimedFromSink ? sink.offset() : queue.claimOffset();
  }

  void commit() {
    if (claimedFromSink) {
      sink.commit();
    } else {
      queue.commit();
    }
  }

  /** See {@link LaneSink#commitPatiently}. */
  void commitPatiently() {
    if (claimedFromSink) {
      sink.commitPatiently();
    } else {
      queue.commit();
    }
  }

  /** Moves queued frames to the network while it takes them. Returns how many. */
  int flush() {
    int moved = 0;
    while (!queue.isEmpty()) {
      int length = queue.firstLength();
      if (!sink.tryClaim(length)) {
        break;
      }
      sink.buffer().putBytes(sink.offset(), queue.buffer(), queue.firstOffset(), length);
      sink.commit();
      queue.removeFirst();
      moved++;
    }
    return moved;
  }

  long queuedBytes() {
    return queue.bytes();
  }

  void clear() {
    queue.clear();
  }
}
