package org.pluribus.vmm.control;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.locks.LockSupport;
import java.util.function.IntPredicate;
import org.jspecify.annotations.Nullable;
import org.pluribus.transport.LifecycleKind;
import org.pluribus.transport.TransportException;
import org.pluribus.transport.wire.FramedTransport;

/**
 * How the nodes of a machine come to one transport: RDMA if it works between all of them, else
 * Aeron, over which they talk about it.
 *
 * <pre>
 *   all to node 0:  ABLE, or UNABLE and why              has it a device?
 *   node 0 to all:  TRY, if all are able
 *   all to node 0:  UP, or DOWN and why                  is it connected with every other by RDMA?
 *   node 0 to all:  TAKE_RDMA if all are up, else TAKE_AERON and why
 * </pre>
 *
 * <p>Node 0 alone decides, once, and nobody uses a transport before it has heard the decision or
 * made it. So no two nodes go on with different ones, whatever is lost: who doesn't hear the
 * decision, because node 0 or the way to it is lost, fails, and the others then miss it. Silence in
 * a vote counts as no.
 *
 * <p>Only control lanes are listened to, a message at a time, and of a node only until its last
 * word has come. What it says after that is for the handler that the transport gets next.
 */
final class TransportChoice {
  /** What nodes say to each other. Ordinals are codes on the wire. */
  enum Word {
    ABLE,
    UNABLE,
    TRY,
    UP,
    DOWN,
    TAKE_RDMA,
    TAKE_AERON
  }

  /** RDMA, as this node has it. */
  interface Rdma {
    /** Why this node can't use it, said of the node ("has no RDMA device"); null if it may. */
    @Nullable String obstacle();

    /** This node's device, for people. */
    String device();

    /** A transport that is not open yet. */
    FramedTransport create();

    /** Undoes what the transport did besides; it is closed. */
    void forget();
  }

  /**
   * What all nodes have come to.
   *
   * @param transport has met its peers; still to be connected
   * @param reason one line for people
   */
  record Choice(FramedTransport transport, boolean isRdma, String reason) {}

  /** How long to sleep between looks. */
  private static final long LOOK_PAUSE_NANOS = 200_000;

  /** How much longer node 0 waits for a word than the others take to come to it. */
  private static final Duration GRACE = Duration.ofSeconds(5);

  /** How long it may take to close RDMA again: all of guest RAM may have to be released. */
  private static final Duration RELEASE_LIMIT = Duration.ofSeconds(60);

  private final int self;
  private final List<String> names;
  private final FramedTransport aeron;
  private final Rdma rdma;
  private final Duration bound;
  private final Queue<TransportEars.Said> said = new ArrayDeque<>();
  private final TransportEars ears = new TransportEars(said);
  private @Nullable Attempt attempt;

  /**
   * A choice to be made.
   *
   * @param names how people know the nodes, by id
   * @param aeron not connected yet
   * @param bound how long connecting by RDMA may take
   */
  TransportChoice(int self, List<String> names, FramedTransport aeron, Rdma rdma, Duration bound) {
    this.self = self;
    this.names = names;
    this.aeron = aeron;
    this.rdma = rdma;
    this.bound = bound;
  }

  /**
   * Meets the peers by Aeron and chooses with them; closes what was not chosen.
   *
   * @param timeout how long to wait for peers
   * @throws TransportException if a peer is missing or lost, or this node can't follow the others;
   *     both transports are closed then
   */
  Choice choose(Duration timeout) {
    aeron.meet(ears, timeout);
    try {
      return self == 0 ? lead(timeout) : follow(timeout);
    } catch (RuntimeException failed) {
      Attempt tried = attempt;
      if (tried != null) {
        tried.transport.abandon("the choice of a transport failed");
      }
      sayAll(LifecycleKind.STOP, Outcome.NODE_FAILURE, String.valueOf(failed.getMessage()));
      aeron.close();
      throw failed;
    }
  }

  private Choice lead(Duration timeout) {
    Ballot able = new Ballot(names);
    able.vote(self, rdma.obstacle());
    collect(able, Word.ABLE, Word.UNABLE, timeout);
    String objection =
        able.objection("did not say in " + timeout.toSeconds() + " s whether it can use RDMA");
    if (objection == null) {
      tellAll(Word.TRY, "");
      attempt = new Attempt(rdma.create(), ears, bound);
      Duration patience = bound.plus(GRACE);
      Ballot up = new Ballot(names);
      collect(up, Word.UP, Word.DOWN, patience);
      objection =
          up.objection("did not say in " + patience.toSeconds() + " s whether RDMA connects it");
    }
    Attempt tried = attempt;
    if (objection == null && tried != null) {
      tellAll(Word.TAKE_RDMA, "");
      return takeRdma(tried);
    }
    String reason = String.valueOf(objection);
    tellAll(Word.TAKE_AERON, reason);
    return takeAeron(reason);
  }

