package org.pluribus.transport.wire;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import org.agrona.ExpandableArrayBuffer;
import org.agrona.MutableDirectBuffer;
import org.agrona.concurrent.UnsafeBuffer;
import org.jspecify.annotations.Nullable;
import org.pluribus.coherence.Lane;

/** A network of one node and one peer that the test plays. */
final class FakeNetwork implements LaneNetwork {
  /** What the node under test sent, by lane. */
  final Map<Lane, List<byte[]>> sent = new EnumMap<>(Lane.class);

  /** What it is about to receive, by lane. */
  final Map<Lane, Queue<byte[]>> incoming = new EnumMap<>(Lane.class);

  /** Of what it sent: frames that may wait for others. */
  final List<byte[]> patient = new ArrayList<>();

  /** Turns that let them wait, and turns that don't. */
  int patientTurns;

  int otherTurns;
  long nextDeadline = Long.MAX_VALUE;
  boolean accepting = true;
  boolean disconnected;
  boolean closed;
  private @Nullable FrameReceiver receiver;

  FakeNetwork() {
    for (Lane lane : Lane.values()) {
      sent.put(lane, new ArrayList<>());
      incoming.put(lane, new ArrayDeque<>());
    }
  }

  List<byte[]> sent(Lane lane) {
    return sent.getOrDefault(lane, List.of());
  }

  void deliver(Lane lane, byte[] frame) {
    queue(lane).add(frame);
  }

  private Queue<byte[]> queue(Lane lane) {
    return incoming.computeIfAbsent(lane, key -> new ArrayDeque<>());
  }

  @Override
  public void open(FrameReceiver target) {
    receiver = target;
  }

  @Override
  public LaneSink sink(int peer, Lane lane) {
    return new LaneSink() {
      private final ExpandableArrayBuffer buffer = new ExpandableArrayBuffer();
      private int claimed;

      @Override
      public boolean tryClaim(int length) {
        claimed = length;
        return accepting;
      }

      @Override
      public MutableDirectBuffer buffer() {
        return buffer;
      }

      @Override
      public int offset() {
        return 0;
      }

      @Override
      public void commit() {
        byte[] frame = new byte[claimed];
        buffer.getBytes(0, frame);
        sent(lane).add(frame);
      }

      @Override
      public void commitPatiently() {
        commit();
        patient.add(sent(lane).getLast());
      }
    };
  }

  @Override
  public boolean isLinked(int peer) {
    return true;
  }

  @Override
  public int drive() {
    otherTurns++;
    return 0;
  }

  @Override
  public int drivePatiently() {
    patientTurns++;
    return 0;
  }

  @Override
  public long nextDeadline() {
    return nextDeadline;
  }

  @Override
  public int poll(int peer, Lane lane, int limit) {
    int delivered = 0;
    FrameReceiver target = receiver;
    while (target != null && delivered < limit && !queue(lane).isEmpty()) {
      byte[] frame = queue(lane).remove();
      target.onFrame(peer, lane, new UnsafeBuffer(frame), 0, frame.length);
      delivered++;
    }
    return delivered;
  }

  @Override
  public String name(int peer) {
    return "node " + peer;
  }

  @Override
  public void disconnect(int peer) {
    disconnected = true;
  }

  @Override
  public void close(long lingerNanos) {
    closed = true;
  }
}
