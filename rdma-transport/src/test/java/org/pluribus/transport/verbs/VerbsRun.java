package org.pluribus.transport.verbs;

import com.ibm.disni.util.NativeAffinity;
import com.ibm.disni.verbs.IbvQP;
import com.ibm.disni.verbs.IbvSendWR;
import com.ibm.disni.verbs.IbvWC;
import com.ibm.disni.verbs.RdmaCm;
import com.ibm.disni.verbs.RdmaCmEvent;
import com.ibm.disni.verbs.RdmaCmId;
import com.ibm.disni.verbs.SVCPostSend;
import com.sun.management.ThreadMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.util.Random;
import java.util.concurrent.Callable;

/**
 * Two processes use every native method of DiSNI on a real device: {@code VerbsRun listener ADDRESS
 * PORT}, then {@code VerbsRun caller ADDRESS PORT}. Ends with exit code 0 if all was right. {@code
 * ci/cluster/verbs} runs it on an emulated server.
 */
final class VerbsRun {
  /** Pages of a peer's memory. */
  private static final int OUT = 0;

  private static final int IN = 1;
  private static final int ANSWER = 2;
  private static final int MESSAGE = 3;

  /** A message: what this is, where the sender's memory starts, its remote key, the page's seed. */
  private static final long HELLO = 0x504c555249425553L;

  private static final long READY = HELLO + 1;
  private static final int MESSAGE_BYTES = 32;
  private static final int ADDRESS_OFFSET = 8;
  private static final int KEY_OFFSET = 16;
  private static final int SEED_OFFSET = 24;

  private static final int IMMEDIATE = 0x12345678;
  private static final int READS = 500;

  /** What the JVM may put down to a thread for its own purposes. */
  private static final long STRAY_BYTES = 4096;

  /** More than any device takes in a request. */
  private static final int TOO_MANY_PIECES = 200;

  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

  private static final InetSocketAddress NOWHERE = new InetSocketAddress("192.0.2.1", 4791);

  private final String name;
  private final VerbsPeer peer;
  private long theirMemory;
  private int theirKey;

  private VerbsRun(String name, VerbsPeer peer) {
    this.name = name;
    this.peer = peer;
  }

  /** Arguments: role, IPv4 address of a device, port. */
  public static void main(String[] arguments) throws Exception {
    VerbsLibrary.load();
    NativeAffinity.setAffinity(NativeAffinity.getAffinity());
    InetSocketAddress address = new InetSocketAddress(arguments[1], Integer.parseInt(arguments[2]));
    boolean calls = arguments[0].equals("caller");
    VerbsPeer peer = calls ? VerbsPeer.call(address) : VerbsPeer.listen(address);
    VerbsRun run = new VerbsRun(arguments[0], peer);
    if (calls) {
      run.caller(address);
    } else {
      run.listener();
    }
    peer.close();
    run.say("all is closed");
  }

  private void caller(InetSocketAddress listener) throws Exception {
    describe();
    same("the peer's address", peer.id.getDestination(), listener);
    long seed = new Random().nextLong();
    say("seed " + seed);
    sendMessage(HELLO, seed);
    receiveHello();
    fill(peer.memory, VerbsPeer.page(OUT), seed);
    write();
    same("message", receive(IbvWC.IbvWcOpcode.IBV_WC_RECV, MESSAGE_BYTES).getLong(0), READY);
    readBack(seed);
    readOften(seed);
    refusals();
    flush(listener);
    readWithWrongKey();
    peer.id.disconnect();
    VerbsPeer.next(peer.events, RdmaCmEvent.EventType.RDMA_CM_EVENT_DISCONNECTED);
  }

  private void listener() throws Exception {
    describe();
    long seed = receiveHello();
    sendMessage(HELLO, seed);
    receive(IbvWC.IbvWcOpcode.IBV_WC_RECV_RDMA_WITH_IMM, VerbsPeer.PAGE_BYTES);
    ByteBuffer expected = ByteBuffer.allocate(VerbsPeer.PAGE_BYTES);
    fill(expected, 0, seed);
    for (int i = 0; i < VerbsPeer.PAGE_BYTES; i++) {
      same("byte " + i + " written", peer.memory.get(VerbsPeer.page(IN) + i), expected.get(i));
      peer.memory.put(VerbsPeer.page(ANSWER) + i, (byte) ~expected.get(i));
    }
    say("RDMA write with immediate data: right");
    sendMessage(READY, seed);
    VerbsPeer.next(peer.events, RdmaCmEvent.EventType.RDMA_CM_EVENT_DISCONNECTED);
    // The caller waits for this answer.
    peer.id.disconnect();
    same(
        "status of a receive that never came",
        peer.received.await().getStatus(),
        IbvWC.IbvWcStatus.IBV_WC_WR_FLUSH_ERR.ordinal());
  }

