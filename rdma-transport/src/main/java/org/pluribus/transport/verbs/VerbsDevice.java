package org.pluribus.transport.verbs;

import com.ibm.disni.verbs.IbvContext;
import com.ibm.disni.verbs.IbvMr;
import com.ibm.disni.verbs.IbvPd;
import com.ibm.disni.verbs.RdmaCm;
import com.ibm.disni.verbs.RdmaCmId;
import com.ibm.disni.verbs.RdmaEventChannel;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.pluribus.transport.udp.Endpoint;

/**
 * This node's RDMA device: a listener at its address, and the protection domain to which everything
 * belongs that peers can reach. That is guest RAM and nothing else.
 */
final class VerbsDevice {
  private static final int BACKLOG = 256;

  /** Peers write pages; they never read, so they can't. */
  private static final int RAM_ACCESS =
      IbvMr.IBV_ACCESS_LOCAL_WRITE | IbvMr.IBV_ACCESS_REMOTE_WRITE;

  final RdmaEventChannel events;
  final RdmaCmId listener;
  final IbvPd domain;
  final CompletionChannels channels;
  private final List<IbvMr> regions = new ArrayList<>();
  private Slabs localKeys = Slabs.NONE;
  private Slabs remoteKeys = Slabs.NONE;

  private VerbsDevice(
      RdmaEventChannel events, RdmaCmId listener, IbvPd domain, CompletionChannels channels) {
    this.events = events;
    this.listener = listener;
    this.domain = domain;
    this.channels = channels;
  }

  /**
   * Listens at an address, which must belong to an RDMA device.
   *
   * @param pairs most queue pairs at a time, as far as can be foreseen
   */
  static VerbsDevice listen(Endpoint endpoint, int pairs) throws IOException {
    VerbsLibrary.load();
    InetSocketAddress address = address(endpoint);
    if (address == null) {
      throw new IOException("nobody knows that host name; correct it");
    }
    RdmaEventChannel events = RdmaEventChannel.createEventChannel();
    RdmaCmId listener = events.createId(RdmaCm.RDMA_PS_TCP);
    try {
      listener.bindAddr(address);
      listener.listen(BACKLOG);
      IbvContext device = listener.getVerbs();
      if (device == null) {
        throw new IOException("no RDMA device has that address; give that of one (rdma link)");
      }
      return new VerbsDevice(
          events, listener, device.allocPd(), new CompletionChannels(device, pairs));
    } catch (IOException e) {
      listener.destroyId();
      events.destroyEventChannel();
      throw e;
    }
  }

  static @Nullable InetSocketAddress address(Endpoint endpoint) {
    InetSocketAddress address = new InetSocketAddress(endpoint.host(), endpoint.port());
    InetAddress resolved = address.getAddress();
    return resolved == null ? null : address;
  }

  /** Registers guest RAM, slab by slab. It stays in memory until {@link #close}. */
  void register(long base, long bytes) throws IOException {
    if (bytes > Slabs.MAX_SLABS * Slabs.SLAB_BYTES) {
      throw new IOException("guest RAM of " + bytes + " bytes is more than 1 TiB");
    }
    int[] local = new int[Slabs.count(bytes)];
    int[] remote = new int[local.length];
    for (int slab = 0; slab < local.length; slab++) {
      IbvMr region =
          domain
              .regMr(base + slab * Slabs.SLAB_BYTES, Slabs.length(bytes, slab), RAM_ACCESS)
              .execute()
              .getMr();
      regions.add(region);
      local[slab] = region.getLkey();
      remote[slab] = region.getRkey();
    }
    localKeys = new Slabs(base, bytes, local);
    remoteKeys = new Slabs(base, bytes, remote);
  }

  /** Guest RAM as we name it to our device. */
  Slabs localKeys() {
    return localKeys;
  }

  /** Guest RAM as peers name it. */
  Slabs remoteKeys() {
    return remoteKeys;
  }

  /** The queue pairs must be gone. */
  void close() throws IOException {
    channels.close();
    for (IbvMr region : regions) {
      region.deregMr().execute().free();
    }
    try {
      domain.deallocPd();
    } catch (IOException e) {
      throw e;
    } catch (Exception e) {
      throw new IOException(e); // declared by DiSNI, thrown by nothing
    }
    listener.destroyId();
    events.destroyEventChannel();
  }
}