  /** Waits for all votes; once RDMA is being tried, also for ours, and not after a no. */
  private void collect(Ballot ballot, Word yes, Word no, Duration limit) {
    Attempt tried = attempt;
    long start = System.nanoTime();
    while (!ballot.isComplete() && System.nanoTime() - start < limit.toNanos()) {
      if (tried != null && tried.isDone()) {
        ballot.vote(self, tried.objection(self));
      }
      if (tried != null && ballot.isLost()) {
        return;
      }
      listen(ballot::awaits);
      TransportEars.Said next = said.poll();
      while (next != null) {
        if (next.word() != yes && next.word() != no) {
          throw unexpected(next);
        }
        ballot.vote(next.from(), next.word() == no ? next.text() : null);
        next = said.poll();
      }
    }
  }

  private Choice follow(Duration timeout) {
    String obstacle = rdma.obstacle();
    tell(0, obstacle == null ? Word.ABLE : Word.UNABLE, obstacle == null ? "" : obstacle);
    boolean reported = false;
    Duration limit = timeout.multipliedBy(2).plus(bound).plus(GRACE);
    long start = System.nanoTime();
    while (System.nanoTime() - start < limit.toNanos()) {
      Attempt tried = attempt;
      if (tried != null && !reported && tried.isDone()) {
        reported = true;
        String objection = tried.objection(self);
        tell(0, objection == null ? Word.UP : Word.DOWN, objection == null ? "" : objection);
      }
      listen(peer -> peer == 0);
      TransportEars.Said order = said.poll();
      if (order == null) {
        continue;
      }
      switch (order.word()) {
        case TRY -> {
          if (tried != null || obstacle != null) {
            throw unexpected(order);
          }
          attempt = new Attempt(rdma.create(), ears, bound);
        }
        case TAKE_AERON -> {
          return takeAeron(order.text());
        }
        case TAKE_RDMA -> {
          if (tried == null || !tried.isDone() || tried.objection(self) != null) {
            throw new TransportException(
                names.get(self) + " can't follow " + names.get(0) + " to RDMA: it isn't connected");
          }
          return takeRdma(tried);
        }
        default -> throw unexpected(order);
      }
    }
    throw new TransportException(
        names.get(0) + " did not say in " + limit.toSeconds() + " s which transport to take");
  }

  private Choice takeRdma(Attempt connected) {
    sayAll(LifecycleKind.BYE, 0, "");
    aeron.close();
    return new Choice(
        connected.transport,
        true,
        "all nodes are connected by their RDMA devices, this one by " + rdma.device());
  }

  private Choice takeAeron(String reason) {
    Attempt tried = attempt;
    if (tried != null) {
      FutureTask<Void> closing = tried.close();
      long start = System.nanoTime();
      while (!closing.isDone()) {
        if (System.nanoTime() - start > RELEASE_LIMIT.toNanos()) {
          throw new TransportException(
              names.get(self) + " can't close its RDMA device again; restart its host");
        }
        listen(peer -> false); // for signs of life
      }
      rdma.forget();
    }
    return new Choice(aeron, false, reason);
  }

  // ---- talking

  private void listen(IntPredicate peers) {
    aeron.listen(peers);
    String failure = ears.failure();
    if (failure != null) {
      throw new TransportException(failure);
    }
    LockSupport.parkNanos(LOOK_PAUSE_NANOS);
  }

  private void tellAll(Word word, String text) {
    sayAll(LifecycleKind.TRANSPORT, word.ordinal(), text);
  }

  private void sayAll(LifecycleKind kind, int code, String text) {
    for (int peer = 0; peer < names.size(); peer++) {
      if (peer != self) {
        aeron.channel(peer).sendLifecycle(kind, code, text);
      }
    }
  }

  private void tell(int peer, Word word, String text) {
    aeron.channel(peer).sendLifecycle(LifecycleKind.TRANSPORT, word.ordinal(), text);
  }

  private TransportException unexpected(TransportEars.Said what) {
    return new TransportException(
        "%s said %s out of turn while the transport was chosen: run the same release on all nodes"
            .formatted(names.get(what.from()), what.word()));
  }

  /**
   * Connecting by RDMA, on a thread of its own: it takes long to register guest RAM, and meanwhile
   * the peers want to hear from us by Aeron.
   */
  private static final class Attempt {
    final FramedTransport transport;
    private final FutureTask<Void> connecting;

    Attempt(FramedTransport transport, TransportEars ears, Duration bound) {
      this.transport = transport;
      connecting = new FutureTask<>(() -> transport.meet(ears, bound), null);
      start(connecting, "rdma-connect");
    }

    boolean isDone() {
      return connecting.isDone();
    }

    /** Why it failed, said of this node; null if it is connected. Once it is done. */
    @Nullable String objection(int self) {
      try {
        connecting.get();
        return null;
      } catch (ExecutionException e) {
        String why = String.valueOf(e.getCause() == null ? e : e.getCause().getMessage());
        return "can't connect by RDMA: " + why.replaceFirst("^node " + self + "[: ]+", "");
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return "was interrupted";
      }
    }

    /** Gives up; done when all is closed. */
    FutureTask<Void> close() {
      transport.abandon("Aeron was taken");
      FutureTask<Void> closing =
          new FutureTask<>(() -> {
            try {
              connecting.get();
            } catch (ExecutionException e) {
              // what it was no longer matters
            } finally {
              transport.close();
            }
            return null;
          });
      start(closing, "rdma-close");
      return closing;
    }

    private static void start(FutureTask<Void> task, String name) {
      Thread thread = new Thread(task, name);
      thread.setDaemon(true);
      thread.start();
    }
  }
}
