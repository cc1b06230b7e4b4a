package org.pluribus.transport.verbs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import com.ibm.disni.util.NativeAffinity;
import com.ibm.disni.verbs.IbvWC;
import com.ibm.disni.verbs.RdmaCmEvent;
import com.ibm.disni.verbs.RdmaVerbs;
import com.ibm.disni.verbs.impl.NatIbvRecvWR;
import com.ibm.disni.verbs.impl.NatIbvSendWR;
import com.ibm.disni.verbs.impl.NatIbvSge;
import java.io.IOException;
import java.lang.reflect.Method;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * That the library fits DiSNI's classes: names, argument types, layouts; that nulls don't crash.
 */
class NativeMethodsTest {
  /** Methods that only tell a number about the library: all others take an object or make one. */
  private static final Map<String, Integer> NUMBERS =
      Map.of(
          "_getVersion", 32,
          "_getSockAddrInSize", 16,
          "_getIbvSendWRSize", 128,
          "_getIbvRecvWRSize", 32,
          "_getIbvSgeSize", 16,
          "_getIbvWCSize", 48,
          "_getRemoteAddressOffset", 40,
          "_getRKeyOffset", 48);

  /** Need no object: Java passes an event's type; a channel comes from nothing. */
  private static final Set<String> WITHOUT_OBJECT = Set.of("_ackCmEvent", "_createEventChannel");

  /** Type letters of JNI names (JNI specification, "Type Signatures"). */
  private static final Map<String, String> LETTERS =
      Map.of("long", "J", "int", "I", "short", "S", "byte", "B");

  @Test
  void everyNativeMethodIsExportedUnderTheNameOfItsSignatureAndNothingElse() throws Exception {
    Path library = BuiltLibrary.file();
    List<Method> methods = new ArrayList<>(BuiltLibrary.nativeMethods(BuiltLibrary.DISPATCHER));
    methods.addAll(BuiltLibrary.nativeMethods(BuiltLibrary.AFFINITY));
    assertThat(methods).hasSize(48 + 2);
    assertThat(exports(library))
        .containsExactlyInAnyOrderElementsOf(
            methods.stream().map(NativeMethodsTest::exportedName).toList());
  }

  private static List<String> exports(Path library) throws Exception {
    Process nm =
        new ProcessBuilder("nm", "-D", "--defined-only", "--format=posix", library.toString())
            .redirectErrorStream(true)
            .start();
    String out = new String(nm.getInputStream().readAllBytes());
    assertThat(nm.waitFor()).as(out).isZero();
    return out.lines().map(line -> line.split(" ")[0]).toList();
  }

  private static String exportedName(Method method) {
    String types =
        Stream.of(method.getParameterTypes())
            .map(type -> LETTERS.get(type.getName()))
            .collect(Collectors.joining());
    return "Java_%s_%s__%s"
        .formatted(escaped(method.getDeclaringClass().getName()), escaped(method.getName()), types);
  }

  private static String escaped(String name) {
    return name.replace("_", "_1").replace('.', '_');
  }

  @Test
  void versionAndLayoutsAreTheOnesOfDisnisClasses() throws Throwable {
    Object dispatcher = BuiltLibrary.dispatcher();
    assertThat(RdmaVerbs.getVersion()).isEqualTo(32);
    for (Map.Entry<String, Integer> number : NUMBERS.entrySet()) {
      assertThat(BuiltLibrary.call(dispatcher, number.getKey()))
          .as(number.getKey())
          .isEqualTo(number.getValue());
    }
    // DiSNI has replaced its own ideas by them.
    assertThat(NatIbvSendWR.CSIZE).isEqualTo(128);
    assertThat(NatIbvRecvWR.CSIZE).isEqualTo(32);
    assertThat(NatIbvSge.CSIZE).isEqualTo(16);
    assertThat(IbvWC.CSIZE).isEqualTo(48);
    assertThat(NatIbvSendWR.REMOTEADDR_OFFSET).isEqualTo(40);
    assertThat(NatIbvSendWR.RKEY_OFFSET).isEqualTo(48);
  }

  @Test
  void nullsAreNamedInsteadOfFollowed() throws Exception {
    Object dispatcher = BuiltLibrary.dispatcher();
    for (Method method : BuiltLibrary.nativeMethods(BuiltLibrary.DISPATCHER)) {
      String name = method.getName();
      if (NUMBERS.containsKey(name) || WITHOUT_OBJECT.contains(name)) {
        continue;
      }
      assertThat(catchThrowable(() -> BuiltLibrary.call(dispatcher, name)))
          .as(name)
          .isInstanceOf(NullPointerException.class)
          .hasMessageMatching("(ibv|rdma)_[a-z_.]+: the .+ is null");
    }
  }

