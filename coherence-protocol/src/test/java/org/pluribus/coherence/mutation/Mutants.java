package org.pluribus.coherence.mutation;

import java.util.List;

/** The bugs planted. */
final class Mutants {
  private static final String REQUESTER = "RequesterSide";
  private static final String OWNER = "OwnerSide";
  private static final String CACHE = "CacheController";
  private static final String EVICTOR = "EvictorSide";
  private static final String RECORD = "PageRecord";
  private static final String PAGES = "CachePages";
  private static final String OUTBOX = "CacheOutbox";
  private static final String HOME = "DirectoryController";
  private static final String HOME_PAGES = "DirectoryPages";
  private static final String QUEUE = "DirectoryTransaction";
  private static final String TWINS = "Twins";

  static final List<Mutant> ALL =
      List.of(
          // ---- Who asks
          Mutant.of(
              "one-ack-not-awaited",
              REQUESTER,
              "Long.bitCount(record.ackedBy) < record.acksExpected",
              "Long.bitCount(record.ackedBy) + 1 < record.acksExpected"),
          Mutant.of(
              "write-granted-before-data",
              REQUESTER,
              "boolean answered = state == CacheState.IM_A || state == CacheState.SM_A;",
              "boolean answered = !state.stable() && state != CacheState.IS_D;"),
          Mutant.of(
                  "unblock-before-last-ack",
                  REQUESTER,
                  "record.acksExpected = ackCount; finishIfAllAcked(record, nowNanos);",
                  "record.acksExpected = ackCount; outbox.unblock(record.page);"
                      + " finishIfAllAcked(record, nowNanos);")
              .and(
                  "outbox.unblock(page); holds.hold(record, nowNanos);",
                  "if (pages.state(page) == CacheState.S) { outbox.unblock(page); }"
                      + " holds.hold(record, nowNanos);"),
          Mutant.of(
              "next-request-before-unblock",
              REQUESTER,
              "outbox.unblock(page); holds.hold(record, nowNanos); requestWhatIsWanted(record);",
              "requestWhatIsWanted(record); outbox.unblock(page); holds.hold(record, nowNanos);"),
          Mutant.of(
              "unblock-forgotten",
              REQUESTER,
              "outbox.unblock(page); holds.hold(record, nowNanos);",
              "holds.hold(record, nowNanos);"),
          Mutant.of("data-not-installed", REQUESTER, "effects.install(m.page);", ""),
          Mutant.of("zero-not-installed", REQUESTER, "effects.installZero(m.page);", ""),
          Mutant.of("wake-forgotten", REQUESTER, "effects.wake(page);", ""),
          Mutant.of(
              "early-ack-refused",
              REQUESTER,
              "boolean awaitsAcks = !state.stable() && state != CacheState.IS_D;",
              "boolean awaitsAcks = state == CacheState.IM_A || state == CacheState.SM_A;"),
          Mutant.of(
              "early-acks-forgotten",
              REQUESTER,
              "record.acksExpected = ackCount;",
              "record.acksExpected = ackCount; record.ackedBy = 0;"),
          // ---- Who gives up
          Mutant.of(
                  "answer-before-revoke-is-complete",
                  OWNER,
                  "record.surrender = Surrender.REVOKING; effects.revoke(record.page);",
                  "record.surrender = Surrender.REVOKING;"
                      + " if (record.surrenderTo == MessageType.INV) {"
                      + " outbox.invAck(record.page, record.surrenderRequester); } else {"
                      + " sendBytes(record.page, record.surrenderRequester, record.surrenderAckCount,"
                      + " EXCLUSIVE, record.surrenderBase); }"
                      + " effects.revoke(record.page);")
              .and(
                  "if (record.surrenderTo == MessageType.INV) {"
                      + " outbox.invAck(page, record.surrenderRequester);"
                      + " } else if (record.surrenderTo == MessageType.PUT_ACK) {"
                      + " outbox.unblock(page); } else {"
                      + " int acks = record.surrenderAckCount;"
                      + " sendBytes(page, record.surrenderRequester, acks, EXCLUSIVE,"
                      + " record.surrenderBase); }",
                  "if (record.surrenderTo == MessageType.PUT_ACK) { outbox.unblock(page); }"),
          Mutant.of(
              "owner-not-downgraded",
              OWNER,
              "record.surrender = Surrender.DOWNGRADING; effects.downgrade(record.page);",
              "record.surrender = Surrender.DOWNGRADING; downgraded(record);"),
          Mutant.of(
              "sharer-not-revoked",
              OWNER,
              "record.surrender = Surrender.REVOKING; effects.revoke(record.page);",
              "record.surrender = Surrender.REVOKING;"
                  + " if (pages.state(record.page) == CacheState.S) { revoked(record); }"
                  + " else { effects.revoke(record.page); }"),
          Mutant.of(
              "upgrade-race-copy-kept",
              OWNER,
              "pages.state(page, CacheState.IM_AD);",
              "pages.state(page, CacheState.SM_AD);"),
          Mutant.of(
              "upgrade-race-request-dropped",
              OWNER,
              "pages.state(page, CacheState.IM_AD);",
              "pages.state(page, CacheState.I);"),
          Mutant.of(
              "upgrade-race-inv-refused",
              OWNER,
              "boolean shares = state == CacheState.S || state == CacheState.SM_AD;",
              "boolean shares = state == CacheState.S;"),
          Mutant.of(
              "pin-ignored",
              OWNER,
              "record.surrender != Surrender.DEFERRED || record.held || record.pins > 0",
              "record.surrender != Surrender.DEFERRED || record.held"),
          Mutant.of(
              "ack-count-not-passed-on",
              OWNER,
              "int acks = record.surrenderAckCount;",
              "int acks = 0;"),
          Mutant.of(
              "fault-while-revoking-forgotten",
              OWNER,
              "twins.lost(page); requester.requestWhatIsWanted(record);",
              "twins.lost(page);"),
          // ---- Holds, pins, faults
          Mutant.of(
              "hold-without-end",
              CACHE,
              "return first == null ? Long.MAX_VALUE : first.holdUntilNanos;",
              "return Long.MAX_VALUE;"),
          Mutant.of(
              "hold-ends-unnoticed",
              CACHE,
              "owner.expired(first, nowNanos);",
              "holds.release(first);"),
          Mutant.of(
              "unpin-goes-unnoticed",
              CACHE,
              "record.pins--; owner.settle(record);",
              "record.pins--;"),
          Mutant.of("read-fault-while-leaving-forgotten", CACHE, "record.wantsRead = true;", ""),
          Mutant.of(
              "ack-sent-to-home",
              OUTBOX,
              "page, self, requester, requester, 0, 0, 0));",
              "page, self, homes.homeOf(page), requester, 0, 0, 0));"),
          // ---- Making room
          Mutant.of(
                  "drop-confirmed-before-it-is-complete",
                  OWNER,
                  "record.surrender = Surrender.REVOKING; effects.revoke(record.page);",
                  "record.surrender = Surrender.REVOKING;"
                      + " if (record.surrenderTo == MessageType.PUT_ACK) {"
                      + " outbox.unblock(record.page); } effects.revoke(record.page);")
              .and("PUT_ACK) { outbox.unblock(page); } else {", "PUT_ACK) { } else {"),
          Mutant.of(
              "request-while-offered",
              RECORD,
              "return offered || surrender == Surrender.REVOKING",
              "return surrender == Surrender.REVOKING"),
          Mutant.of(
              "request-while-pinned-page-is-to-be-dropped",
              RECORD,
              "|| (surrender == Surrender.DEFERRED && surrenderTo == MessageType.PUT_ACK)",
              ""),
          Mutant.of(
              "fault-while-offered-forgotten",
              EVICTOR,
              "requester.requestWhatIsWanted(record);",
              ""),
          Mutant.of("offer-forgotten-with-the-copy", PAGES, "|| record.offered", ""),
          Mutant.of(
              "only-copy-dropped", HOME, "pages.touched(m.page) && sharers == holder", "false"),
          Mutant.of(
                  "dropped-copy-not-awaited",
                  HOME,
                  "case UNBLOCK -> onUnblock(message);",
                  "case UNBLOCK -> pages.busy(message.page) == null ? null : onUnblock(message);")
              .and("begin(m.page).requester = m.from; pages.setSharers", "pages.setSharers"),
          Mutant.of(
              "dropper-still-counted", HOME, "pages.setSharers(m.page, sharers & ~holder);", ""),
          Mutant.of(
              "drop-while-another-is-served",
              HOME,
              "if (busy == null && shares && !only) { begin(m.page).requester = m.from;",
              "if (shares && !only) { if (busy == null) { begin(m.page).requester = m.from; }"),
          Mutant.of(
              "offer-unanswered",
              HOME,
              "answerPut(MessageType.PUT_NACK, m); if (busy == null",
              "if (busy == null"),
          // ---- The home
          Mutant.of(
              "sharer-forgotten",
              HOME,
              "pages.setSharers(page, sharers | (1L << requester));",
              "pages.setSharers(page, sharers == 0 ? 1L << requester : sharers);"),
          Mutant.of("owner-forgotten-as-sharer", HOME, "sharers = 1L << owner;", "sharers = 0;"),
          Mutant.of(
              "sharer-not-invalidated",
              HOME,
              "for (long rest = others; rest != 0; rest &= rest - 1) {",
              "for (long rest = others & (others - 1); rest != 0; rest &= rest - 1) {"),
          Mutant.of(
              "sharer-neither-counted-nor-invalidated",
              HOME,
              "long others = sharers & ~(1L << requester);",
              "long others = sharers & ~(1L << requester); others &= others - 1;"),
          Mutant.of("supplier-invalidated-too", HOME, "others &= ~(1L << supplier);", ""),
          Mutant.of(
              "two-served-at-once",
              HOME,
              "if (busy == null) { if (!isServable",
              "if (busy == null || busy.waiting() == 0) { if (!isServable"),
          Mutant.of(
              "last-in-queue-forgotten",
              HOME,
              "while (busy.waiting() > 0) {",
              "while (busy.waiting() > 1) {"),
          Mutant.of(
              "upgrade-always-granted",
              HOME,
              "serveWrite(page, requester, busy.since, base); } }",
              "if (type == MessageType.UPGRADE) { long o = pages.sharers(page) & ~(1L << requester);"
                  + " grant(page, requester, Long.bitCount(o), EXCLUSIVE);"
                  + " for (long rest = o; rest != 0; rest &= rest - 1) {"
                  + " forward(MessageType.INV, page, Long.numberOfTrailingZeros(rest), requester, 0,"
                  + " since, 0); } pages.setOwner(page, requester); }"
                  + " else { serveWrite(page, requester, since, base); } } }"),
          Mutant.of(
              "written-page-granted-as-zero",
              HOME_PAGES,
              "(byte) (TOUCHED | (node + 1))",
              "(byte) (node + 1)"),
          Mutant.of(
              "queued-request-type-mixed-up",
              QUEUE,
              "return REQUESTS[waitingType[head]];",
              "return MessageType.GET_S;"));

