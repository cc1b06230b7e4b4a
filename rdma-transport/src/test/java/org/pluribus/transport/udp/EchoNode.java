package org.pluribus.transport.udp;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.pluribus.coherence.CoherenceMessage;
import org.pluribus.transport.Channel;
import org.pluribus.transport.LifecycleKind;
import org.pluribus.transport.NodeIdentity;
import org.pluribus.transport.PagePayload;
import org.pluribus.transport.RecordingHandler;
import org.pluribus.transport.Transport;
import org.pluribus.transport.TransportLimits;
import org.pluribus.transport.VmKey;

/** A process that is node 1 of 2 and sends back what node 0 sends, until that says bye. */
final class EchoNode {
  private static final int LIMIT = 64;
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  private EchoNode() {}

  /** Starts one; a folder is for Aeron's files, if it is not to choose itself. */
  static Process start(List<Endpoint> endpoints, VmKey key, @Nullable Path folder)
      throws IOException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(
        List.of(
            "--add-opens=java.base/jdk.internal.misc=ALL-UNNAMED",
            "-XX:+UseSerialGC",
            "-Xmx128m",
            "-cp",
            System.getProperty("java.class.path"),
            EchoNode.class.getName(),
            key.toHex()));
    endpoints.forEach(endpoint -> command.add(endpoint.toString()));
    if (folder != null) {
      command.add(folder.toString());
    }
    return new ProcessBuilder(command)
        .redirectOutput(ProcessBuilder.Redirect.DISCARD)
        .redirectError(ProcessBuilder.Redirect.INHERIT)
        .start();
  }

  /** The transport of either node. */
  static Transport transport(int node, AeronSettings settings, VmKey key, TransportLimits limits) {
    int nodes = settings.endpoints().size();
    NodeIdentity identity = new NodeIdentity(node, nodes, AeronPair.PAGES, key, AeronPair.PAGES);
    return AeronTransport.create(identity, limits, settings);
  }

  /** Key in hexadecimal, the endpoints of nodes 0 and 1, and perhaps a folder. */
  public static void main(String[] args) {
    AeronSettings settings =
        AeronSettings.of(List.of(Endpoint.parse(args[1]), Endpoint.parse(args[2])));
    if (args.length > 3) {
      settings = settings.withDirectory(Path.of(args[3]));
    }
    try (Transport transport =
        transport(1, settings, VmKey.ofHex(args[0]), TransportLimits.DEFAULT)) {
      Echo echo = new Echo(transport);
      transport.connect(echo, PATIENCE);
      while (!echo.done) {
        if (transport.poll(LIMIT) == 0) {
          Thread.yield();
        }
      }
      transport.channel(0).sendLifecycle(LifecycleKind.BYE, 0, "");
    }
  }

  private static final class Echo extends RecordingHandler {
    private final Transport transport;
    private final MemorySegment page = Arena.global().allocate(PagePayload.PAGE_BYTES, Long.BYTES);
    private boolean done;

    Echo(Transport transport) {
      this.transport = transport;
    }

    @Override
    public void onCoherence(int from, CoherenceMessage message, PagePayload payload) {
      if (payload.isEmpty()) {
        transport.channel(from).sendCoherence(message, Channel.NO_PAYLOAD);
      } else {
        payload.copyTo(page.address());
        transport.channel(from).sendCoherence(message, page.address());
      }
    }

    @Override
    public void onEoi(int from, int vector) {
      transport.channel(from).sendEoi(vector);
    }

    @Override
    public void onLifecycle(int from, LifecycleKind kind, int code, String text) {
      done |= kind == LifecycleKind.BYE;
    }

    @Override
    public void onPeerLost(int peer, String reason) {
      done = true;
    }
  }
}
