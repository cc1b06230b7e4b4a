package org.pluribus.vmm.control;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.pluribus.transport.LifecycleKind;
import org.pluribus.transport.NodeIdentity;
import org.pluribus.transport.TransportException;
import org.pluribus.transport.TransportLimits;
import org.pluribus.transport.VmKey;
import org.pluribus.transport.loopback.LoopbackCluster;
import org.pluribus.transport.loopback.LoopbackTransport;
import org.pluribus.transport.wire.FramedTransport;
import org.pluribus.vmm.control.TransportChoice.Choice;
import org.pluribus.vmm.control.TransportChoice.Word;

/** Nodes as threads; both transports are loopback ones, each with a cluster of its own. */
@Timeout(120)
class TransportChoiceTest {
  private static final Duration LONG = Duration.ofSeconds(60);
  private static final Duration SHORT = Duration.ofMillis(300);
  private static final long PAGES = 16;

  private final VmKey key = VmKey.random();
  private final ExecutorService threads = Executors.newCachedThreadPool();

  @AfterEach
  void end() {
    threads.shutdownNow();
  }

  // ---- whole machines

  @ParameterizedTest
  @ValueSource(ints = {2, 3, 4})
  void rdmaIsTakenIfAllHaveADevice(int nodes) throws Exception {
    for (int able = 0; able < 1 << nodes; able++) {
      Machine machine = new Machine(nodes);
      for (int i = 0; i < nodes; i++) {
        machine.rdmas.get(i).obstacle = (able >> i & 1) == 1 ? null : "has no RDMA device";
      }
      List<Choice> choices = machine.choose(LONG);
      boolean all = able == (1 << nodes) - 1;
      machine.check(choices, all, all ? 1 : 0);
      if (!all) {
        int first = Integer.numberOfTrailingZeros(~able);
        assertThat(choices)
            .allSatisfy(
                c -> assertThat(c.reason()).startsWith("n" + first + " has no RDMA device"));
      }
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 3, 4})
  void rdmaIsTakenIfAllAreConnected(int nodes) throws Exception {
    for (int down = 0; down < 1 << nodes; down++) {
      Machine machine = new Machine(nodes);
      for (int i = 0; i < nodes; i++) {
        if ((down >> i & 1) == 1) {
          machine.spoilRdma(i);
        }
      }
      List<Choice> choices = machine.choose(LONG);
      machine.check(choices, down == 0, 1);
      if (down != 0) {
        assertThat(choices)
            .allSatisfy(c -> assertThat(c.reason()).contains(" can't connect by RDMA: "));
      }
    }
  }

  @Test
  void aNodeThatRdmaDoesNotReachInTimeKeepsAllFromIt() throws Exception {
    Machine machine = new Machine(3);
    machine.rdmas.get(2).fabric = new LoopbackCluster(3);
    List<Choice> choices = machine.choose(SHORT);
    machine.check(choices, false, 1);
    assertThat(choices)
        .allSatisfy(c -> assertThat(c.reason()).contains("no answer from ").contains("300 ms"));
  }

  // ---- node 0 with a follower that the test plays

  @Test
  void whoDoesNotVoteKeepsAllFromRdma() throws Exception {
    Machine machine = new Machine(2);
    Future<Choice> zero = machine.start(0, LONG, Duration.ofSeconds(3));
    Player one = new Player(machine, 1);
    assertThat(one.hears(0)).startsWith(Word.TAKE_AERON + " n1 did not say in 3 s");
    assertThat(zero.get().isRdma()).isFalse();
    // A vote that comes late disturbs nobody.
    one.say(0, Word.ABLE, "");
    Heard later = new Heard();
    zero.get().transport().connect(later, LONG);
    one.transport.channel(0).sendLifecycle(LifecycleKind.READY, 0, "");
    poll(zero.get().transport(), () -> later.events.size() == 2);
    assertThat(later.events).containsExactly("1 TRANSPORT 0 ", "1 READY 0 ");
  }