  /** Of twins and of what is sent instead of pages. */
  static final List<Mutant> OF_DELTAS =
      List.of(
          Mutant.of(
              "delta-for-any-base",
              OWNER,
              "if (twins.has(page, base)) {",
              "if (base != 0 && twins.version(page) != 0) {"),
          Mutant.of(
              "delta-for-twin-of-any-version",
              TWINS,
              "return version != 0 && version == version(page);",
              "return version != 0 && version(page) != 0;"),
          Mutant.of(
              "twin-tagged-with-the-next-version",
              REQUESTER,
              "twins.keep(page, pages.version(page));",
              "twins.keep(page, pages.version(page) + 1);"),
          Mutant.of(
                  "twin-made-after-the-grant",
                  REQUESTER,
                  "twins.keep(page, pages.version(page));",
                  "")
              .and(
                  "effects.grantExclusive(page);",
                  "effects.grantExclusive(page); twins.keep(page, pages.version(page) - 1);"),
          Mutant.of(
              "twin-not-renewed",
              TWINS,
              "if (slot != NOWHERE) { unlink(slot); }",
              "if (slot != NOWHERE) { versionOf[slot] = version; return; }"),
          Mutant.of("evicted-twin-still-known", TWINS, "pages.twin(pageOf[slot], NOWHERE);", ""),
          Mutant.of(
              "base-is-not-what-we-have",
              REQUESTER,
              "twins.enabled() ? pages.version(page) : 0;",
              "twins.enabled() ? pages.version(page) + 1 : 0;"),
          Mutant.of(
              "delta-installed-as-page",
              REQUESTER,
              "effects.installDelta(m.page, m.blocks);",
              "effects.install(m.page);"),
          Mutant.of(
              "delta-not-installed", REQUESTER, "effects.installDelta(m.page, m.blocks);", ""),
          Mutant.of(
              "sparse-page-installed-as-page",
              REQUESTER,
              "effects.installSparse(m.page, m.blocks);",
              "effects.install(m.page);"),
          Mutant.of(
              "sparse-page-installed-as-delta",
              REQUESTER,
              "effects.installSparse(m.page, m.blocks);",
              "effects.installDelta(m.page, m.blocks);"),
          Mutant.of(
              "sparse-page-not-installed",
              REQUESTER,
              "effects.installSparse(m.page, m.blocks);",
              ""),
          Mutant.of("sparse-page-sent-without-blocks", OUTBOX, "out.blocks(blocks);", ""),
          Mutant.of(
              "changed-blocks-sent-as-sparse-page",
              OWNER,
              "outbox.delta(page, requester, ackCount, version, flags, base, blocks);",
              "outbox.sparse(page, requester, ackCount, version, flags, blocks);"),
          Mutant.of(
              "non-zero-blocks-sent-as-delta",
              OWNER,
              "outbox.sparse(page, requester, ackCount, version, flags, blocks);",
              "outbox.delta(page, requester, ackCount, version, flags, base, blocks);"),
          Mutant.of(
              "version-of-sparse-page-lost",
              OWNER,
              "outbox.sparse(page, requester, ackCount, version, flags, blocks);",
              "outbox.sparse(page, requester, ackCount, 0, flags, blocks);"),
          Mutant.of(
              "version-of-delta-not-taken-over",
              REQUESTER,
              "pages.version(m.page, m.version);",
              "if (!delta) { pages.version(m.page, m.version); }"),
          Mutant.of(
              "version-not-raised-by-grant",
              REQUESTER,
              "pages.version(page, pages.version(page) + 1);",
              "pages.version(page, 1);"),
          Mutant.of(
              "queued-base-invented",
              QUEUE,
              "return waitingBase[head];",
              "return Math.max(1, waitingBase[head]);"));

  private Mutants() {}
}
