package org.pluribus.transport.verbs;

import com.ibm.disni.verbs.IbvCQ;
import com.ibm.disni.verbs.IbvCompChannel;
import com.ibm.disni.verbs.IbvContext;
import com.ibm.disni.verbs.IbvMr;
import com.ibm.disni.verbs.IbvPd;
import com.ibm.disni.verbs.IbvQP;
import com.ibm.disni.verbs.IbvQPInitAttr;
import com.ibm.disni.verbs.IbvRecvWR;
import com.ibm.disni.verbs.IbvSendWR;
import com.ibm.disni.verbs.IbvSge;
import com.ibm.disni.verbs.IbvWC;
import com.ibm.disni.verbs.RdmaCmId;
import com.ibm.disni.verbs.SVCPollCq;
import com.ibm.disni.verbs.SVCPostRecv;
import com.ibm.disni.verbs.SVCPostSend;
import com.ibm.disni.verbs.SVCReqNotify;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.LinkedList;
import java.util.List;
import org.agrona.BufferUtil;
import org.agrona.concurrent.UnsafeBuffer;
import org.jspecify.annotations.Nullable;
import org.pluribus.transport.PagePayload;

/**
 * One reliable connection: its queues, and memory for the messages in them. Every verb call is laid
 * out when the pair is made and changed in place later, so sending and receiving allocate nothing.
 * A pair that failed stays so; whether another one may take its place {@link #isBroken} tells.
 *
 * <pre>
 *   slot: | credits given back (int) | kind (int) | padding to 16 | message ... |
 * </pre>
 *
 * <p>A message of frames ({@link FrameCursor}) brings several pages at most, each by an RDMA WRITE
 * before it, posted together with it.
 */
final class QueuePair {
  /** Kinds of messages. */
  static final int FRAMES = 1;

  static final int CREDITS = 2;
  static final int INTRODUCTION = 3;
  static final int KEYS = 4;

  /** Bytes before a message. */
  static final int ENVELOPE = 16;

  private static final int KIND_OFFSET = 4;

  /** A page's frame with its envelope, rounded up to cache lines. */
  private static final int SLOT_BYTES = 68 * 64;

  /** Longest message. */
  static final int MESSAGE_BYTES = SLOT_BYTES - ENVELOPE;

  /** Most pages that go with one message: as many as are prefetched at once. */
  static final int MAX_PAGES = 16;

  /** All control messages are shorter; rxe and the mlx drivers take more. */
  private static final int INLINE_BYTES = 128;

  private static final int QUEUE_ENTRIES = 256;
  private static final int MAX_EVENTS = 64;

  /** Looks without a message after which to look for an event that came late. */
  private static final int STRAY_LOOKS = 64;

  final RdmaCmId id;
  final Credits credits = new Credits();
  final UnsafeBuffer memory;
  private final CompletionChannels channels;
  private final IbvCompChannel channel;
  private final SendSlots slots;
  private final IbvCQ sent;
  private final IbvCQ received;
  private final IbvQP pair;
  private final IbvMr region;
  private final IbvWC[] sentFound = {new IbvWC()};
  private final IbvWC[] receivedFound = {new IbvWC()};
  private final SVCPollCq pollSent;
  private final SVCPollCq pollReceived;
  private final SVCReqNotify notify;

  /** By the number of pages that are written first. */
  private final SVCPostSend[] writesAndSend = new SVCPostSend[MAX_PAGES + 1];

  private final SVCPostRecv[] receives = new SVCPostRecv[Credits.RECEIVES];

  private boolean flushed;
  private boolean armed;
  private int looks;

  /** Most events that what was asked for before can have led to; later ones are strays. */
  private int eventsToCome;

  private int length;
  private boolean disconnected;
  private boolean stopped;
  private @Nullable String failure;
  private boolean broken;

