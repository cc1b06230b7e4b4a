package org.pluribus.transport.verbs;

import com.ibm.disni.util.MemoryUtils;
import com.ibm.disni.verbs.IbvContext;
import com.ibm.disni.verbs.IbvMr;
import com.ibm.disni.verbs.IbvPd;
import com.ibm.disni.verbs.IbvQP;
import com.ibm.disni.verbs.IbvQPInitAttr;
import com.ibm.disni.verbs.IbvRecvWR;
import com.ibm.disni.verbs.IbvSendWR;
import com.ibm.disni.verbs.IbvSge;
import com.ibm.disni.verbs.RdmaCm;
import com.ibm.disni.verbs.RdmaCmEvent;
import com.ibm.disni.verbs.RdmaCmId;
import com.ibm.disni.verbs.RdmaConnParam;
import com.ibm.disni.verbs.RdmaEventChannel;
import com.ibm.disni.verbs.SVCPostSend;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.LinkedList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One end of a reliable connection, with all that belongs to it. Its memory is registered as one
 * region: slots for received messages first, pages after.
 */
final class VerbsPeer implements AutoCloseable {
  static final int SLOT_BYTES = 64;
  static final int SLOTS = 8;

  /** Pages that {@link VerbsRun} names. */
  static final int PAGES = 4;

  static final int PAGE_BYTES = 4096;

  private static final int MEMORY_BYTES = (1 + PAGES) * PAGE_BYTES;
  private static final int ACCESS =
      IbvMr.IBV_ACCESS_LOCAL_WRITE | IbvMr.IBV_ACCESS_REMOTE_WRITE | IbvMr.IBV_ACCESS_REMOTE_READ;
  private static final int WAIT_MILLIS = 60_000;
  private static final byte RETRIES = 7;

  final RdmaEventChannel events;
  final RdmaCmId id;
  final IbvPd domain;
  final VerbsCompletions sent;
  final VerbsCompletions received;
  final IbvQP pair;
  final ByteBuffer memory = ByteBuffer.allocateDirect(MEMORY_BYTES).order(ByteOrder.nativeOrder());
  final IbvMr region;
  private final @Nullable RdmaCmId listener;

  private VerbsPeer(RdmaEventChannel events, RdmaCmId id, @Nullable RdmaCmId listener)
      throws IOException {
    this.events = events;
    this.id = id;
    this.listener = listener;
    IbvContext device = id.getVerbs();
    domain = device.allocPd();
    sent = new VerbsCompletions(device);
    received = new VerbsCompletions(device);
    pair = id.createQP(domain, attributes());
    region = domain.regMr(memory, ACCESS).execute().getMr();
    for (int slot = 0; slot < SLOTS; slot++) {
      postReceive(slot);
    }
  }

  /** Waits for a caller at an address of a device. */
  static VerbsPeer listen(InetSocketAddress address) throws IOException {
    RdmaEventChannel events = RdmaEventChannel.createEventChannel();
    RdmaCmId listener = events.createId(RdmaCm.RDMA_PS_TCP);
    listener.bindAddr(address);
    listener.listen(1);
    System.out.println("listener: listening at " + address);
    RdmaCmEvent request = next(events, RdmaCmEvent.EventType.RDMA_CM_EVENT_CONNECT_REQUEST);
    VerbsPeer peer = new VerbsPeer(events, request.getConnIdPriv(), listener);
    peer.id.accept(parameters());
    next(events, RdmaCmEvent.EventType.RDMA_CM_EVENT_ESTABLISHED);
    return peer;
  }

  /** Connects to a listener. */
  static VerbsPeer call(InetSocketAddress address) throws IOException {
    RdmaEventChannel events = RdmaEventChannel.createEventChannel();
    RdmaCmId id = resolved(events, address);
    id.resolveRoute(WAIT_MILLIS);
    next(events, RdmaCmEvent.EventType.RDMA_CM_EVENT_ROUTE_RESOLVED);
    VerbsPeer peer = new VerbsPeer(events, id, null);
    id.connect(parameters());
    next(events, RdmaCmEvent.EventType.RDMA_CM_EVENT_ESTABLISHED);
    return peer;
  }

  /** A new identifier of the device that leads to an address. */
  static RdmaCmId resolved(RdmaEventChannel events, InetSocketAddress address) throws IOException {
    RdmaCmId id = events.createId(RdmaCm.RDMA_PS_TCP);
    id.resolveAddr(null, address, WAIT_MILLIS);
    next(events, RdmaCmEvent.EventType.RDMA_CM_EVENT_ADDR_RESOLVED);
    return id;
  }