  @Test
  void laterNullsAreNamedToo() throws Exception {
    Object dispatcher = BuiltLibrary.dispatcher();
    // Never followed: the null after it is found first.
    long somewhere = 8;
    Map<String, String> secondNulls =
        Map.ofEntries(
            Map.entry("_postSend", "ibv_post_send: the request is null"),
            Map.entry("_postRecv", "ibv_post_recv: the request is null"),
            Map.entry("_pollCQ", "ibv_poll_cq: the place for completions is null"),
            Map.entry("_regMr", "ibv_reg_mr: the memory is null"),
            Map.entry("_expPrefetchMr", "ibv_advise_mr: the memory is null"),
            Map.entry("_modifyQP", "ibv_modify_qp: the set of attributes is null"),
            Map.entry("_createQP", "rdma_create_qp: the protection domain is null"),
            Map.entry("_bindAddr", "rdma_bind_addr: the address is null"),
            Map.entry("_resolveAddr", "rdma_resolve_addr: the destination is null"),
            Map.entry("_getCmEvent", "rdma_get_cm_event: the place for the listener is null"),
            Map.entry("_getSrcAddr", "rdma_get_local_addr: the place for the address is null"),
            Map.entry("_getDstAddr", "rdma_get_peer_addr: the place for the address is null"));
    secondNulls.forEach((name, message) ->
        assertThat(catchThrowable(() -> BuiltLibrary.call(dispatcher, name, somewhere)))
            .as(name)
            .isInstanceOf(NullPointerException.class)
            .hasMessage(message));
  }

  @Test
  void numbersOutOfRangeAreNamed() throws Exception {
    Object dispatcher = BuiltLibrary.dispatcher();
    long somewhere = 8;
    assertThat(catchThrowable(() -> BuiltLibrary.call(dispatcher, "_connect", somewhere, 8)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("rdma_connect: the retry count is 8, not from 0 to 7");
    assertThat(catchThrowable(() -> BuiltLibrary.call(dispatcher, "_accept", somewhere, 7, -1)))
        .hasMessageEndingWith("that is not ready is -1, not from 0 to 7");
    assertThat(
            catchThrowable(() -> BuiltLibrary.call(dispatcher, "_connect", somewhere, 1, 1, 0, 5)))
        .hasMessage("rdma_connect: the private data is null");
    assertThat(
            catchThrowable(
                () -> BuiltLibrary.call(dispatcher, "_pollCQ", somewhere, -1, somewhere)))
        .hasMessage("ibv_poll_cq: the number of completions is -1, not from 0 to 2147483647");
    assertThat(catchThrowable(() -> BuiltLibrary.call(dispatcher, "_ackCmEvent", 16)))
        .hasMessage("rdma_ack_cm_event: the event type is 16, not from 0 to 15");
    for (RdmaCmEvent.EventType type : RdmaCmEvent.EventType.values()) {
      assertThat(catchThrowable(() -> BuiltLibrary.call(dispatcher, "_ackCmEvent", type.ordinal())))
          .as(type.name())
          .isNull();
    }
  }

  @Test
  void affinityIsTheCallingThreadsOwn() throws Exception {
    BuiltLibrary.file();
    VerbsLibrary.load();
    long before = NativeAffinity.getAffinity();
    assertThat(before).isNotZero();
    long oneCpu = Long.lowestOneBit(before & Long.MAX_VALUE);
    long[] there = new long[1];
    Thread pinned =
        new Thread(() -> {
          NativeAffinity.setAffinity(oneCpu);
          there[0] = NativeAffinity.getAffinity();
        });
    pinned.start();
    pinned.join();
    assertThat(there[0]).isEqualTo(oneCpu);
    assertThat(NativeAffinity.getAffinity()).isEqualTo(before);
  }

  @Test
  void affinityToCpusThatDontExistIsRefused() throws Exception {
    BuiltLibrary.file();
    VerbsLibrary.load();
    int cpu = 62;
    org.junit.jupiter.api.Assumptions.assumeTrue(
        Runtime.getRuntime().availableProcessors() < cpu, "this host has a CPU " + cpu);
    assertThat(catchThrowable(() -> NativeAffinity.setAffinity(1L << cpu)))
        .hasMessageContaining("sched_setaffinity failed: Invalid argument (EINVAL, errno 22)")
        .hasCauseInstanceOf(IOException.class);
  }
}
