/*
 * Counters that all CPUs increment at once. LOCKed increments of shared words must not get lost, plain
 * increments of a CPU's own word must not suffer from writes to other words of the same page.
 */
#include "payload.h"

#define COUNTER_PAGES 4
#define COUNTERS_PER_PAGE 16
#define COUNTERS (COUNTER_PAGES * COUNTERS_PER_PAGE)
#define COUNTER_STRIDE 16
/* Second half of each page: a word for each CPU. */
#define OWN_WORDS (WORDS_PER_PAGE / 2)
/* A CPU stays on a page for so many increments: 128 on average. */
#define BURST_MASK 255
#define BURSTS_AT_100 100000

/* What each CPU did, by counter, written at its end. */
static struct {
  u64 locked[COUNTERS];
  u64 own[COUNTER_PAGES];
} done[MAX_CPUS] __attribute__((aligned(PAGE)));

static volatile u64 *counter(u64 i) {
  return shared_page(i / COUNTERS_PER_PAGE) + i % COUNTERS_PER_PAGE * COUNTER_STRIDE;
}

/* One increment of the page's counter i or of the CPU's own word, by the next bits of random. */
static void increment(struct cpu *me, u64 page, u64 random, u64 *locked, u64 *own) {
  u64 i = page * COUNTERS_PER_PAGE + (random >> 40) % COUNTERS_PER_PAGE;
  switch (random >> 60 & 3) {
    case 0:
      locked_increment(counter(i));
      locked[i]++;
      break;
    case 1:
      locked_add(counter(i), 1);
      locked[i]++;
      break;
    case 2: {
      u64 old;
      do {
        old = *counter(i);
      } while (!compare_exchange(counter(i), old, old + 1));
      locked[i]++;
      break;
    }
    default:
      plain_increment(shared_page(page) + OWN_WORDS + me->index);
      own[page]++;
  }
}

static void work(struct cpu *me) {
  u64 locked[COUNTERS] = {0};
  u64 own[COUNTER_PAGES] = {0};
  for (u64 left = scaled(BURSTS_AT_100) / cpu_count + 1; left; left--) {
    u64 r = next_random(me);
    u64 page = r % COUNTER_PAGES;
    for (u64 n = r >> 8 & BURST_MASK; n; n--) {
      increment(me, page, r = r * 6364136223846793005 + 1442695040888963407, locked, own);
    }
  }
  memcpy(done[me->index].locked, locked, sizeof locked);
  memcpy(done[me->index].own, own, sizeof own);
}

static void report(void) {
  u64 sum = 0;
  for (u64 i = 0; i < COUNTERS; i++) {
    u64 expected = 0;
    for (u32 c = 0; c < cpu_count; c++) {
      expected += done[c].locked[i];
    }
    if (*counter(i) != expected) {
      fail("counter %u is %u after %u LOCKed increments", i, *counter(i), expected);
    }
    sum += expected;
  }
  for (u64 p = 0; p < COUNTER_PAGES; p++) {
    for (u32 c = 0; c < cpu_count; c++) {
      u64 value = shared_page(p)[OWN_WORDS + c];
      if (value != done[c].own[p]) {
        fail("CPU %u's own word of page %u is %u after %u increments", (u64)c, p, value, done[c].own[p]);
      }
      sum += value;
    }
  }
  count("increments", sum);
  u64 hash = 0;
  for (u64 p = 0; p < COUNTER_PAGES; p++) {
    hash = checksum(hash, shared_page(p), WORDS_PER_PAGE);
  }
  print_checksum("memory", hash);
}

const struct payload counters_payload = {"counters", work, report};
