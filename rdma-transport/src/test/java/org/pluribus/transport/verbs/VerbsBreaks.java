package org.pluribus.transport.verbs;

import com.ibm.disni.util.MemoryUtils;
import com.ibm.disni.verbs.IbvQP;
import com.ibm.disni.verbs.impl.NatObject;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Random;
import java.util.concurrent.locks.LockSupport;
import org.agrona.BufferUtil;
import org.agrona.concurrent.UnsafeBuffer;
import org.jspecify.annotations.Nullable;
import org.pluribus.coherence.CoherenceMessage;
import org.pluribus.coherence.Lane;
import org.pluribus.coherence.MessageType;
import org.pluribus.transport.BusRequest;
import org.pluribus.transport.BusStatus;
import org.pluribus.transport.Channel;
import org.pluribus.transport.ClockProbeKind;
import org.pluribus.transport.IpiMessage;
import org.pluribus.transport.LifecycleKind;
import org.pluribus.transport.MessageHandler;
import org.pluribus.transport.NodeIdentity;
import org.pluribus.transport.PagePayload;
import org.pluribus.transport.Transport;
import org.pluribus.transport.TransportLimits;
import org.pluribus.transport.VmKey;
import org.pluribus.transport.udp.Endpoint;
import org.pluribus.transport.wire.FramedTransport;

/**
 * Two nodes send each other pages and messages on all lanes while connections between them break:
 * {@code VerbsBreaks NODE PAGES BREAKS ENDPOINT ENDPOINT}. Every page and message must come once,
 * in order, and with the right bytes. {@code BREAKS} is how many queue pairs this node brings into
 * the error state itself; with "link" it breaks none, but one must break. Ends with exit code 0 if
 * all was right. {@code ci/cluster/verbs} runs it on emulated servers.
 *
 * <p>A page is used as the coherence protocol does: who has sent it leaves it as it is until the
 * other node has said Unblock, then it writes it again.
 */
final class VerbsBreaks implements MessageHandler {
  private static final String LINK = "link";
  private static final int NODES = 2;

  /** Pages that a node sends, in turn. */
  private static final int WINDOW = 96;

  private static final int RAM_PAGES = NODES * WINDOW;
  private static final Duration CONNECT = Duration.ofSeconds(120);
  private static final long LIMIT_NANOS = Duration.ofSeconds(240).toNanos();
  private static final long IDLE_NANOS = 50_000;
  private static final int POLL_LIMIT = 64;
  private static final int MOST_PER_TURN = 24;
  private static final VmKey KEY = VmKey.ofHex("5a".repeat(VmKey.KEY_BYTES));

  /** Second time of the clock probe with which a node says that it has all. */
  private static final long DONE = 1;

  private final int self;
  private final int peer;
  private final int pages;
  private final boolean link;
  private final Random random;
  private final long seed;
  private final UnsafeBuffer ram =
      new UnsafeBuffer(
          BufferUtil.allocateDirectAligned(
              RAM_PAGES * PagePayload.PAGE_BYTES, PagePayload.PAGE_BYTES));
  private final VerbsNetwork network;
  private final Transport transport;
  private final CoherenceMessage message = new CoherenceMessage();
  private final ArrayDeque<Long> free = new ArrayDeque<>();
  private int breaksLeft;
  private int broken;
  private int reconnected;
  private @Nullable QueuePair lastPair;

  private long sent;
  private long received;
  private long unblocked;
  private long probes;
  private boolean told;
  private boolean peerDone;
  private String fault = "";

  private VerbsBreaks(String[] arguments) {
    self = Integer.parseInt(arguments[0]);
    peer = 1 - self;
    pages = Integer.parseInt(arguments[1]);
    link = arguments[2].equals(LINK);
    breaksLeft = link ? 0 : Integer.parseInt(arguments[2]);
    seed = new Random().nextLong();
    random = new Random(seed);
    NodeIdentity identity = new NodeIdentity(self, NODES, RAM_PAGES, KEY, 1);
    network =
        new VerbsNetwork(
            identity,
            TransportLimits.DEFAULT,
            List.of(Endpoint.parse(arguments[3]), Endpoint.parse(arguments[4])));
    transport = new FramedTransport(identity, TransportLimits.DEFAULT, network);
    for (long page = 0; page < WINDOW; page++) {
      free.add(self * WINDOW + page);
    }
  }

  /** Arguments: see above. */
  public static void main(String[] arguments) throws Exception {
    VerbsBreaks run = new VerbsBreaks(arguments);
    run.say("seed " + run.seed);
    run.run();
    run.say("all is closed");
  }

  private void run() throws Exception {
    transport.shareMemory(ram.addressOffset(), ram.capacity());
    transport.connect(this, CONNECT);
    say("connected");
    lastPair = network(Lane.CONTROL).pair();
    int breaks = breaksLeft;
    long start = System.nanoTime();
    while (fault.isEmpty() && !(told && peerDone)) {
      int work = transport.poll(POLL_LIMIT) + send();
      watch(breaks);
      if (System.nanoTime() - start > LIMIT_NANOS) {
        fault = "no end after " + LIMIT_NANOS / 1_000_000_000 + " s";
      }
      if (work == 0) {
        LockSupport.parkNanos(IDLE_NANOS);
      }
    }
    String state =
        "%d pages sent, %d received, %d unblocked, %d probes, %d pairs broken here, connected anew %d times"
            .formatted(sent, received, unblocked, probes, broken, reconnected);
    say(state);
    if (!fault.isEmpty()) {
      throw new IOException(fault + "; " + state);
    }
    if (transport.placedPages() != pages || transport.copiedPages() != 0) {
      throw new IOException(
          transport.placedPages() + " pages placed, " + transport.copiedPages() + " copied");
    }
    if (broken != breaks || (link && reconnected == 0)) {
      throw new IOException("too little broke");
    }
    transport.close();
  }