  /** Ready to connect or to accept, receives posted. */
  QueuePair(RdmaCmId id, IbvPd domain, CompletionChannels channels) throws IOException {
    this.id = id;
    this.channels = channels;
    IbvContext device = id.getVerbs();
    ByteBuffer bytes =
        BufferUtil.allocateDirectAligned((SendSlots.SLOTS + Credits.RECEIVES) * SLOT_BYTES, 64)
            .order(ByteOrder.nativeOrder());
    memory = new UnsafeBuffer(bytes);
    slots = new SendSlots(memory, SLOT_BYTES, ENVELOPE);
    channel = channels.take();
    // Nobody asks for its events; DiSNI wants a channel all the same.
    sent = device.createCQ(channel, QUEUE_ENTRIES, 0);
    received = device.createCQ(channel, QUEUE_ENTRIES, 0);
    pollSent = sent.poll(sentFound, 1);
    pollReceived = received.poll(receivedFound, 1);
    notify = received.reqNotification(false);
    IbvQPInitAttr attributes = new IbvQPInitAttr();
    attributes.cap().setMax_send_wr(SendSlots.REQUESTS);
    attributes.cap().setMax_recv_wr(Credits.RECEIVES);
    attributes.cap().setMax_inline_data(INLINE_BYTES);
    attributes.setQp_type(IbvQP.IBV_QPT_RC);
    attributes.setSend_cq(sent);
    attributes.setRecv_cq(received);
    pair = id.createQP(domain, attributes);
    region =
        domain
            .regMr(memory.addressOffset(), memory.capacity(), IbvMr.IBV_ACCESS_LOCAL_WRITE)
            .execute()
            .getMr();
    for (int slot = 0; slot < receives.length; slot++) {
      IbvRecvWR request = new IbvRecvWR();
      request.setWr_id(slot);
      request.setSg_list(pieces(address(receiveSlot(slot)), SLOT_BYTES, region.getLkey()));
      receives[slot] = pair.postRecv(List.of(request), List.of());
      receives[slot].execute();
    }
    List<IbvSendWR> requests = new ArrayList<>(List.of(sendRequest()));
    for (int pages = 0; pages <= MAX_PAGES; pages++) {
      writesAndSend[pages] = pair.postSend(requests, List.of());
      requests.addFirst(writeRequest());
    }
  }

  private IbvSendWR sendRequest() {
    IbvSendWR request = new IbvSendWR();
    request.setOpcode(IbvSendWR.IBV_WR_SEND);
    request.setSg_list(pieces(address(0), ENVELOPE, region.getLkey()));
    return request;
  }

  private IbvSendWR writeRequest() {
    IbvSendWR request = new IbvSendWR();
    request.setOpcode(IbvSendWR.IBV_WR_RDMA_WRITE);
    request.setSg_list(pieces(address(0), PagePayload.PAGE_BYTES, 0));
    return request;
  }

  private static LinkedList<IbvSge> pieces(long address, int bytes, int key) {
    IbvSge piece = new IbvSge();
    piece.setAddr(address);
    piece.setLength(bytes);
    piece.setLkey(key);
    return new LinkedList<>(List.of(piece));
  }

  private static int receiveSlot(int slot) {
    return (SendSlots.SLOTS + slot) * SLOT_BYTES;
  }

  private long address(int offset) {
    return memory.addressOffset() + offset;
  }

  /** Why nothing goes any more, or null. */
  @Nullable String failure() {
    return failure;
  }

  /** Whether all that is wrong is the connection: another one may go on where it ended. */
  boolean isBroken() {
    return broken;
  }

  /** The peer does what it must not: nothing of it counts any more. */
  void fail(String reason) {
    if (failure == null) {
      failure = reason;
    }
  }

  private void fail(String what, IOException e) {
    breakDown(what + ": " + e.getMessage());
  }

  private void breakDown(String reason) {
    if (failure == null) {
      failure = reason;
      broken = true;
    }
  }

  /** The peer ended the connection. What it sent before can still be taken. */
  void disconnected() {
    disconnected = true;
  }

  boolean isDisconnected() {
    return disconnected;
  }

  // ---- sending

  /** Whether frames, even with many pages, may be written to {@link #framesOffset} and sent. */
  boolean canSendFrames() {
    if (!slots.hasRoomForFrames()) {
      reap();
    }
    return failure == null && credits.canSend() && slots.hasRoomForFrames();
  }

