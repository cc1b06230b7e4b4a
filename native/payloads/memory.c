/*
 * What was written is what is read: a pattern over all RAM that CPU after CPU replaces, and random reads
 * and writes of words whose owners know what must be in them.
 */
#include "payload.h"

/*
 * ---- pattern: each CPU checks what another CPU has written and writes the next generation
 * ---- fill: the same with one generation, for machines with much memory
 */

#define PATTERN_GENERATIONS 3
#define FILL_GENERATIONS 1

static u64 pages_checked[MAX_CPUS], page_sums[MAX_CPUS];

/* At scale 100 and more all pages of RAM that are free; below, so many percent of them, spread evenly. */
static u64 pattern_pages(void) {
  u64 all = shared_pages() / node_count * node_count, some = scaled(all);
  return some < all ? some : all;
}

static volatile u64 *pattern_page(u64 i) {
  return shared_page(i * (shared_pages() / node_count * node_count) / pattern_pages());
}

static u64 pattern_base(u64 page, u64 generation) { return mix(seed + page * 64 + generation); }

static void write_page(u64 page, u64 generation) {
  volatile u64 *p = pattern_page(page);
  u64 value = pattern_base(page, generation);
  for (u64 i = 0; i < WORDS_PER_PAGE; i++) {
    p[i] = value + i * generation;
  }
}

static void check_page(const struct cpu *me, u64 page, u64 generation) {
  volatile u64 *p = pattern_page(page);
  u64 value = pattern_base(page, generation);
  for (u64 i = 0; i < WORDS_PER_PAGE; i++) {
    if (p[i] != value + i * generation) {
      fail("CPU %u: word %u of page %u is %x in generation %u, not %x", me->index, i, page, p[i], generation,
           value + i * generation);
    }
  }
  pages_checked[me->index]++;
}

/* In generation g, CPU c has the pages of share c + g. */
static void for_share(struct cpu *me, u64 generation, u64 *from, u64 *to) {
  u64 share = (me->index + generation) % cpu_count;
  *from = pattern_pages() * share / cpu_count;
  *to = pattern_pages() * (share + 1) / cpu_count;
}

static void write_and_check(struct cpu *me, u64 generations) {
  u64 from, to;
  for (u64 generation = 1; generation <= generations; generation++) {
    for_share(me, generation, &from, &to);
    for (u64 page = from; page < to; page++) {
      if (generation > 1) {
        check_page(me, page, generation - 1);
      }
      write_page(page, generation);
    }
    barrier(me);
  }
  for_share(me, generations + 1, &from, &to);
  for (u64 page = from; page < to; page++) {
    check_page(me, page, generations);
    page_sums[me->index] += checksum(page, pattern_page(page), WORDS_PER_PAGE);
  }
}

static void pattern_work(struct cpu *me) { write_and_check(me, PATTERN_GENERATIONS); }

static void fill_work(struct cpu *me) { write_and_check(me, FILL_GENERATIONS); }

static void pattern_report(void) {
  u64 pages = 0, sum = 0;
  for (u32 i = 0; i < cpu_count; i++) {
    pages += pages_checked[i];
    sum += page_sums[i];
  }
  count("pages_verified", pages);
  print_checksum("memory", sum);
}

const struct payload pattern_payload = {"pattern", pattern_work, pattern_report};
const struct payload fill_payload = {"fill", fill_work, pattern_report};

/*
 * ---- oracle: each word has one owner, who alone writes it and remembers its version. A word's value is
 * its version and a mix of version and place, so that anybody can tell a word of another place, a torn
 * one, or one older than what this reader has seen before. Owners change after every round.
 */

#define ORACLE_PAGES 16
#define ORACLE_WORDS_PER_PAGE 32
#define ORACLE_WORDS (ORACLE_PAGES * ORACLE_WORDS_PER_PAGE)
#define ORACLE_STRIDE (WORDS_PER_PAGE / ORACLE_WORDS_PER_PAGE)
#define ORACLE_ROUNDS 8
#define ACCESSES_AT_100 60000

/* Accesses to a page before another is chosen: 8 on average. */
#define ORACLE_BURST_MASK 15

/* Versions as each CPU has seen them last. */
static u32 seen[MAX_CPUS][ORACLE_WORDS] __attribute__((aligned(PAGE)));
static u64 reads[MAX_CPUS], writes[MAX_CPUS];

static volatile u64 *oracle_word(u64 i) {
  return shared_page(i / ORACLE_WORDS_PER_PAGE) + i % ORACLE_WORDS_PER_PAGE * ORACLE_STRIDE;
}

/* Version 0 is a word never written. */
static u64 oracle_value(u64 i, u64 version) {
  return version ? version << 32 | (mix(seed + i * 0x10001 + version * 0x9e3779b9) & 0xffffffff) : 0;
}

