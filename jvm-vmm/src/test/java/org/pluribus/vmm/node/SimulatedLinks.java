package org.pluribus.vmm.node;

import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import org.agrona.concurrent.UnsafeBuffer;
import org.jspecify.annotations.Nullable;
import org.pluribus.coherence.Lane;
import org.pluribus.coherence.MessageType;
import org.pluribus.coherence.TwinStore;
import org.pluribus.transport.PagePayload;
import org.pluribus.transport.wire.sbe.CoherenceDecoder;
import org.pluribus.transport.wire.sbe.MessageHeaderDecoder;

/**
 * The links between the nodes of a {@link SimulatedCluster}: real frames, each lane in order, lanes
 * not against each other. Links are slow, cut for a while, or do what the shape's mischief says.
 */
final class SimulatedLinks {
  /** A link is cut at one frame of so many. */
  private static final int FRAMES_PER_CUT = 1_000;

  /** Mischief that happens once does so at a coherence frame below this number. */
  private static final int MISCHIEF_BEFORE = 400;

  /** Mischief that happens again and again does so at one frame of so many. */
  private static final int FRAMES_PER_MISCHIEF = 40;

  private static final int LANES = Lane.values().length;
  private static final int PAGE_BYTES = PagePayload.PAGE_BYTES;
  private static final int BLOCK_BYTES = TwinStore.BLOCK_BYTES;
  private static final long NEVER = Long.MAX_VALUE;

  private final SimulatedCluster cluster;
  private final ClusterShape shape;
  private final Random random;
  private final long[] lastArrival;
  private final long[] cutUntil;
  private final MessageHeaderDecoder header = new MessageHeaderDecoder();
  private final CoherenceDecoder coherence = new CoherenceDecoder();
  private final Map<Long, byte[]> lastBytes = new HashMap<>();
  private final int mischiefAt;
  private int coherenceFrames;
  private long frames;

  SimulatedLinks(SimulatedCluster cluster) {
    this.cluster = cluster;
    shape = cluster.shape();
    random = cluster.random();
    lastArrival = new long[shape.nodes() * shape.nodes() * LANES];
    cutUntil = new long[shape.nodes() * shape.nodes()];
    mischiefAt = 1 + random.nextInt(MISCHIEF_BEFORE);
  }

  long now() {
    return cluster.now();
  }

  /** Frames carried. */
  long frames() {
    return frames;
  }

  /** Whether the network takes nothing for now; the node has to try again. */
  boolean refuses(int node) {
    if (cluster.isConnecting() || shape.refusals() == 0) {
      return false;
    }
    boolean refused = random.nextInt(shape.refusals()) == 0;
    if (refused) {
      cluster.turnSoon(node);
    }
    return refused;
  }

  /** Carries a frame. While nodes connect, several threads do that at once. */
  void carry(int from, int to, Lane lane, byte[] frame) {
    if (cluster.isConnecting()) {
      cluster.lanes(to).arrives(from, lane, 0, frame);
      return;
    }
    frames++;
    MessageType type = typeOf(frame);
    coherenceFrames += type == null ? 0 : 1;
    if (type == null || !interferes(from, to, lane, type, frame)) {
      send(from, to, lane, frame);
    }
  }

  /** The coherence message's type that a frame carries, or null. */
  private @Nullable MessageType typeOf(byte[] frame) {
    UnsafeBuffer buffer = new UnsafeBuffer(frame);
    header.wrap(buffer, 0);
    if (header.templateId() != CoherenceDecoder.TEMPLATE_ID) {
      return null;
    }
    coherence.wrap(
        buffer, MessageHeaderDecoder.ENCODED_LENGTH, header.blockLength(), header.version());
    return MessageType.ofCode(coherence.messageType());
  }

  private void send(int from, int to, Lane lane, byte[] frame) {
    int way = from * shape.nodes() + to;
    if (cutUntil[way] == NEVER) {
      return;
    }
    long arrival = now() + 1 + random.nextInt(shape.maxDelay());
    if (shape.maxCut() > 0 && random.nextInt(FRAMES_PER_CUT) == 0) {
      cut(from, to, now() + 1 + random.nextInt(shape.maxCut()));
    }
    arrival = Math.max(arrival, Math.max(lastArrival[way * LANES + lane.code()], cutUntil[way]));
    deliver(from, to, lane, arrival, frame);
  }

