package org.pluribus.coherence;

/** What the controllers count. Labels are those of the run's report. */
public enum CoherenceCounter {
  /** Read faults that sent a GetS. */
  FAULTS_READ("faults.read"),
  /** Write faults that sent a GetM. */
  FAULTS_WRITE("faults.write"),
  /** Write faults on a shared page, that sent an Upgrade. */
  FAULTS_UPGRADE("faults.upgrade"),
  /** Faults for which a request was under way already. */
  FAULTS_MERGED("faults.merged"),
  /** Faults whose rights were there already when they were looked at. */
  FAULTS_STALE("faults.stale"),
  /** Pages asked for because a vCPU will want them soon. */
  PREFETCHES("prefetches"),
  /** Pages whose bytes came from another node as a whole. */
  PAGES_IN("pagesIn"),
  /** Pages whose bytes were sent to another node as a whole. */
  PAGES_OUT("pagesOut"),
  /** Pages of which only changed blocks came. */
  DELTAS_IN("deltasIn"),
  /** Pages of which only changed blocks were sent. */
  DELTAS_OUT("deltasOut"),
  /** Bytes of the blocks sent in them. */
  DELTA_BYTES_OUT("deltaBytesOut"),
  /** Pages that came as the blocks of them that are not zero. */
  SPARSE_IN("sparseIn"),
  /** Pages that were sent as the blocks of them that are not zero. */
  SPARSE_OUT("sparseOut"),
  /** Bytes of the blocks sent in them. */
  SPARSE_BYTES_OUT("sparseBytesOut"),
  /** Comparisons with a twin that found too much changed for a delta. */
  DELTAS_TOO_LARGE("deltas.tooLarge"),
  /** Twins given up for want of room. */
  TWINS_EVICTED("twins.evicted"),
  /** Pages granted without bytes because nobody ever wrote them. */
  PAGES_ZERO("pagesZero"),
  /** Copies dropped because another node writes. */
  INVALIDATIONS("invalidations"),
  /** Owned pages turned into shared ones because another node reads. */
  DOWNGRADES("downgrades"),
  /** Upgrades that lost their copy to another writer first. */
  UPGRADES_LOST("upgrades.lost"),
  /** Revokes and downgrades put off because the grant was not used yet. */
  DEFERRED_BY_HOLD("deferred.hold"),
  /** Revokes and downgrades put off because a device had the page pinned. */
  DEFERRED_BY_PIN("deferred.pin"),
  /** Holds that ran out before anybody said the page was used. */
  HOLDS_EXPIRED("holds.expired"),
  /** Times a hold went on because who waited for the page cannot have used it yet. */
  HOLDS_PROLONGED("holds.prolonged"),
  /** Copies offered to their homes to make room. */
  EVICTIONS_OFFERED("evictions.offered"),
  /** Copies dropped because they were offered and others have the page. */
  EVICTIONS("evictions.dropped"),
  /** Offers that let nothing be dropped, be it that the home then took the page. */
  EVICTIONS_REFUSED("evictions.refused"),
  /** Pages that this home took because they were offered and nobody else had them. */
  TAKEN("home.taken"),
  /** Requests served by this home. */
  REQUESTS_SERVED("home.requests"),
  /** Requests that had to wait at this home for an earlier one for the same page. */
  REQUESTS_QUEUED("home.queued"),
  /** The most requests that ever waited for one page at this home. */
  QUEUE_HIGH_WATER("home.queueHighWater"),
  /** Times this home told a node that one waits for a page who has waited for longer. */
  HURRIES_SENT("home.hurriesSent"),
  /** Inv messages this home sent. */
  INVALIDATIONS_SENT("home.invalidationsSent"),
  /** Messages refused. */
  PROTOCOL_ERRORS("protocolErrors");

  private final String label;

  CoherenceCounter(String label) {
    this.label = label;
  }

  /** The name in reports. */
  public String label() {
    return label;
  }
}
