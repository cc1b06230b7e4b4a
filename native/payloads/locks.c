/*
 * Plain increments under a spinlock. The lock and the data it guards are on pages of their own, or lie
 * across a page boundary: then one access needs two pages at once, and a LOCKed one has to be atomic
 * over both of them.
 */
#include "payload.h"

#define ROUNDS_AT_100 200000
#define ROUNDS_CROSSING_AT_100 4000

/* Bytes of a word that lie on its first page. */
#define BYTES_BEFORE_BOUNDARY 3

/* Longest pause between two tries: 50 ms, far more than two page faults take; the first is a 64th of it. */
#define BACKOFF_FRACTION_OF_SECOND 20
#define BACKOFF_DOUBLINGS 6

struct place {
  const char *name;
  u64 rounds_at_100;
  u64 lock_slot, data_slot;
  u64 lock_crosses, data_crosses;
};

static const struct place places[] = {
    {"same_page", ROUNDS_AT_100, 0, 0, 0, 0},
    {"two_pages", ROUNDS_AT_100, 1, 2, 0, 0},
    {"data_crosses", ROUNDS_CROSSING_AT_100, 3, 4, 0, 1},
    {"lock_crosses", ROUNDS_CROSSING_AT_100, 5, 6, 1, 0},
    {"both_cross", ROUNDS_CROSSING_AT_100, 7, 8, 1, 1},
};
#define PLACES (sizeof places / sizeof *places)

/* Places of lock and data within their two pages. */
#define LOCK_OFFSET 64
#define DATA_OFFSET 2048

/* Two pages side by side, of a home that changes from slot to slot. */
static volatile u64 *word(u64 slot, u64 offset, u64 crosses) {
  volatile u8 *first = (volatile u8 *)shared_page(slot * 2 * node_count + slot % node_count);
  return (volatile u64 *)(first + (crosses ? PAGE - BYTES_BEFORE_BOUNDARY : offset));
}

static volatile u64 *lock_of(const struct place *p) { return word(p->lock_slot, LOCK_OFFSET, p->lock_crosses); }

static volatile u64 *data_of(const struct place *p) { return word(p->data_slot, DATA_OFFSET, p->data_crosses); }

static u64 rounds_of_each(const struct place *p) { return scaled(p->rounds_at_100) / cpu_count + 1; }

static void take(volatile u64 *lock, const struct cpu *me) {
  struct patience p;
  begin_waiting(&p);
  while (exchange(lock, 1)) {
    do {
      keep_waiting(&p, me, "a spinlock");
    } while (*lock);
  }
}

/*
 * Longer and longer pauses between the tries: whoever holds the lock needs both of its pages at once to
 * release it, and gets them late where all nodes ask for them without a pause.
 */
static void take_with_backoff(volatile u64 *lock, struct cpu *me) {
  u64 longest = tsc_hz / BACKOFF_FRACTION_OF_SECOND, delay = longest >> BACKOFF_DOUBLINGS;
  struct patience p;
  begin_waiting(&p);
  while (exchange(lock, 1)) {
    u64 until = read_tsc() + delay + next_random(me) % delay;
    do {
      keep_waiting(&p, me, "a spinlock across two pages");
    } while (read_tsc() < until);
    delay = delay < longest ? 2 * delay : longest;
  }
}

static void release(volatile u64 *lock, int crosses) {
  /* A plain store over a page boundary is two stores: others could see half of it. */
  if (crosses) {
    exchange(lock, 0);
  } else {
    compiler_fence();
    *lock = 0;
  }
}

static void work(struct cpu *me) {
  for (u64 i = 0; i < PLACES; i++) {
    const struct place *p = &places[i];
    volatile u64 *lock = lock_of(p);
    volatile u64 *data = data_of(p);
    barrier(me);
    for (u64 left = rounds_of_each(p); left; left--) {
      if (p->lock_crosses) {
        take_with_backoff(lock, me);
      } else {
        take(lock, me);
      }
      *data = *data + 1;
      release(lock, (int)p->lock_crosses);
    }
  }
}

static void report(void) {
  u64 sum = 0, hash = 0;
  for (u64 i = 0; i < PLACES; i++) {
    const struct place *p = &places[i];
    u64 expected = rounds_of_each(p) * cpu_count;
    if (*data_of(p) != expected) {
      fail("%s: %u increments under a spinlock left %u", p->name, expected, *data_of(p));
    }
    if (*lock_of(p) != 0) {
      fail("%s: the lock is %x at the end", p->name, *lock_of(p));
    }
    sum += expected;
    hash = checksum(hash, data_of(p), 1);
  }
  count("increments", sum);
  print_checksum("memory", hash);
}

const struct payload locks_payload = {"locks", work, report};
