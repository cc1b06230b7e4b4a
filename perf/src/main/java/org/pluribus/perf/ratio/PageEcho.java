package org.pluribus.perf.ratio;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import org.pluribus.coherence.CoherenceMessage;
import org.pluribus.coherence.MessageType;
import org.pluribus.hw.HostProfile;
import org.pluribus.posix.Mapping;
import org.pluribus.transport.PagePayload;
import org.pluribus.transport.Transport;
import org.pluribus.vmm.memory.GuestMemory;

/**
 * The round trip of a page request over the transport, with nothing behind it: node 0 sends GetM,
 * node 1 answers at once with Data and 4 KiB, node 0 copies them. Both look for messages all the
 * time and give the core away between two looks, as a node does while it waits for a page.
 *
 * <p>Arguments: round trips in a round, this node's id, the {@link Network}'s.
 */
public final class PageEcho extends Peers {
  private static final int FIXED_ARGUMENTS = 2;

  /** As many pages as take turns; more would only be others of the cache's lines. */
  private static final int PAGES = 64;

  private static final int POLL_LIMIT = 64;

  private final int self;
  private final Transport transport;
  private final Mapping ram =
      Mapping.anonymous(
          (long) PAGES * GuestMemory.PAGE_SIZE, Mapping.PROT_READ | Mapping.PROT_WRITE);
  private final CoherenceMessage answer = new CoherenceMessage();
  private long answered;

  private PageEcho(int self, Network network) {
    this.self = self;
    transport = network.transport(self, PAGES, HostProfile.load(FaultRatio.PROFILE));
  }

  /** One end. */
  public static void main(String[] args) throws IOException {
    List<String> network = Arrays.asList(args).subList(FIXED_ARGUMENTS, args.length);
    PageEcho echo = new PageEcho(Integer.parseInt(args[1]), Network.of(network));
    echo.transport.connect(echo, Network.CONNECT_TIMEOUT);
    if (echo.self == 0) {
      echo.ask(Long.parseLong(args[0]));
    } else {
      echo.serve();
    }
    echo.transport.close();
  }

  private void ask(long count) throws IOException {
    BufferedReader in =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.US_ASCII));
    roundTrips(1);
    System.out.println("ready");
    while (in.readLine() != null) {
      System.out.println(roundTrips(count));
      if (lost() != null) {
        throw new IllegalStateException(lost());
      }
    }
  }

  private long roundTrips(long count) {
    CoherenceMessage request = new CoherenceMessage();
    long start = System.nanoTime();
    for (long i = 0; i < count && lost() == null; i++) {
      long before = answered;
      request.set(MessageType.GET_M, i % PAGES, self, 1, self, 0, 0, 0);
      transport.channel(1).sendCoherence(request, 0);
      while (answered == before && lost() == null) {
        poll();
      }
    }
    return System.nanoTime() - start;
  }

  /** Answers until our input ends, which a thread of its own waits for. */
  private void serve() {
    Thread input = Thread.ofPlatform().daemon().start(PageEcho::awaitEndOfInput);
    System.out.println("ready");
    while (input.isAlive() && lost() == null) {
      poll();
    }
  }

  private static void awaitEndOfInput() {
    try {
      while (System.in.read() >= 0) {
        // Nobody has anything to tell us but the end.
      }
    } catch (IOException e) {
      // That is an end, too.
    }
  }

  private void poll() {
    if (transport.poll(POLL_LIMIT) == 0) {
      Thread.yield();
    }
  }

  @Override
  public void onCoherence(int from, CoherenceMessage message, PagePayload payload) {
    long address = ram.address() + message.page * GuestMemory.PAGE_SIZE;
    if (message.type == MessageType.DATA) {
      payload.copyTo(address);
      answered++;
      return;
    }
    answer.set(MessageType.DATA, message.page, self, from, from, 0, 1, CoherenceMessage.EXCLUSIVE);
    transport.channel(from).sendCoherence(answer, address);
  }
}
