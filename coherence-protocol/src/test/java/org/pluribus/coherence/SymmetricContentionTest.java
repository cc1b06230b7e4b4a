package org.pluribus.coherence;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.PriorityQueue;
import org.junit.jupiter.api.Test;

/**
 * Two nodes in lockstep, each with an instruction that needs both of two pages for writing, and
 * takes them in opposite order, over a network whose every message takes equally long. Without
 * anything random, each would give its page away at the moment it gets the other, for ever.
 */
class SymmetricContentionTest {
  private static final long LATENCY_NANOS = 100;
  private static final long HOLD_NANOS = 1_000;
  private static final long TICK_NANOS = 10;
  private static final int INSTRUCTIONS = 200;
  private static final long TIME_LIMIT_NANOS = INSTRUCTIONS * 40 * HOLD_NANOS;

  private record Event(long nanos, long order, Runnable action) {}

  private final PriorityQueue<Event> events =
      new PriorityQueue<>((a, b) ->
          a.nanos == b.nanos ? Long.compare(a.order, b.order) : Long.compare(a.nanos, b.nanos));
  private final List<Node> nodes = new ArrayList<>();
  private long now;
  private long order;

  @Test
  void bothGetThrough() {
    nodes.add(new Node(0, 0, 1));
    nodes.add(new Node(1, 1, 0));
    nodes.forEach(Node::attempt);
    while (!events.isEmpty() && now < TIME_LIMIT_NANOS) {
      Event event = events.poll();
      now = event.nanos;
      event.action.run();
    }
    assertThat(nodes.get(0).left).as("instructions left at node 0").isZero();
    assertThat(nodes.get(1).left).as("instructions left at node 1").isZero();
  }

  private void after(long nanos, Runnable action) {
    events.add(new Event(now + nanos, order++, action));
  }

  private final class Node implements CacheEffects, DirectoryEffects {
    final int id;
    final long first;
    final long second;
    final CacheController cache;
    final DirectoryController directory;
    int left = INSTRUCTIONS;

    Node(int id, long first, long second) {
      this.id = id;
      this.first = first;
      this.second = second;
      CoherenceCounters counters = new CoherenceCounters();
      HomeMap homes = page -> 1 - (int) page;
      cache = new CacheController(id, 2, 2, HOLD_NANOS, homes, this, counters);
      directory = new DirectoryController(id, 2, 2, homes, this, counters);
    }

    void attempt() {
      if (left == 0) {
        return;
      }
      for (long page : new long[] {first, second}) {
        if (!cache.mayAccess(page, true)) {
          cache.fault(page, true, now);
          return;
        }
      }
      left--;
      cache.used(first);
      cache.used(second);
      after(1, this::attempt);
    }

    @Override
    public void send(CoherenceMessage message) {
      CoherenceMessage copy = new CoherenceMessage().copyFrom(message);
      Node to = nodes.get(copy.to);
      after(
          LATENCY_NANOS,
          () -> {
            if (copy.forDirectory()) {
              to.directory.message(copy, now);
            } else {
              to.cache.message(copy, now);
            }
          });
    }

    @Override
    public void install(long page) {}

    @Override
    public void installDelta(long page, long blocks) {}

    @Override
    public void installSparse(long page, long blocks) {}

    @Override
    public void installZero(long page) {}

    @Override
    public void grantShared(long page) {}

    @Override
    public void grantExclusive(long page) {
      // As fine as a duty cycle polls, for as long as a hold can last.
      for (long later = HOLD_NANOS; later <= 2 * HOLD_NANOS; later += TICK_NANOS) {
        after(later, () -> cache.tick(now));
      }
    }

    @Override
    public void downgrade(long page) {
      cache.downgraded(page, now);
    }

    @Override
    public void revoke(long page) {
      cache.revoked(page, now);
    }

    @Override
    public void wake(long page) {
      after(1, this::attempt);
    }

    @Override
    public void take(long page) {
      throw new IllegalStateException("nobody evicts page " + page);
    }

    @Override
    public void protocolError(ProtocolError reason, CoherenceMessage message) {
      throw new AssertionError(message + ": " + reason);
    }
  }
}
