package org.pluribus.coherence.sim;

import static org.pluribus.coherence.sim.ExplorerWorld.NONE;
import static org.pluribus.coherence.sim.ExplorerWorld.READ;
import static org.pluribus.coherence.sim.ExplorerWorld.WRITE;

import java.util.Arrays;
import org.pluribus.coherence.CacheController;
import org.pluribus.coherence.CacheEffects;
import org.pluribus.coherence.CoherenceCounters;
import org.pluribus.coherence.CoherenceMessage;
import org.pluribus.coherence.DeltaMode;
import org.pluribus.coherence.DirectoryController;
import org.pluribus.coherence.DirectoryEffects;
import org.pluribus.coherence.MessageType;
import org.pluribus.coherence.ProtocolError;
import org.pluribus.coherence.TwinStore;
import org.pluribus.coherence.sim.ProtocolCells.Side;

/** A node of an {@link ExplorerWorld}: the shipped controllers, and the rights in force. */
final class ExplorerNode implements CacheEffects, DirectoryEffects, TwinStore {
  private static final int STAYS = -1;

  /** No write has this number: bytes of nobody. */
  private static final int ANY_BYTES = -1;

  private final ExplorerWorld world;
  final int id;
  final CacheController cache;
  final DirectoryController directory;
  final int[] rights;

  /** The number of the write that left the bytes in the mirror. At first it has any bytes. */
  final int[] content;

  /** Rights left after the revoke or downgrade under way, or -1. */
  final int[] leavingTo;

  /** Which bytes came with the message now handled. */
  int payload;

  /** As which part of the page they came. */
  MessageType payloadType = MessageType.DATA;

  /** With which bytes they were compared, if they are but what differs: 0 are zeros. */
  int payloadBase;

  /** Bytes in the slots for twins, and of which page. */
  private final int[] twins;

  private final int[] twinOf;

  /** The twin last compared with. */
  int compared;

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
    content = new int[pages];
    Arrays.fill(content, ANY_BYTES);
    twins = new int[scope.twins()];
    twinOf = new int[scope.twins()];
    leavingTo = new int[pages];
    offered = new boolean[pages];
    evictionsLeft = scope.evictions();
    Arrays.fill(leavingTo, STAYS);
    CoherenceCounters counters = new CoherenceCounters();
    long hold = scope.holds() ? ExplorerWorld.HOLD_NANOS : 0;
    DeltaMode deltas = scope.twins() > 0 ? DeltaMode.ON : DeltaMode.OFF;
    cache =
        new CacheController(
            id, scope.nodes(), pages, hold, world::homeOf, this, counters, deltas, this);
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
      // With twins one node keeps stale bytes, so that there are deltas, too.
      boolean givesBack = world.scope.evictions() > 0 && (twins.length == 0 || id == 0);
      if (givesBack && cache.forget(page)) {
        content[page] = ANY_BYTES; // Its memory is given back at once.
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
    if (message.carriesBytes() && (writable || message.to == id)) {
      throw new CheckFailure("node " + id + " must not send " + message);
    }
    if (message.type == MessageType.DATA_SPARSE && message.blocks != nonZeroBlocks(message.page)) {
      throw new CheckFailure("node " + id + " sends other blocks than it has: " + message);
    }
    world.send(this, message);
  }

  @Override
  public void install(long page) {
    note("install");
    nobodyHasRights(page);
    cameAs(MessageType.DATA, page);
    content[(int) page] = payload;
  }

  @Override
  public void installSparse(long page, long blocks) {
    note("installSparse");
    nobodyHasRights(page);
    cameAs(MessageType.DATA_SPARSE, page);
    content[(int) page] = payload;
  }

  private void cameAs(MessageType type, long page) {
    if (payloadType != type) {
      throw new CheckFailure(
          "node " + id + " takes " + payloadType + " of page " + page + " for " + type);
    }
  }

  @Override
  public void installDelta(long page, long blocks) {
    note("installDelta");
    nobodyHasRights(page);
    if (content[(int) page] != payloadBase) {
      throw new CheckFailure(
          "node "
              + id
              + " applies a delta to other bytes of page "
              + page
              + " than it is made for");
    }
    content[(int) page] = payload;
  }

  @Override
  public int slots() {
    return twins.length;
  }

  @Override
  public void keep(long page, int slot) {
    if (rights[(int) page] == WRITE) {
      throw new CheckFailure("node " + id + " makes a twin of page " + page + " under a writer");
    }
    twins[slot] = content[(int) page];
    twinOf[slot] = (int) page;
  }

  /** One write changes a block, more of them too much. */
  @Override
  public long changedBlocks(long page, int slot) {
    if (twinOf[slot] != page) {
      throw new CheckFailure("node " + id + " compares page " + page + " with another's twin");
    }
    compared = twins[slot];
    int writes = content[(int) page] - compared;
    return writes == 0 ? 0 : writes == 1 ? 1 : -1;
  }

  /** What every second write leaves is mostly zero. */
  @Override
  public long nonZeroBlocks(long page) {
    return sparseBlocks(content[(int) page]);
  }

  private static long sparseBlocks(int write) {
    return write == 0 ? 0 : write % 2 != 0 ? 1L << write : -1L;
  }

  /** Bytes of the page's twin, of which there is one, or any if its slot is another page's. */
  int twinBytes(int page) {
    for (int slot = 0; slot < twins.length; slot++) {
      if (twinOf[slot] == page) {
        return twins[slot];
      }
    }
    return ANY_BYTES;
  }

  boolean isFresh(int page) {
    return content[page] == world.lastWrite(page);
  }

  @Override
  public void installZero(long page) {
    note("installZero");
    nobodyHasRights(page);
    content[(int) page] = 0;
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

  void appendTo(StringBuilder key, VersionRanks[] ranks) {
    for (int page = 0; page < rights.length; page++) {
      key.append('|').append(ranks[page].in(cache.describe(page))).append(' ');
      key.append(rights[page]);
      key.append(isFresh(page)).append(leavingTo[page]).append(offered[page]);
      if (twins.length > 0) {
        key.append('v').append(ranks[page].of(cache.version(page))).append(' ');
        key.append(content[page]).append(' ').append(ranks[page].of(cache.twinVersion(page)));
      }
    }
    for (int slot = 0; slot < twins.length; slot++) {
      key.append('t').append(twins[slot]).append(' ').append(twinOf[slot]);
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
