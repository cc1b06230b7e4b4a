package org.pluribus.transport.verbs;

import com.ibm.disni.verbs.IbvRecvWR;
import com.ibm.disni.verbs.IbvSendWR;
import com.ibm.disni.verbs.IbvSge;
import com.ibm.disni.verbs.IbvWC;
import com.ibm.disni.verbs.SVCPostRecv;
import com.ibm.disni.verbs.SVCPostSend;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.Arrays;
import java.util.LinkedList;
import java.util.List;

/**
 * How long verbs take from Java, to compare with perftest's {@code ib_send_lat} and {@code
 * ib_read_lat} on the same devices: {@code VerbsPingPong listener ADDRESS PORT ROUNDS}, then {@code
 * VerbsPingPong caller ...}. Both sleep until the device tells of a completion, as perftest does
 * with {@code --events}. {@code perf/verbs-ratio} runs it.
 *
 * <p>The caller prints the medians in microseconds: {@code send} is half of a round trip of 64
 * bytes, {@code read} an RDMA READ of 4 KiB. Two ways to get a page of which its owner must be
 * asked first, by a SEND: {@code pushed}, he writes it to us and tells us by a SEND behind, as
 * {@link QueuePair} does; {@code pulled}, he tells us by a SEND, and we read it.
 */
final class VerbsPingPong {
  private static final int MESSAGE_BYTES = VerbsPeer.SLOT_BYTES;
  private static final int KEYS = 0;
  private static final int PAGE = 1;
  private static final int KEY_OFFSET = 8;

  /** Rounds before those that count: caches and the JVM's compiler. */
  private static final int WARM_UP = 500;

  private static final double NANOS_PER_MICRO = 1000;

  private final VerbsPeer peer;
  private final SVCPostSend send;
  private final SVCPostRecv[] receives = new SVCPostRecv[VerbsPeer.SLOTS];

  /** Slot of the last answer. */
  private int last;

  private VerbsPingPong(VerbsPeer peer) throws IOException {
    this.peer = peer;
    int at = VerbsPeer.page(KEYS);
    peer.memory
        .putLong(at, peer.address(VerbsPeer.page(PAGE)))
        .putInt(at + KEY_OFFSET, peer.region.getRkey());
    send =
        peer.request(
            IbvSendWR.IBV_WR_SEND, IbvSendWR.IBV_SEND_INLINE, at, MESSAGE_BYTES, 1, 0, 0, 0);
    for (int slot = 0; slot < receives.length; slot++) {
      IbvSge piece = new IbvSge();
      piece.setAddr(peer.address(slot * VerbsPeer.SLOT_BYTES));
      piece.setLength(VerbsPeer.SLOT_BYTES);
      piece.setLkey(peer.region.getLkey());
      IbvRecvWR request = new IbvRecvWR();
      request.setWr_id(slot);
      request.setSg_list(new LinkedList<>(List.of(piece)));
      receives[slot] = peer.pair.postRecv(List.of(request), List.of());
    }
  }

  /** Arguments: role, IPv4 address of a device, port, rounds. */
  public static void main(String[] arguments) throws Exception {
    VerbsLibrary.load();
    InetSocketAddress address = new InetSocketAddress(arguments[1], Integer.parseInt(arguments[2]));
    int rounds = Integer.parseInt(arguments[3]);
    boolean calls = arguments[0].equals("caller");
    VerbsPingPong end =
        new VerbsPingPong(calls ? VerbsPeer.call(address) : VerbsPeer.listen(address));
    if (calls) {
      end.call(rounds);
    } else {
      end.answer(rounds);
    }
    end.peer.id.disconnect();
    end.peer.close();
  }

  private void answer(int rounds) throws IOException {
    int slot = 0;
    for (int i = 0; i < WARM_UP + rounds; i++) {
      slot = receive();
      send();
    }
    SVCPostSend page =
        peer.writeAndTell(
            VerbsPeer.page(PAGE), address(slot), key(slot), VerbsPeer.page(KEYS), MESSAGE_BYTES);
    for (int i = 0; i < WARM_UP + rounds; i++) {
      receive();
      complete(page);
    }
    // One more, which says that the caller has read all it wants.
    for (int i = 0; i < WARM_UP + rounds + 1; i++) {
      receive();
      send();
    }
  }

  private void call(int rounds) throws IOException {
    double trip =
        median(
            rounds,
            () -> {
              send();
              last = receive();
            });
    SVCPostSend read =
        peer.request(
            IbvSendWR.IBV_WR_RDMA_READ,
            0,
            VerbsPeer.page(PAGE),
            VerbsPeer.PAGE_BYTES,
            1,
            address(last),
            key(last),
            0);
    double reading = median(rounds, () -> complete(read));
    double pushed = median(rounds, this::ask);
    double pulled =
        median(
            rounds,
            () -> {
              ask();
              complete(read);
            });
    ask();
    System.out.printf(
        "send %.2f read %.2f pushed %.2f pulled %.2f%n", trip / 2, reading, pushed, pulled);
  }

  /** A request, to its answer. That it was sent need not be waited for. */
  private void ask() throws IOException {
    send.execute();
    last = receive();
    succeeded(peer.sent.await());
  }

  private void complete(SVCPostSend request) throws IOException {
    request.execute();
    succeeded(peer.sent.await());
  }

  /** Where the page lies at the other end, as the message in a slot says. */
  private long address(int slot) {
    return peer.memory.getLong(slot * VerbsPeer.SLOT_BYTES);
  }

  private int key(int slot) {
    return peer.memory.getInt(slot * VerbsPeer.SLOT_BYTES + KEY_OFFSET);
  }

  /** What is measured. */
  private interface Trip {
    void make() throws IOException;
  }

  private static double median(int rounds, Trip trip) throws IOException {
    long[] nanos = new long[rounds];
    for (int i = -WARM_UP; i < rounds; i++) {
      long began = System.nanoTime();
      trip.make();
      if (i >= 0) {
        nanos[i] = System.nanoTime() - began;
      }
    }
    return median(nanos);
  }

  /** In microseconds. */
  private static double median(long[] nanos) {
    Arrays.sort(nanos);
    return nanos[nanos.length / 2] / NANOS_PER_MICRO;
  }

  private void send() throws IOException {
    complete(send);
  }

  /** The slot of the message that came; it takes another one already. */
  private int receive() throws IOException {
    IbvWC completion = peer.received.await();
    succeeded(completion);
    int slot = (int) completion.getWr_id();
    receives[slot].execute();
    return slot;
  }

  private static void succeeded(IbvWC completion) throws IOException {
    if (completion.getStatus() != IbvWC.IbvWcStatus.IBV_WC_SUCCESS.ordinal()) {
      throw new IOException("completion with status " + completion.getStatus());
    }
  }
}
