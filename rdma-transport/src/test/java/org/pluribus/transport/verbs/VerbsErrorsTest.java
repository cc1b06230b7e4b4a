package org.pluribus.transport.verbs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import com.ibm.disni.util.MemoryUtils;
import com.ibm.disni.verbs.RdmaCm;
import com.ibm.disni.verbs.RdmaCmId;
import com.ibm.disni.verbs.RdmaEventChannel;
import java.io.File;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * That calls which must fail say which verb failed and why. Most of it on hosts without a device,
 * by structures of the libraries (infiniband/verbs.h, rdma/rdma_cma.h) made up as far as our code
 * and the kernel look at them.
 */
class VerbsErrorsTest {
  /** More than any of the structures takes. */
  private static final int STRUCTURE_BYTES = 1024;

  /** ibv_comp_channel: the device's address, then the file descriptor. */
  private static final int COMPLETION_CHANNEL_FD = 8;

  /** Larger than any process may have open here (fs.nr_open). */
  private static final int CLOSED_FD = Integer.MAX_VALUE;

  /** poll(2) ignores it: nothing ever comes. */
  private static final int SILENT_FD = -1;

  /** An address of the block for documentation (RFC 5737): nobody has it, no route leads there. */
  private static final InetSocketAddress NOWHERE = new InetSocketAddress("192.0.2.1", 4791);

  private final ByteBuffer structure =
      ByteBuffer.allocateDirect(STRUCTURE_BYTES).order(ByteOrder.nativeOrder());
  private final ByteBuffer answer =
      ByteBuffer.allocateDirect(STRUCTURE_BYTES).order(ByteOrder.nativeOrder());

  @SuppressWarnings("NullAway.Init")
  private Object dispatcher;

  @BeforeEach
  void load() throws Exception {
    dispatcher = BuiltLibrary.dispatcher();
  }

  @Test
  void withoutADeviceThereIsNoChannelAndWithOneNoAddressOfOthers() throws Exception {
    String[] devices = new File("/sys/class/infiniband").list();
    if (devices == null || devices.length == 0) {
      assertThat(catchThrowable(RdmaEventChannel::createEventChannel))
          .isInstanceOf(IOException.class)
          .hasMessage(
              "rdma_create_event_channel failed: No such device (ENODEV, errno 19); is there an"
                  + " RDMA device, and is the module rdma_ucm loaded?");
      return;
    }
    RdmaEventChannel channel = RdmaEventChannel.createEventChannel();
    RdmaCmId id = channel.createId(RdmaCm.RDMA_PS_TCP);
    assertThat(catchThrowable(() -> id.bindAddr(NOWHERE)))
        .isInstanceOf(IOException.class)
        .hasMessageMatching("rdma_bind_addr failed: .+ \\(E[A-Z]+, errno \\d+\\)");
    id.destroyId();
    channel.destroyEventChannel();
  }

  @Test
  void anEventThatNeverComesIsTooLate() throws Throwable {
    structure.putInt(0, SILENT_FD);
    long places = address(answer);
    assertThat(call("_getCmEvent", address(structure), places, places + 8, 0)).isEqualTo(-1);
    assertThat(call("_getCmEvent", address(structure), places, places + 8, 20)).isEqualTo(-1);
    structure.putInt(COMPLETION_CHANNEL_FD, SILENT_FD);
    assertThat(call("_getCqEvent", address(structure), 0)).isEqualTo(-1);
    assertThat(call("_getCqEvent", address(structure), 20)).isEqualTo(-1);
  }

  @Test
  void aChannelThatIsGoneIsNoReasonToWait() {
    structure.putInt(0, CLOSED_FD);
    long places = address(answer);
    assertThat(failure("_getCmEvent", address(structure), places, places + 8, -1))
        .isEqualTo("rdma_get_cm_event failed: Bad file descriptor (EBADF, errno 9)");
    structure.putInt(COMPLETION_CHANNEL_FD, CLOSED_FD);
    assertThat(failure("_getCqEvent", address(structure), -1))
        .isEqualTo("ibv_get_cq_event failed: Bad file descriptor (EBADF, errno 9)");
  }

  @Test
  void anIdentifierWithoutAnAddressSaysSo() throws Throwable {
    assertThat(failure("_getSrcAddr", address(structure), address(answer)))
        .isEqualTo(
            "rdma_get_local_addr failed: Cannot assign requested address (EADDRNOTAVAIL, errno 99);"
                + " the identifier has no IPv4 address");
    assertThat(failure("_getDstAddr", address(structure), address(answer)))
        .startsWith("rdma_get_peer_addr failed: ");
    // It may get a device later, so having none is no failure.
    assertThat(call("_getContext", address(structure))).isEqualTo(-1L);
  }

  @Test
  void whatAnIdentifierLacksIsNotFollowed() {
    assertThat(catchThrowable(() -> call("_destroyQP", address(structure))))
        .isInstanceOf(NullPointerException.class)
        .hasMessage("rdma_destroy_qp: the identifier's queue pair is null");
    assertThat(catchThrowable(() -> call("_createQP", address(structure), 8, 8, 8)))
        .isInstanceOf(NullPointerException.class)
        .hasMessage("rdma_create_qp: the identifier's device (no address is resolved) is null");
  }

  private static long address(ByteBuffer buffer) {
    return MemoryUtils.getAddress(buffer);
  }

  private Object call(String name, long... arguments) throws Throwable {
    return BuiltLibrary.call(dispatcher, name, arguments);
  }

  private String failure(String name, long... arguments) {
    Throwable thrown = catchThrowable(() -> call(name, arguments));
    assertThat(thrown).isInstanceOf(IOException.class);
    return String.valueOf(thrown.getMessage());
  }
}