  private void describe() throws IOException {
    say(
        "from %s to %s, queue pair %d, protection domain %d, device's fd %d, %d vectors, ODP %#x"
            .formatted(
                peer.id.getSource(),
                peer.id.getDestination(),
                peer.pair.getQp_num(),
                peer.domain.getHandle(),
                peer.id.getVerbs().getCmd_fd(),
                peer.id.getVerbs().getNumCompVectors(),
                peer.id.getVerbs().queryOdpSupport()));
  }

  private void sendMessage(long kind, long seed) throws IOException {
    int at = VerbsPeer.page(MESSAGE);
    peer.memory
        .putLong(at, kind)
        .putLong(at + ADDRESS_OFFSET, peer.address(0))
        .putInt(at + KEY_OFFSET, peer.region.getRkey())
        .putLong(at + SEED_OFFSET, seed);
    SVCPostSend send =
        peer.request(
            IbvSendWR.IBV_WR_SEND, IbvSendWR.IBV_SEND_INLINE, at, MESSAGE_BYTES, 1, 0, 0, 0);
    send.execute().free();
    succeeded(peer.sent.await(), IbvWC.IbvWcOpcode.IBV_WC_SEND);
  }

  /** What came, from its slot; the slot is ready for another after that. */
  private ByteBuffer receive(IbvWC.IbvWcOpcode opcode, int bytes) throws IOException {
    IbvWC completion = peer.received.await();
    succeeded(completion, opcode);
    same("length", completion.getByte_len(), bytes);
    same("queue pair", completion.getQp_num(), peer.pair.getQp_num());
    if (opcode == IbvWC.IbvWcOpcode.IBV_WC_RECV_RDMA_WITH_IMM) {
      same("immediate data", completion.getImm_data(), IMMEDIATE);
    }
    int slot = (int) completion.getWr_id();
    byte[] copy = new byte[VerbsPeer.SLOT_BYTES];
    peer.memory.get(slot * VerbsPeer.SLOT_BYTES, copy);
    peer.postReceive(slot);
    return ByteBuffer.wrap(copy).order(peer.memory.order());
  }

  private long receiveHello() throws IOException {
    ByteBuffer hello = receive(IbvWC.IbvWcOpcode.IBV_WC_RECV, MESSAGE_BYTES);
    same("message", hello.getLong(0), HELLO);
    theirMemory = hello.getLong(ADDRESS_OFFSET);
    theirKey = hello.getInt(KEY_OFFSET);
    say("send and receive: right");
    return hello.getLong(SEED_OFFSET);
  }

  private void write() throws IOException {
    SVCPostSend write =
        peer.request(
            IbvSendWR.IBV_WR_RDMA_WRITE_WITH_IMM,
            0,
            VerbsPeer.page(OUT),
            VerbsPeer.PAGE_BYTES,
            1,
            theirMemory + VerbsPeer.page(IN),
            theirKey,
            IMMEDIATE);
    write.execute().free();
    succeeded(peer.sent.await(), IbvWC.IbvWcOpcode.IBV_WC_RDMA_WRITE);
  }

  private SVCPostSend read(int key, int bytes, int pieces) throws IOException {
    return peer.request(
        IbvSendWR.IBV_WR_RDMA_READ,
        0,
        VerbsPeer.page(IN),
        bytes,
        pieces,
        theirMemory + VerbsPeer.page(ANSWER),
        key,
        0);
  }

  private void readBack(long seed) throws IOException {
    read(theirKey, VerbsPeer.PAGE_BYTES, 1).execute().free();
    succeeded(peer.sent.await(), IbvWC.IbvWcOpcode.IBV_WC_RDMA_READ);
    ByteBuffer expected = ByteBuffer.allocate(VerbsPeer.PAGE_BYTES);
    fill(expected, 0, seed);
    for (int i = 0; i < VerbsPeer.PAGE_BYTES; i++) {
      same("byte " + i + " read", peer.memory.get(VerbsPeer.page(IN) + i), (byte) ~expected.get(i));
    }
    say("RDMA read: right");
  }

  /** The hot path: one request, changed in place and posted again and again. */
  private void readOften(long seed) throws IOException {
    SVCPostSend read = read(theirKey, Long.BYTES, 1);
    ByteBuffer expected = ByteBuffer.allocate(VerbsPeer.PAGE_BYTES).order(peer.memory.order());
    fill(expected, 0, seed);
    Random random = new Random(seed);
    long allocated = 0;
    for (int i = -READS; i < READS; i++) {
      if (i == 0) {
        allocated = THREADS.getCurrentThreadAllocatedBytes(); // the first half has warmed up
      }
      int at = random.nextInt(VerbsPeer.PAGE_BYTES - Long.BYTES);
      read.getWrMod(0).getRdmaMod().setRemote_addr(theirMemory + VerbsPeer.page(ANSWER) + at);
      read.getWrMod(0).getSgeMod(0).setAddr(peer.address(VerbsPeer.page(OUT) + at));
      read.execute();
      IbvWC completion = peer.sent.spin();
      if (completion.getStatus() != 0
          || peer.memory.getLong(VerbsPeer.page(OUT) + at) != ~expected.getLong(at)) {
        throw new IOException("read " + i + " at " + at + " went wrong");
      }
    }
    allocated = THREADS.getCurrentThreadAllocatedBytes() - allocated;
    read.free();
    if (allocated > STRAY_BYTES) {
      throw new IOException(READS + " reads allocated " + allocated + " bytes");
    }
    say(READS + " reads by polling: right, they allocated " + allocated + " bytes");
  }