  /** Waits for the next event, which must be this one. */
  static RdmaCmEvent next(RdmaEventChannel events, RdmaCmEvent.EventType wanted)
      throws IOException {
    RdmaCmEvent event = events.getCmEvent(WAIT_MILLIS);
    if (event == null) {
      throw new IOException("no " + wanted + " within " + WAIT_MILLIS + " ms");
    }
    event.ackEvent();
    if (event.getEvent() != wanted.ordinal()) {
      throw new IOException(
          RdmaCmEvent.EventType.values()[event.getEvent()] + " came instead of " + wanted);
    }
    return event;
  }

  private static RdmaConnParam parameters() throws IOException {
    RdmaConnParam parameters = new RdmaConnParam();
    parameters.setRetry_count(RETRIES);
    parameters.setRnr_retry_count(RETRIES);
    return parameters;
  }

  /** What a queue pair for this peer's queues asks for. */
  IbvQPInitAttr attributes() {
    IbvQPInitAttr attributes = new IbvQPInitAttr();
    attributes.cap().setMax_send_wr(VerbsCompletions.ENTRIES);
    attributes.cap().setMax_recv_wr(VerbsCompletions.ENTRIES);
    attributes.cap().setMax_inline_data(SLOT_BYTES);
    attributes.setQp_type(IbvQP.IBV_QPT_RC);
    attributes.setSend_cq(sent.queue());
    attributes.setRecv_cq(received.queue());
    return attributes;
  }

  /** Where a page starts in {@link #memory}. */
  static int page(int number) {
    return (1 + number) * PAGE_BYTES;
  }

  long address(int offset) {
    return MemoryUtils.getAddress(memory) + offset;
  }

  private IbvSge piece(int offset, int bytes) {
    IbvSge piece = new IbvSge();
    piece.setAddr(address(offset));
    piece.setLength(bytes);
    piece.setLkey(region.getLkey());
    return piece;
  }

  /** Gives a slot to the next message that comes. The slot's number is the request's id. */
  void postReceive(int slot) throws IOException {
    postReceive(pair, slot);
  }

  void postReceive(IbvQP to, int slot) throws IOException {
    IbvRecvWR request = new IbvRecvWR();
    request.setWr_id(slot);
    request.setSg_list(new LinkedList<>(List.of(piece(slot * SLOT_BYTES, SLOT_BYTES))));
    to.postRecv(List.of(request), List.of()).execute().free();
  }

  /** A request ready to be posted; its own memory is in so many pieces of these bytes. */
  SVCPostSend request(
      int opcode,
      int flags,
      int offset,
      int bytes,
      int pieces,
      long address,
      int key,
      int immediate)
      throws IOException {
    IbvSendWR request = described(opcode, flags, offset, bytes, address, key);
    request.setImm_data(immediate);
    LinkedList<IbvSge> list = new LinkedList<>();
    for (int i = 0; i < pieces; i++) {
      list.add(piece(offset, bytes));
    }
    request.setSg_list(list);
    return pair.postSend(List.of(request), List.of());
  }

  /**
   * Two requests ready to be posted together: a page is written to a peer's memory, then a message
   * inline tells him. Only the message completes.
   */
  SVCPostSend writeAndTell(int page, long address, int key, int message, int bytes)
      throws IOException {
    IbvSendWR write = described(IbvSendWR.IBV_WR_RDMA_WRITE, 0, page, PAGE_BYTES, address, key);
    write.setSend_flags(0);
    IbvSendWR tell =
        described(IbvSendWR.IBV_WR_SEND, IbvSendWR.IBV_SEND_INLINE, message, bytes, 0, 0);
    return pair.postSend(List.of(write, tell), List.of());
  }

  private IbvSendWR described(int opcode, int flags, int offset, int bytes, long address, int key) {
    IbvSendWR request = new IbvSendWR();
    request.setWr_id(opcode);
    request.setOpcode(opcode);
    request.setSend_flags(flags | IbvSendWR.IBV_SEND_SIGNALED);
    request.setSg_list(new LinkedList<>(List.of(piece(offset, bytes))));
    request.getRdma().setRemote_addr(address);
    request.getRdma().setRkey(key);
    return request;
  }

  /** In the order in which nothing is in use any more. The connection must be down. */
  @Override
  public void close() throws IOException {
    id.destroyQP();
    region.deregMr().execute().free();
    sent.close();
    received.close();
    try {
      domain.deallocPd();
    } catch (IOException e) {
      throw e;
    } catch (Exception e) {
      throw new IOException(e); // declared by DiSNI, thrown by nothing
    }
    id.destroyId();
    if (listener != null) {
      listener.destroyId();
    }
    events.destroyEventChannel();
  }
}
