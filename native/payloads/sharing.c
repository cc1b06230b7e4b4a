/*
 * False sharing: each CPU increments a word of its own, and all words lie in one page, a cache line
 * each. Between increments a CPU lets so much time pass that others have taken the page away, so each
 * increment moves the page once.
 */
#include "payload.h"

#define INCREMENTS_AT_100 4000
#define CONTENDED_AT_100 100000000
/* Of a second: somewhat more than a page's way takes. */
#define PAUSE 5000

#define LINE_WORDS 8

static volatile u64 *own_word(u64 cpu) { return shared_page(0) + cpu * LINE_WORDS; }

static void work(struct cpu *me) {
  volatile u64 *word = own_word(me->index);
  for (u64 i = 0; i < scaled(INCREMENTS_AT_100); i++) {
    plain_increment(word);
    u64 start = read_tsc();
    while (read_tsc() - start < tsc_hz / PAUSE) {
      pause();
    }
  }
}

static void check(u64 expected) {
  u64 sum = 0;
  for (u64 cpu = 0; cpu < cpu_count; cpu++) {
    u64 value = *own_word(cpu);
    if (value != expected) {
      fail("CPU %u: %u of %u increments are there", cpu, value, expected);
    }
    sum += value;
  }
  count("increments", sum);
}

static void report(void) { check(scaled(INCREMENTS_AT_100)); }

/* The same without time between increments: whoever has the page uses it all the time. */
static void contend(struct cpu *me) {
  volatile u64 *word = own_word(me->index);
  for (u64 i = 0; i < scaled(CONTENDED_AT_100); i++) {
    plain_increment(word);
  }
}

static void report_contention(void) { check(scaled(CONTENDED_AT_100)); }

const struct payload sharing_payload = {"sharing", work, report};
const struct payload contention_payload = {"contention", contend, report_contention};