  /** Calls that a device refuses. */
  private void refusals() throws Exception {
    refused(
        "ibv_post_send failed: .* \\(E[A-Z]+, errno \\d+\\); request 1 of the list",
        () -> read(theirKey, 1, TOO_MANY_PIECES).execute());
    // The first page of memory is nobody's.
    refused(
        "ibv_reg_mr failed: .* \\(E[A-Z]+, errno \\d+\\).*",
        () -> peer.domain.regMr(Long.BYTES, VerbsPeer.PAGE_BYTES, 1).execute());
    RdmaCmId id = peer.events.createId(RdmaCm.RDMA_PS_TCP);
    refused(
        "rdma_bind_addr failed: .* \\(E[A-Z]+, errno \\d+\\)",
        () -> {
          id.bindAddr(NOWHERE);
          return id;
        });
    refused(
        "rdma_listen failed: .* \\(E[A-Z]+, errno \\d+\\)",
        () -> {
          peer.id.listen(1);
          return id;
        });
    id.destroyId();
    try {
      peer.region.expPrefetchMr(peer.address(0), VerbsPeer.PAGE_BYTES);
      say("prefetch: done");
    } catch (IOException e) {
      matches("ibv_advise_mr failed: .* \\(E[A-Z]+, errno \\d+\\)", e); // not demand-paged
    }
  }

  private void refused(String message, Callable<?> call) throws Exception {
    try {
      call.call();
    } catch (IOException e) {
      matches(message, e);
      return;
    }
    throw new IOException("not refused: should be " + message);
  }

  private void matches(String pattern, IOException e) throws IOException {
    String message = String.valueOf(e.getMessage());
    if (!message.matches(pattern)) {
      throw new IOException("wrong message, should be " + pattern, e);
    }
    say("refused as it must be: " + message);
  }

  /** A second queue pair, never connected: in the error state it gives its receives back. */
  private void flush(InetSocketAddress listener) throws Exception {
    RdmaCmId id = VerbsPeer.resolved(peer.events, listener);
    IbvQP spare = id.createQP(peer.domain, peer.attributes());
    peer.postReceive(spare, 0);
    ByteBuffer attributes =
        ByteBuffer.allocateDirect(VerbsPeer.PAGE_BYTES).order(peer.memory.order());
    attributes.putInt(0, IbvQP.IBV_QPS_ERR); // ibv_qp_attr starts with the state
    modify(spare, attributes);
    IbvWC completion = peer.received.await();
    same("status", completion.getStatus(), IbvWC.IbvWcStatus.IBV_WC_WR_FLUSH_ERR.ordinal());
    id.destroyEp();
    say("queue pair brought into the error state: gave its receive back");
  }

  /** By the native method: DiSNI's own one passes no attributes. */
  private static void modify(IbvQP pair, ByteBuffer attributes) throws Exception {
    var constructor =
        Class.forName("com.ibm.disni.verbs.impl.NativeDispatcher").getDeclaredConstructor();
    constructor.setAccessible(true);
    constructor
        .getDeclaringClass()
        .getMethod("_modifyQP", long.class, long.class)
        .invoke(
            constructor.newInstance(),
            ((com.ibm.disni.verbs.impl.NatObject) pair).getObjId(),
            com.ibm.disni.util.MemoryUtils.getAddress(attributes));
  }

  /** Ends the connection: a peer can't reach what it has no key for. */
  private void readWithWrongKey() throws IOException {
    read(theirKey + 1, VerbsPeer.PAGE_BYTES, 1).execute().free();
    same(
        "status of a read with a wrong key",
        peer.sent.await().getStatus(),
        IbvWC.IbvWcStatus.IBV_WC_REM_ACCESS_ERR.ordinal());
    say("read with a wrong key: refused by the peer's device");
  }

  private static void fill(ByteBuffer target, int offset, long seed) {
    byte[] bytes = new byte[VerbsPeer.PAGE_BYTES];
    new Random(seed).nextBytes(bytes);
    target.put(offset, bytes);
  }

  private static void succeeded(IbvWC completion, IbvWC.IbvWcOpcode opcode) throws IOException {
    same(
        "status",
        IbvWC.IbvWcStatus.valueOf(completion.getStatus()),
        IbvWC.IbvWcStatus.IBV_WC_SUCCESS);
    same("opcode", IbvWC.IbvWcOpcode.valueOf(completion.getOpcode()), opcode);
  }

  private static void same(String what, Object is, Object wanted) throws IOException {
    if (!is.equals(wanted)) {
      throw new IOException(what + " is " + is + " instead of " + wanted);
    }
  }

  private void say(String what) {
    System.out.println(name + ": " + what);
  }
}