  /** Whether another message may be written to {@link #otherOffset} and sent. */
  boolean canSendOther() {
    if (!slots.hasRoomForOther()) {
      reap();
    }
    return failure == null && slots.hasRoomForOther();
  }

  /** Where in {@link #memory} the next message of frames goes. */
  int framesOffset() {
    return slots.nextFrames() + ENVELOPE;
  }

  /** Where in {@link #memory} the next message of another kind goes. */
  int otherOffset() {
    return slots.nextOther() + ENVELOPE;
  }

  /** Sends the message at {@link #otherOffset}. */
  void sendOther(int kind, int messageBytes) {
    try {
      post(writesAndSend[0], 0, slots.nextOther(), kind, messageBytes);
      slots.postedOther(1);
    } catch (IOException e) {
      fail("cannot be sent to", e);
    }
  }

  /**
   * Writes pages into the peer's RAM, then sends the frames at {@link #framesOffset}.
   *
   * @return whether they are under way, else the pair has failed
   */
  boolean sendFrames(int messageBytes, long[] pages, int count, Slabs own, Slabs theirs) {
    try {
      SVCPostSend call = writesAndSend[count];
      for (int i = 0; i < count; i++) {
        SVCPostSend.SendWRMod write = call.getWrMod(i);
        SVCPostSend.SgeMod piece = write.getSgeMod(0);
        piece.setAddr(own.address(pages[i]));
        piece.setLkey(own.key(pages[i]));
        write.getRdmaMod().setRemote_addr(theirs.address(pages[i]));
        write.getRdmaMod().setRkey(theirs.key(pages[i]));
      }
      post(call, count, slots.nextFrames(), FRAMES, messageBytes);
      slots.postedFrames(count + 1, messageBytes);
      credits.spend();
      return true;
    } catch (IOException e) {
      fail("cannot be sent to", e);
      return false;
    }
  }

  private void post(SVCPostSend call, int writes, int at, int kind, int messageBytes)
      throws IOException {
    SVCPostSend.SendWRMod request = call.getWrMod(writes);
    int bytes = ENVELOPE + messageBytes;
    memory.putInt(at, credits.takeOwed());
    memory.putInt(at + KIND_OFFSET, kind);
    int flags = bytes <= INLINE_BYTES ? IbvSendWR.IBV_SEND_INLINE : 0;
    // A return of credits is also what closing waits for.
    if (slots.signals(writes + 1, kind == CREDITS)) {
      flags |= IbvSendWR.IBV_SEND_SIGNALED;
    }
    request.setWr_id(slots.nextNumber());
    request.setSend_flags(flags);
    SVCPostSend.SgeMod piece = request.getSgeMod(0);
    piece.setAddr(address(at));
    piece.setLength(bytes);
    call.execute();
  }

  /** Messages of frames that the peer may not have got, without envelopes, oldest first. */
  List<byte[]> unconfirmed() {
    return slots.unconfirmed(credits.unconfirmed());
  }

  /** Gives credits back if many are owed. */
  void returnCredits() {
    if (credits.shouldReturn() && canSendOther()) {
      sendOther(CREDITS, 0);
    }
  }

  /**
   * Whether the peer's device has all that was sent, up to the last return of credits, or will get
   * no more.
   */
  boolean isAllSent() {
    reap();
    return failure != null || flushed || slots.isIdle();
  }

  /** Takes completions of sends. */
  void reap() {
    if (stopped) {
      return;
    }
    try {
      for (int i = 0; i < QUEUE_ENTRIES && pollSent.execute().getPolls() > 0; i++) {
        int status = sentFound[0].getStatus();
        if (status == IbvWC.IbvWcStatus.IBV_WC_SUCCESS.ordinal()) {
          slots.completed(sentFound[0].getWr_id());
        } else if (status == IbvWC.IbvWcStatus.IBV_WC_WR_FLUSH_ERR.ordinal()) {
          flushed = true;
        } else {
          breakDown("cannot be reached any more: " + IbvWC.IbvWcStatus.valueOf(status));
        }
      }
    } catch (IOException e) {
      fail("cannot be reached any more", e);
    }
  }

