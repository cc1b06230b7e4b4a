package org.pluribus.transport.verbs;

import com.ibm.disni.verbs.IbvCompChannel;
import com.ibm.disni.verbs.IbvContext;
import com.ibm.disni.verbs.impl.NatObject;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import org.agrona.concurrent.UnsafeBuffer;

/**
 * The channels on which queue pairs are told of messages. They outlive the pairs: whoever sleeps on
 * their descriptors goes on doing so when a pair is replaced. One thread at a time.
 */
final class CompletionChannels {
  /** struct ibv_comp_channel (infiniband/verbs.h): a pointer, then the descriptor. */
  private static final int FD_OFFSET = 8;

  private final IbvContext device;
  private final List<IbvCompChannel> all = new ArrayList<>();
  private final ArrayDeque<IbvCompChannel> free = new ArrayDeque<>();

  /** So many channels of a device. */
  CompletionChannels(IbvContext device, int count) throws IOException {
    this.device = device;
    for (int i = 0; i < count; i++) {
      IbvCompChannel made = device.createCompChannel();
      all.add(made);
      free.addLast(made);
    }
  }

  /** A channel for one queue pair. More than foreseen are made when they are needed. */
  IbvCompChannel take() throws IOException {
    IbvCompChannel channel = free.pollFirst();
    if (channel == null) {
      channel = device.createCompChannel();
      all.add(channel);
    }
    return channel;
  }

  /** Gives a channel back; its completion queues must be gone. */
  void giveBack(IbvCompChannel channel) {
    free.addFirst(channel);
  }

  /** The descriptors, which DiSNI doesn't tell. */
  int[] descriptors() {
    UnsafeBuffer struct = new UnsafeBuffer(0, 0);
    int[] numbers = new int[all.size()];
    for (int i = 0; i < numbers.length; i++) {
      struct.wrap(((NatObject) all.get(i)).getObjId(), FD_OFFSET + Integer.BYTES);
      numbers[i] = struct.getInt(FD_OFFSET);
    }
    return numbers;
  }

  /** The queue pairs must be gone. */
  void close() throws IOException {
    for (IbvCompChannel channel : all) {
      channel.destroyCompChannel();
    }
    all.clear();
    free.clear();
  }
}