  @Test
  void whoLeavesEndsTheChoiceOnAllNodes() {
    Machine machine = new Machine(3);
    Future<Choice> zero = machine.start(0, LONG, LONG);
    Future<Choice> two = machine.start(2, LONG, LONG);
    new Player(machine, 1).transport.close();
    String why = "node 1 was lost while the transport was chosen: node 1 closed its channels";
    assertFails(zero, why);
    assertFails(two, why);
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 5, 77, -1})
  void aFollowerThatTalksNonsenseEndsTheChoice(int word) {
    Machine machine = new Machine(2);
    Future<Choice> zero = machine.start(0, LONG, LONG);
    Player one = new Player(machine, 1);
    one.transport.channel(0).sendLifecycle(LifecycleKind.TRANSPORT, word, "");
    assertFails(zero, "run the same release on all nodes");
  }

  // ---- a follower with a node 0 that the test plays

  @Test
  void aFollowerThatIsNotConnectedCannotFollowToRdma() {
    Machine machine = new Machine(2);
    Future<Choice> one = machine.start(1, LONG, LONG);
    Player zero = new Player(machine, 0);
    assertThat(zero.hears(1)).isEqualTo("ABLE ");
    zero.say(1, Word.TRY, "");
    zero.say(1, Word.TAKE_RDMA, "");
    assertFails(one, "n1 can't follow n0 to RDMA: it isn't connected");
  }

  @Test
  void aFollowerTriesRdmaOnceAndOnlyIfItIsAble() {
    Machine machine = new Machine(2);
    Future<Choice> one = machine.start(1, LONG, LONG);
    Player zero = new Player(machine, 0);
    zero.say(1, Word.TRY, "");
    zero.say(1, Word.TRY, "");
    assertFails(one, "n0 said TRY out of turn");
    machine = new Machine(2);
    machine.rdmas.get(1).obstacle = "has no RDMA device";
    one = machine.start(1, LONG, LONG);
    new Player(machine, 0).say(1, Word.TRY, "");
    assertFails(one, "n0 said TRY out of turn");
  }

  @Test
  void aFollowerDoesNotOutliveNodeZero() {
    Machine machine = new Machine(2);
    Future<Choice> one = machine.start(1, LONG, LONG);
    Player zero = new Player(machine, 0);
    assertThat(zero.hears(1)).isEqualTo("ABLE ");
    zero.say(1, Word.TRY, "");
    zero.transport.close();
    assertFails(one, "node 0 was lost while the transport was chosen: node 0 closed its channels");
  }

  @Test
  void aNodeZeroThatDecidesNothingIsNotWaitedForForEver() {
    Machine machine = new Machine(2);
    Future<Choice> one = machine.start(1, SHORT, Duration.ofSeconds(3));
    Player zero = new Player(machine, 0);
    assertThat(zero.hears(1)).isEqualTo("ABLE ");
    while (!one.isDone()) {
      zero.transport.listen(peer -> false); // it gives signs of life
      LockSupport.parkNanos(1_000_000);
    }
    assertFails(one, "n0 did not say in 11 s which transport to take");
  }

  @Test
  void whatFollowsTheDecisionIsForTheMachine() throws Exception {
    Machine machine = new Machine(2);
    machine.rdmas.get(1).obstacle = "has no RDMA device";
    Future<Choice> one = machine.start(1, LONG, LONG);
    Player zero = new Player(machine, 0);
    assertThat(zero.hears(1)).isEqualTo("UNABLE has no RDMA device");
    // Interrupts overtake everything; here they must not overtake the decision.
    zero.transport.channel(1).sendEoi(7);
    zero.say(1, Word.TAKE_AERON, "because");
    zero.transport.channel(1).sendLifecycle(LifecycleKind.START, 0, "");
    Choice choice = one.get();
    assertThat(choice.reason()).isEqualTo("because");
    Heard later = new Heard();
    choice.transport().connect(later, LONG);
    assertThat(later.events).isEmpty();
    poll(choice.transport(), () -> later.events.size() == 2);
    assertThat(later.events).containsExactly("0 EOI 7", "0 START 0 ");
  }

  // ---- what it takes

  private static void assertFails(Future<Choice> choice, String why) {
    assertThatThrownBy(choice::get)
        .isInstanceOf(ExecutionException.class)
        .cause()
        .isInstanceOf(TransportException.class)
        .hasMessageContaining(why)
        .message()
        .doesNotContain("\n");
  }

  private static void poll(FramedTransport transport, BooleanSupplier until) {
    while (!until.getAsBoolean()) {
      transport.poll(1);
      Thread.yield();
    }
  }

  private final class Machine {
    final int nodes;
    final LoopbackCluster aeron;
    final LoopbackCluster rdma;
    final List<FakeRdma> rdmas = new ArrayList<>();

    Machine(int nodes) {
      this.nodes = nodes;
      aeron = new LoopbackCluster(nodes);
      rdma = new LoopbackCluster(nodes);
      for (int i = 0; i < nodes; i++) {
        rdmas.add(new FakeRdma(this, i));
      }
    }

    FramedTransport transport(LoopbackCluster fabric, int node) {
      return LoopbackTransport.create(
          fabric, new NodeIdentity(node, nodes, PAGES, key, 7), TransportLimits.DEFAULT);
    }

    /** Takes a node's place in the RDMA network, so that the node itself gets none. */
    void spoilRdma(int node) {
      assertThatThrownBy(() -> transport(rdma, node).meet(new Heard(), Duration.ofMillis(1)))
          .isInstanceOf(TransportException.class);
    }

    Future<Choice> start(int node, Duration bound, Duration timeout) {
      List<String> names = IntStream.range(0, nodes).mapToObj(i -> "n" + i).toList();
      TransportChoice choice =
          new TransportChoice(node, names, transport(aeron, node), rdmas.get(node), bound);
      return threads.submit(() -> choice.choose(timeout));
    }

    List<Choice> choose(Duration bound) throws Exception {
      List<Future<Choice>> futures = new ArrayList<>();
      for (int i = 0; i < nodes; i++) {
        futures.add(start(i, bound, LONG));
      }
      List<Choice> choices = new ArrayList<>();
      for (Future<Choice> future : futures) {
        choices.add(future.get());
      }
      return choices;
    }

    /** All must have come to the same, and be able to talk to each other by it. */
    void check(List<Choice> choices, boolean byRdma, int tries) {
      assertThat(choices).extracting(Choice::isRdma).containsOnly(byRdma);
      assertThat(rdmas).extracting(r -> r.created.get()).allMatch(n -> n <= tries);
      for (int i = 0; i < nodes; i++) {
        FakeRdma own = rdmas.get(i);
        assertThat(own.forgotten.get()).isEqualTo(byRdma ? 0 : own.created.get());
      }
      List<Heard> heard = new ArrayList<>();
      for (Choice choice : choices) {
        Heard handler = new Heard();
        choice.transport().connect(handler, LONG);
        heard.add(handler);
      }
      for (int i = 0; i < nodes; i++) {
        for (int peer = 0; peer < nodes; peer++) {
          if (peer != i) {
            choices.get(i).transport().channel(peer).sendEoi(i);
          }
        }
      }
      for (int i = 0; i < nodes; i++) {
        int self = i;
        FramedTransport transport = choices.get(i).transport();
        poll(transport, () -> heard.get(self).count("EOI") == nodes - 1);
        assertThat(heard.get(i).losses).isEmpty();
      }
      for (Choice choice : choices) {
        choice.transport().close();
      }
    }
  }

  /** The other transport, as the test wants it. */
  private static final class FakeRdma implements TransportChoice.Rdma {
    final Machine machine;
    final int node;
    final AtomicInteger created = new AtomicInteger();
    final AtomicInteger forgotten = new AtomicInteger();
    volatile LoopbackCluster fabric;
    volatile @Nullable String obstacle;

    FakeRdma(Machine machine, int node) {
      this.machine = machine;
      this.node = node;
      fabric = machine.rdma;
    }

    @Override
    public @Nullable String obstacle() {
      return obstacle;
    }

    @Override
    public String device() {
      return "rxe" + node;
    }

    @Override
    public FramedTransport create() {
      created.incrementAndGet();
      return machine.transport(fabric, node);
    }

    @Override
    public void forget() {
      forgotten.incrementAndGet();
    }
  }

  /** A node that the test plays, on the choice's transport. */
  private static final class Player {
    final FramedTransport transport;
    private final Heard heard = new Heard();

    Player(Machine machine, int node) {
      transport = machine.transport(machine.aeron, node);
      transport.meet(heard, LONG);
    }

    void say(int to, Word word, String text) {
      transport.channel(to).sendLifecycle(LifecycleKind.TRANSPORT, word.ordinal(), text);
    }

    /** The next word of a peer. */
    String hears(int from) {
      int before = heard.events.size();
      while (heard.events.size() == before) {
        assertThat(heard.losses).isEmpty();
        transport.listen(peer -> peer == from);
        Thread.yield();
      }
      String[] event = heard.events.getLast().split(" ", 4);
      assertThat(event[1]).isEqualTo("TRANSPORT");
      return Word.values()[Integer.parseInt(event[2])] + " " + event[3];
    }
  }
}