  // ---- receiving

  /** Takes the next message; its slot, or -1. Before the next one, {@link #release} it. */
  int take() {
    if (failure != null) {
      return -1;
    }
    try {
      if (!found()) {
        return -1;
      }
    } catch (IOException e) {
      fail("cannot be heard any more", e);
      return -1;
    }
    IbvWC completion = receivedFound[0];
    if (completion.getStatus() != IbvWC.IbvWcStatus.IBV_WC_SUCCESS.ordinal()) {
      reap(); // knows more, if anything went wrong
      breakDown(
          disconnected
              ? "closed its channels"
              : "cannot be heard any more: " + IbvWC.IbvWcStatus.valueOf(completion.getStatus()));
      return -1;
    }
    int slot = (int) completion.getWr_id();
    length = completion.getByte_len() - ENVELOPE;
    if (length < 0 || length > MESSAGE_BYTES || !credits.give(memory.getInt(receiveSlot(slot)))) {
      fail("sent a message that makes no sense");
      return -1;
    }
    return slot;
  }

  /**
   * Looks for a message, and when there is none, asks for an event once: whatever comes between the
   * last look and the request is seen by the look after it.
   */
  private boolean found() throws IOException {
    if (pollReceived.execute().getPolls() > 0) {
      armed = false; // the event asked for has come, or will
      looks = 0;
      return true;
    }
    if (armed && ++looks < STRAY_LOOKS) {
      return false;
    }
    int most = armed ? MAX_EVENTS : eventsToCome;
    looks = 0;
    int events = 0;
    while (events < most && channel.getCqEvent(received, 0)) {
      events++;
    }
    if (events > 0) {
      received.ackEvents(events);
    }
    if (armed && events == 0) {
      return false;
    }
    eventsToCome = 1;
    notify.execute();
    // Whether a message that comes now came before the request, so that its event is still to come,
    // or after it, nobody knows: the next look asks again.
    armed = pollReceived.execute().getPolls() == 0;
    return !armed;
  }

  int kind(int slot) {
    return memory.getInt(receiveSlot(slot) + KIND_OFFSET);
  }

  int messageOffset(int slot) {
    return receiveSlot(slot) + ENVELOPE;
  }

  /** Length of the message taken last. */
  int messageLength() {
    return length;
  }

  /** The message's slot takes another one. */
  void release(int slot, boolean counted) {
    try {
      receives[slot].execute();
      if (counted) {
        credits.owe();
      }
    } catch (IOException e) {
      fail("cannot be heard any more", e);
    }
  }

  /**
   * Ends the queue pair: from now on its device takes nothing from the peer, neither messages nor
   * pages. What is in its memory stays.
   */
  void stop() throws IOException {
    if (!stopped) {
      stopped = true;
      breakDown("is connected no more");
      id.destroyQP();
    }
  }

  /**
   * Gives all back but the identifier. That is left: the connection's end is told to the peer when
   * it is destroyed.
   */
  void close() throws IOException {
    List<IOException> failures = new ArrayList<>();
    attempt(this::stop, failures);
    attempt(() -> region.deregMr().execute().free(), failures);
    for (SVCPostRecv call : receives) {
      attempt(call::free, failures);
    }
    for (SVCPostSend call : writesAndSend) {
      attempt(call::free, failures);
    }
    attempt(pollSent::free, failures);
    attempt(pollReceived::free, failures);
    attempt(notify::free, failures);
    attempt(sent::destroyCQ, failures);
    attempt(received::destroyCQ, failures);
    channels.giveBack(channel);
    if (!failures.isEmpty()) {
      throw failures.getFirst();
    }
  }

  /** A step of closing. */
  private interface Step {
    void run() throws IOException;
  }

  private static void attempt(Step step, List<IOException> failures) {
    try {
      step.run();
    } catch (IOException e) {
      failures.add(e);
    }
  }
}
