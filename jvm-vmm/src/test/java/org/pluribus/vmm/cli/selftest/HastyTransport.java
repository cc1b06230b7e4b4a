package org.pluribus.vmm.cli.selftest;

import java.lang.foreign.MemorySegment;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;
import org.agrona.concurrent.UnsafeBuffer;
import org.jspecify.annotations.Nullable;
import org.pluribus.coherence.CoherenceMessage;
import org.pluribus.coherence.MessageType;
import org.pluribus.transport.Channel;
import org.pluribus.transport.MessageHandler;
import org.pluribus.transport.PagePayload;
import org.pluribus.transport.Transport;

/**
 * Breaks a node's promise on purpose: says InvAck as soon as an Inv comes, and lets the node's CPUs
 * use their copy for some time yet. The node's own InvAck, when the copy is gone, is swallowed;
 * whatever comes for the page meanwhile waits for that, so that nothing but the promise breaks.
 */
final class HastyTransport implements Transport {
  private final Transport real;
  private final long longestDelayNanos;
  private final Random random;
  private final AtomicLong broken;
  private final Map<Long, Late> late = new HashMap<>();
  private @Nullable MessageHandler node;

  /** An Inv whose ack is out already, and what came for its page behind it. */
  private static final class Late {
    final CoherenceMessage inv;
    final long dueNanos;
    final Queue<Held> behind = new ArrayDeque<>();
    boolean delivered;
    boolean surrendered;

    Late(CoherenceMessage inv, long dueNanos) {
      this.inv = new CoherenceMessage().copyFrom(inv);
      this.dueNanos = dueNanos;
    }
  }

  /** A message, and its page's bytes if it has any, kept for later. */
  private record Held(CoherenceMessage message, PagePayload payload) {
    static Held of(CoherenceMessage message, PagePayload payload) {
      PagePayload copy = new PagePayload();
      if (payload.isEmpty()) {
        copy.clear();
      } else {
        ByteBuffer bytes = ByteBuffer.allocateDirect(PagePayload.PAGE_BYTES);
        payload.copyTo(MemorySegment.ofBuffer(bytes), 0);
        copy.wrap(new UnsafeBuffer(bytes), 0);
      }
      return new Held(new CoherenceMessage().copyFrom(message), copy);
    }
  }

  /**
   * @param longestDelayNanos half of all Inv come so late, or less; the others at once
   * @param broken counts promises broken
   */
  HastyTransport(Transport real, long longestDelayNanos, long seed, AtomicLong broken) {
    this.real = real;
    this.longestDelayNanos = longestDelayNanos;
    this.random = new Random(seed);
    this.broken = broken;
  }

  @Override
  public void connect(MessageHandler handler, Duration timeout) {
    node = handler;
    real.connect(
        (MessageHandler)
            intercepted(
                MessageHandler.class,
                handler,
                "onCoherence",
                args -> {
                  onCoherence((CoherenceMessage) args[1], (PagePayload) args[2]);
                  return null;
                }),
        timeout);
  }

  private void onCoherence(CoherenceMessage m, PagePayload payload) {
    Late page = late.get(m.page);
    if (page != null && !m.forDirectory()) {
      page.behind.add(Held.of(m, payload));
    } else if (m.type == MessageType.INV && longestDelayNanos > 0 && random.nextBoolean()) {
      broken.incrementAndGet();
      long delay = (long) (random.nextDouble() * longestDelayNanos);
      late.put(m.page, new Late(m, System.nanoTime() + delay));
      CoherenceMessage ack = new CoherenceMessage();
      ack.set(MessageType.INV_ACK, m.page, nodeId(), m.requester, m.requester, 0, 0, 0);
      real.channel(m.requester).sendCoherence(ack, Channel.NO_PAYLOAD);
    } else {
      handler().onCoherence(m.from, m, payload);
    }
  }

  private MessageHandler handler() {
    return Objects.requireNonNull(node);
  }

  @Override
  public int poll(int limit) {
    return deliverLate() + real.poll(limit);
  }

  private int deliverLate() {
    int work = 0;
    PagePayload none = new PagePayload();
    none.clear();
    for (Late page : List.copyOf(late.values())) {
      if (!page.delivered && System.nanoTime() - page.dueNanos >= 0) {
        page.delivered = true;
        handler().onCoherence(page.inv.from, page.inv, none);
        work++;
      }
    }
    List<Late> over = new ArrayList<>(late.values());
    over.removeIf(page -> !page.surrendered);
    for (Late page : over) {
      late.remove(page.inv.page);
      for (Held h : page.behind) {
        onCoherence(h.message(), h.payload());
        work++;
      }
    }
    return work;
  }

  @Override
  public Channel channel(int peer) {
    Channel channel = real.channel(peer);
    return (Channel)
        intercepted(
            Channel.class,
            channel,
            "sendCoherence",
            args -> send(channel, (CoherenceMessage) args[0], (long) args[1]));
  }

  private boolean send(Channel channel, CoherenceMessage m, long payload) {
    Late page = late.get(m.page);
    if (page != null && page.delivered && m.type == MessageType.INV_ACK) {
      page.surrendered = true; // the requester has it already
      return true;
    }
    return channel.sendCoherence(m, payload);
  }

  /** A method that takes its arguments as they come. */
  private interface Interception {
    @Nullable Object call(Object[] args);
  }

  /** An object like another but for one method. */
  private static Object intercepted(
      Class<?> type, Object target, String name, Interception instead) {
    InvocationHandler all =
        (proxy, method, args) -> {
          if (method.getName().equals(name)) {
            return instead.call(args);
          }
          try {
            return method.invoke(target, args);
          } catch (InvocationTargetException e) {
            throw e.getCause();
          }
        };
    return Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type}, all);
  }

  @Override
  public void shareMemory(long address, long bytes) {
    real.shareMemory(address, bytes);
  }

  @Override
  public long copiedPages() {
    return real.copiedPages();
  }

  @Override
  public void abandon(String reason) {
    real.abandon(reason);
  }

  @Override
  public int nodeId() {
    return real.nodeId();
  }

  @Override
  public int nodeCount() {
    return real.nodeCount();
  }

  @Override
  public int[] descriptors() {
    return real.descriptors();
  }

  @Override
  public void close() {
    real.close();
  }
}