  private VerbsLane network(Lane lane) {
    return (VerbsLane) network.sink(peer, lane);
  }

  /** Sends what may be sent; each page is as its number says. */
  private int send() {
    Channel channel = transport.channel(peer);
    int work = 0;
    while (sent < pages && !free.isEmpty() && work < MOST_PER_TURN) {
      long page = free.remove();
      long address = ram.addressOffset() + page * PagePayload.PAGE_BYTES;
      sent++;
      for (int at = 0; at < PagePayload.PAGE_BYTES; at += Long.BYTES) {
        ram.putLong((int) page * PagePayload.PAGE_BYTES + at, word(self, sent, at));
      }
      message.set(MessageType.DATA, page, self, peer, peer, 0, sent, 0);
      require(channel.sendCoherence(message, address), "page not taken");
      require(channel.sendClockProbe(ClockProbeKind.REQUEST, sent, 0, 0), "probe not taken");
      work++;
    }
    if (!told && received == pages && unblocked == pages && probes == pages) {
      told = true;
      require(channel.sendClockProbe(ClockProbeKind.REQUEST, 0, DONE, 0), "word not taken");
    }
    return work;
  }

  private static long word(int from, long number, int at) {
    return (number << 20 | from << 16 | at) * 0x9E3779B97F4A7C15L;
  }

  /** Breaks connections, spread over the whole of the traffic; counts those made anew. */
  private void watch(int breaks) throws Exception {
    QueuePair now = network(Lane.CONTROL).pair();
    if (now != null && now != lastPair && network.isLinked(peer)) {
      lastPair = now;
      reconnected++;
    }
    long due = (long) (breaks - breaksLeft + 1) * pages / (breaks + 2);
    if (breaksLeft > 0 && received + sent >= 2 * due && network.isLinked(peer)) {
      Lane lane = Lane.values()[random.nextInt(Lane.values().length)];
      QueuePair pair = network(lane).pair();
      if (pair != null) {
        breaksLeft--;
        broken++;
        say("breaks the %s lane at %d pages sent, %d received".formatted(lane, sent, received));
        intoError(pair.id.getQp());
      }
    }
  }

  /** As VerbsRun does. */
  private static void intoError(IbvQP pair) throws Exception {
    ByteBuffer attributes =
        ByteBuffer.allocateDirect(PagePayload.PAGE_BYTES).order(ByteOrder.nativeOrder());
    attributes.putInt(0, IbvQP.IBV_QPS_ERR); // ibv_qp_attr starts with the state
    var constructor =
        Class.forName("com.ibm.disni.verbs.impl.NativeDispatcher").getDeclaredConstructor();
    constructor.setAccessible(true);
    constructor
        .getDeclaringClass()
        .getMethod("_modifyQP", long.class, long.class)
        .invoke(
            constructor.newInstance(),
            ((NatObject) pair).getObjId(),
            MemoryUtils.getAddress(attributes));
  }

  private void require(boolean right, String what) {
    if (!right && fault.isEmpty()) {
      fault = what;
    }
  }

  private void next(String what, long is, long last) {
    if (is != last + 1) {
      require(false, what + " " + is + " came after " + last);
    }
  }

  private void say(String what) {
    System.out.println("node " + self + ": " + what);
  }

  // ---- what comes

  @Override
  public void onCoherence(int from, CoherenceMessage came, PagePayload payload) {
    if (came.type == MessageType.UNBLOCK) {
      next("Unblock", came.version, unblocked);
      unblocked++;
      free.add(came.page);
      return;
    }
    next("page", came.version, received);
    received++;
    for (int at = 0; at < PagePayload.PAGE_BYTES; at += Long.BYTES) {
      long word = ram.getLong((int) came.page * PagePayload.PAGE_BYTES + at);
      if (word != word(from, came.version, at)) {
        require(
            false,
            "page %d, number %d: word at %d is %x".formatted(came.page, came.version, at, word));
      }
    }
    long number = came.version;
    message.set(MessageType.UNBLOCK, came.page, self, peer, self, 0, number, 0);
    require(
        transport.channel(peer).sendCoherence(message, Channel.NO_PAYLOAD), "Unblock not taken");
  }

  @Override
  public void onClockProbe(
      int from, ClockProbeKind kind, long t0Nanos, long t1Nanos, long t2Nanos) {
    if (t1Nanos == DONE) {
      peerDone = true;
    } else {
      next("probe", t0Nanos, probes);
      probes++;
    }
  }

  @Override
  public void onPeerLost(int lost, String reason) {
    require(false, "lost: " + reason);
  }

  @Override
  public void onMalformed(int sender, String reason) {
    require(false, "malformed: " + reason);
  }

  @Override
  public void onIpi(int from, IpiMessage ipi) {
    require(false, "an IPI");
  }

  @Override
  public void onEoi(int from, int vector) {
    require(false, "an EOI");
  }

  @Override
  public void onBusRequest(int from, BusRequest request) {
    require(false, "a bus request");
  }

  @Override
  public void onBusReply(int from, long id, long value, BusStatus status) {
    require(false, "a bus reply");
  }

  @Override
  public void onLifecycle(int from, LifecycleKind kind, int code, String text) {
    require(kind == LifecycleKind.HEARTBEAT, "lifecycle " + kind);
  }

  @Override
  public void onReport(int from, byte[] json) {
    require(false, "a report");
  }
}