  private void deliver(int from, int to, Lane lane, long arrival, byte[] frame) {
    int way = from * shape.nodes() + to;
    lastArrival[way * LANES + lane.code()] = arrival;
    cluster.trace(() -> "%d to %d: %s %s".formatted(from, to, lane, Arrays.hashCode(frame)));
    cluster.lanes(to).arrives(from, lane, arrival, frame);
    cluster.turnAt(to, arrival);
  }

  /** Nothing arrives for a while: one way, or both. */
  private void cut(int from, int to, long until) {
    cutUntil[from * shape.nodes() + to] = until;
    int back = to * shape.nodes() + from;
    if (random.nextBoolean() && cutUntil[back] != NEVER) {
      cutUntil[back] = until;
    }
  }

  // ---- mischief

  /** Keeps a page's bytes, and may put those in their place that went last. */
  private void age(MessageType type, byte[] frame, boolean stale) {
    long blocks = type.carriesBlocks() ? coherence.blocks() : -1L;
    byte[] last = lastBytes.computeIfAbsent(coherence.page(), p -> new byte[PAGE_BYTES]);
    int at = payloadOf(type, frame);
    for (long rest = blocks; rest != 0; rest &= rest - 1) {
      int block = Long.numberOfTrailingZeros(rest) * BLOCK_BYTES;
      byte[] bytes = Arrays.copyOfRange(frame, at, at + BLOCK_BYTES);
      if (stale) {
        System.arraycopy(last, block, frame, at, BLOCK_BYTES);
      }
      System.arraycopy(bytes, 0, last, block, BLOCK_BYTES);
      at += BLOCK_BYTES;
    }
  }

  /** Turns a bit over in a word that is used, of a page or of blocks of it. */
  private void flip(MessageType type, byte[] frame) {
    int payload = payloadOf(type, frame);
    // Each block that changes has one word that is used, its first.
    int words =
        type.carriesBlocks() ? (frame.length - payload) / BLOCK_BYTES : SimulatedCluster.WORDS;
    if (words > 0) {
      int word = random.nextInt(words);
      int offset = type.carriesBlocks() ? word * BLOCK_BYTES : SimulatedCluster.offsetOfWord(word);
      frame[payload + offset] ^= 1;
    }
  }

  private int payloadOf(MessageType type, byte[] frame) {
    int bytes = type.carriesBlocks() ? Long.bitCount(coherence.blocks()) * BLOCK_BYTES : PAGE_BYTES;
    return frame.length - bytes;
  }

  /** Does what the shape says; whether the frame is dealt with. */
  private boolean interferes(int from, int to, Lane lane, MessageType type, byte[] frame) {
    boolean once = coherenceFrames == mischiefAt;
    boolean again = coherenceFrames % FRAMES_PER_MISCHIEF == 0;
    int last = (from * shape.nodes() + to) * LANES + lane.code();
    switch (shape.mischief()) {
      case FRAME_TWICE -> {
        // A second FwdGetS or FwdGetM is good: then Data comes twice.
        if (again && type != MessageType.FWD_GET_S && type != MessageType.FWD_GET_M) {
          send(from, to, lane, frame);
          deliver(from, to, lane, lastArrival[last], frame);
          return true;
        }
      }
      case FRAME_SHORT -> {
        if (once) {
          send(from, to, lane, Arrays.copyOf(frame, random.nextInt(frame.length)));
          return true;
        }
      }
      case FRAME_OF_NOISE -> {
        if (once) {
          byte[] noise = new byte[random.nextInt(frame.length)];
          random.nextBytes(noise);
          send(from, to, lane, noise);
        }
      }
      case LINK_LOST -> {
        if (once) {
          cutUntil[from * shape.nodes() + to] = NEVER;
          cutUntil[to * shape.nodes() + from] = NEVER;
          cluster.linkLost(from, to);
        }
      }
      case FRAME_LOST -> {
        return again && lane == Lane.CONTROL;
      }
      case LANE_REORDERED -> {
        if (lane == Lane.CONTROL) {
          lastArrival[last] = 0;
          long arrival = now() + 1 + random.nextInt(shape.maxDelay());
          // At its place by time, not behind what was sent before.
          cluster.at(cluster.node(to), arrival, () -> deliver(from, to, lane, arrival, frame));
          return true;
        }
      }
      case BIT_FLIPPED -> {
        if (again && type.carriesBytes()) {
          flip(type, frame);
        }
      }
      case STALE_BYTES -> {
        if (type.carriesBytes()) {
          age(type, frame, again);
        }
      }
      case NONE, REVOKE_NOT_AWAITED -> {}
    }
    return false;
  }
}