static void oracle_read(struct cpu *me, u64 i) {
  u64 value = *oracle_word(i), version = value >> 32;
  if (value != oracle_value(i, version)) {
    fail("CPU %u: word %u is %x, which nobody wrote there", me->index, i, value);
  }
  if (version < seen[me->index][i]) {
    fail("CPU %u: word %u went back from version %u to %u", me->index, i, (u64)seen[me->index][i], version);
  }
  seen[me->index][i] = (u32)version;
  reads[me->index]++;
}

static void oracle_write(struct cpu *me, u64 i) {
  u64 version = *oracle_word(i) >> 32;
  if (version != seen[me->index][i]) {
    fail("CPU %u: its own word %u is of version %u, not %u", me->index, i, version, (u64)seen[me->index][i]);
  }
  seen[me->index][i] = (u32)++version;
  *oracle_word(i) = oracle_value(i, version);
  writes[me->index]++;
}

static void oracle_round(struct cpu *me, u64 round) {
  u64 left = scaled(ACCESSES_AT_100) / cpu_count / ORACLE_ROUNDS + 1;
  while (left) {
    u64 r = next_random(me);
    u64 page = r % ORACLE_PAGES;
    for (u64 n = (r >> 8 & ORACLE_BURST_MASK) + 1; n && left; n--, left--) {
      r = mix(r);
      u64 i = page * ORACLE_WORDS_PER_PAGE + r % ORACLE_WORDS_PER_PAGE;
      if ((i + round) % cpu_count == me->index) {
        oracle_write(me, i);
      } else {
        oracle_read(me, i);
      }
    }
  }
}

static void oracle_work(struct cpu *me) {
  for (u64 round = 0; round < ORACLE_ROUNDS; round++) {
    oracle_round(me, round);
    barrier(me);
    /* Everybody sees exactly what the owners have written. */
    for (u64 i = 0; i < ORACLE_WORDS; i++) {
      u64 owner = (i + round) % cpu_count;
      oracle_read(me, i);
      if (seen[me->index][i] != seen[owner][i]) {
        fail("CPU %u: word %u is of version %u, its owner wrote %u", me->index, i, (u64)seen[me->index][i],
             (u64)seen[owner][i]);
      }
    }
    barrier(me);
  }
}

static void oracle_report(void) {
  u64 r = 0, w = 0, hash = 0;
  for (u32 i = 0; i < cpu_count; i++) {
    r += reads[i];
    w += writes[i];
  }
  for (u64 i = 0; i < ORACLE_PAGES; i++) {
    hash = checksum(hash, shared_page(i), WORDS_PER_PAGE);
  }
  count("reads", r);
  count("writes", w);
  print_checksum("memory", hash);
}

const struct payload oracle_payload = {"oracle", oracle_work, oracle_report};

/* ---- storm: all CPUs write random words of a few pages, so that each is taken away again and again */

#define STORM_PAGES 8
#define STORM_WRITES_AT_100 240000
/* Pages' first halves: LOCKed counters; second halves: words of one CPU each. */
#define STORM_HALF (WORDS_PER_PAGE / 2)

static u32 mine[MAX_CPUS][STORM_PAGES * STORM_HALF] __attribute__((aligned(PAGE)));
static u64 storm_increments[MAX_CPUS];

static void storm_work(struct cpu *me) {
  for (u64 left = scaled(STORM_WRITES_AT_100) / cpu_count + 1; left; left--) {
    u64 r = next_random(me);
    u64 page = r % STORM_PAGES, i = (r >> 8) % STORM_HALF;
    volatile u64 *p = shared_page(page);
    locked_increment(&p[i]);
    i = (r >> 24) % (STORM_HALF / MAX_CPUS) * MAX_CPUS + me->index;
    u32 *expected = &mine[me->index][page * STORM_HALF + i];
    u64 value = p[STORM_HALF + i];
    if (value != *expected) {
      fail("CPU %u: its word %u of page %u is %u, not %u", me->index, i, page, value, (u64)*expected);
    }
    p[STORM_HALF + i] = ++*expected;
    storm_increments[me->index] += 2;
  }
}

static void storm_report(void) {
  u64 expected = 0, sum = 0, hash = 0;
  for (u32 i = 0; i < cpu_count; i++) {
    expected += storm_increments[i];
  }
  for (u64 page = 0; page < STORM_PAGES; page++) {
    for (u64 i = 0; i < WORDS_PER_PAGE; i++) {
      sum += shared_page(page)[i];
    }
    hash = checksum(hash, shared_page(page), WORDS_PER_PAGE);
  }
  if (sum != expected) {
    fail("%u increments left %u", expected, sum);
  }
  count("increments", sum);
  print_checksum("memory", hash);
}

const struct payload storm_payload = {"storm", storm_work, storm_report};
