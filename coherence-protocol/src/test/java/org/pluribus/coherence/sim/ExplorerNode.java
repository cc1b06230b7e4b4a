package org.pluribus.coherence.sim;

import static org.pluribus.coherence.sim.ExplorerWorld.NONE;
import static org.pluribus.coherence.sim.ExplorerWorld.READ;
import static org.pluribus.coherence.sim.ExplorerWorld.WRITE;

import java.util.Arrays;
import org.pluribus.coherence.CacheController;
import org.pluribus.coherence.CacheEffects;
import org.pluribus.coherence.CoherenceCounters;
import org.pluribus.coherence.CoherenceMessage;
import org.pluribus.coherence.DirectoryController;
import org.pluribus.coherence.DirectoryEffects;
import org.pluribus.coherence.ProtocolError;
import org.pluribus.coherence.sim.ProtocolCells.Side;

/** A node of an {@link ExplorerWorld}: the shipped controllers, and the rights in force. */
final class ExplorerNode implements CacheEffects, DirectoryEffects {
  private static final int STAYS = -1;

  private final ExplorerWorld world;
  final int id;
  final CacheController cache;
  final DirectoryController directory;
  final int[] rights;

  /** Whether the mirror has the bytes of the last write. At first it has any bytes. */
  final boolean[] fresh;

  /** Rights left after the revoke or downgrade under way, or -1. */
  final int[] leavingTo;

  /** Whether the bytes that came with the message now handled are fresh. */
  boolean payloadFresh;

  /** Whether the home may fetch the page, as its holder wants to be rid of it. */
  final boolean[] offered;

  int evictionsLeft;

  /** Refusals are looked at, not taken for a failure. */
  private boolean forging;

  private boolean refused;

  ExplorerNode(ExplorerWorld world, int id) {
    this.world = world;
    this.id = id;
    Explorer.Scope scope = world.scope;
    int pages = scope.pages();
    rights = new int[pages];
    fresh = new boolean[pages];
    leavingTo = new int[pages];
    offered = new boolean[pages];
    evictionsLeft = scope.evictions();
    Arrays.fill(leavingTo, STAYS);
    CoherenceCounters counters = new CoherenceCounters();
    long hold = scope.holds() ? ExplorerWorld.HOLD_NANOS : 0;
    cache = new CacheController(id, scope.nodes(), pages, hold, world::homeOf, this, counters);
    directory = new DirectoryController(id, scope.nodes(), pages, world::homeOf, this, counters);
  }

  // ---- Notes for the protocol table

  void begin(Side side, long page, String event) {
    ProtocolCells cells = world.cells();
    if (cells != null) {
      cells.begin(side, row(side, page), event);
    }
  }

  void end(Side side, long page) {
    ProtocolCells cells = world.cells();
    if (cells != null) {
      cells.end(row(side, page));
    }
  }

  String row(Side side, long page) {
    return side == Side.CACHE ? ProtocolCells.row(cache, page) : ProtocolCells.row(directory, page);
  }

  private void note(String effect) {
    ProtocolCells cells = world.cells();
    if (cells != null) {
      cells.effect(effect);
    }
  }

  // ---- Events

  void givenUp(int page) {
    int left = leavingTo[page];
    rights[page] = left;
    leavingTo[page] = STAYS;
    begin(Side.CACHE, page, left == READ ? "downgraded" : "revoked");
    if (left == READ) {
      cache.downgraded(page, 0);
    } else {
      cache.revoked(page, 0);
      if (world.scope.evictions() > 0 && cache.forget(page)) {
        fresh[page] = false; // Its memory is given back at once.
      }
    }
    end(Side.CACHE, page);
  }

  void evict(int page) {
    evictionsLeft--;
    begin(Side.CACHE, page, "evict");
    cache.evict(page);
    end(Side.CACHE, page);
  }

  void takeOffered(int page) {
    offered[page] = false;
    if (cache.mayTake(page)) {
      begin(Side.CACHE, page, "take");
      cache.take(page);
      end(Side.CACHE, page);
    }
  }

  void holdOver(long nowNanos) {
    if (world.scope.pages() == 1) { // Else one event would meet several pages.
      begin(Side.CACHE, 0, "hold over");
      cache.tick(nowNanos);
      end(Side.CACHE, 0);
    } else {
      cache.tick(nowNanos);
    }
  }

  /** Gives the controller a message that nobody sent, and says whether it was refused. */
  boolean refuses(CoherenceMessage forged) {
    forging = true;
    refused = false;
    if (forged.forDirectory()) {
      directory.message(forged, 0);
    } else {
      cache.message(forged, 0);
    }
    forging = false;
    return refused;
  }

  // ---- Effects

  @Override
  public void send(CoherenceMessage message) {
    ProtocolCells cells = world.cells();
    if (cells != null) {
      cells.sent(message);
    }
    boolean writable = rights[(int) message.page] == WRITE;
    if (message.carriesData() && (writable || message.to == id)) {
      throw new CheckFailure("node " + id + " must not send " + message);
    }
    world.send(this, message);
  }

  @Override
  public void install(long page) {
    note("install");
    nobodyHasRights(page);
    fresh[(int) page] = payloadFresh;
  }

  @Override
  public void installZero(long page) {
    note("installZero");
    nobodyHasRights(page);
    fresh[(int) page] = !world.everWritten(page);
  }

  private void nobodyHasRights(long page) {
    if (rights[(int) page] != NONE) {
      throw new CheckFailure("node " + id + " installs page " + page + " under readers");
    }
  }

  @Override
  public void grantShared(long page) {
    note("grantShared");
    rights[(int) page] = READ;
  }

  @Override
  public void grantExclusive(long page) {
    note("grantExclusive");
    rights[(int) page] = WRITE;
  }

  @Override
  public void downgrade(long page) {
    note("downgrade");
    leave((int) page, READ);
  }

  @Override
  public void revoke(long page) {
    note("revoke");
    leave((int) page, NONE);
  }

  private void leave(int page, int left) {
    leavingTo[page] = left;
    if (!world.scope.slowRevokes()) {
      givenUp(page);
    }
  }

  @Override
  public void wake(long page) {
    note("wake");
    world.wake(this, page);
  }

  /** There may be room at once, later, or, if others want the page then, never. */
  @Override
  public void take(long page) {
    note("take");
    offered[(int) page] = true;
  }

  @Override
  public void protocolError(ProtocolError reason, CoherenceMessage message) {
    refused = true;
    if (!forging) {
      throw new CheckFailure("node " + id + " refuses " + message + ": " + reason);
    }
  }

  // ---- For keys and reports

  void appendTo(StringBuilder key) {
    for (int page = 0; page < rights.length; page++) {
      key.append('|').append(cache.describe(page)).append(' ').append(rights[page]);
      key.append(fresh[page]).append(leavingTo[page]).append(offered[page]);
    }
    key.append(evictionsLeft);
  }

  String describe() {
    StringBuilder text = new StringBuilder();
    for (int page = 0; page < rights.length; page++) {
      text.append(text.isEmpty() ? "" : "; ").append(cache.describe(page));
    }
    return text.toString();
  }
}
