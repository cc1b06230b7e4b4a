/* Counters that all CPUs increment: by LOCK, under a mutex, under a spinlock, next to each other. */
#define _GNU_SOURCE
#include "selftest.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>

/* ---- every kind of LOCKed increment there is, on counters of one page and of several */

struct locked {
  int rounds;
  volatile uint64_t *add, *xadd, *inc, *cas;
  volatile uint32_t *narrow;
  volatile unsigned __int128 *wide;
  volatile uint64_t *bits;
};

static void increment_wide(volatile unsigned __int128 *p) {
  uint64_t low = ((volatile uint64_t *)p)[0];
  uint64_t high = ((volatile uint64_t *)p)[1];
  unsigned char swapped;
  do {
    uint64_t new_low = low + 1;
    uint64_t new_high = high + 3;
    __asm__ volatile("lock cmpxchg16b %1; sete %0"
                     : "=q"(swapped), "+m"(*p), "+a"(low), "+d"(high)
                     : "b"(new_low), "c"(new_high)
                     : "cc", "memory");
  } while (!swapped);
}

static const char *locked_work(int index, void *argument) {
  struct locked *l = argument;
  for (int i = 0; i < l->rounds; i++) {
    __asm__ volatile("lock addq $1, %0" : "+m"(*l->add)::"cc", "memory");
    uint64_t one = 1;
    __asm__ volatile("lock xaddq %1, %0" : "+m"(*l->xadd), "+r"(one)::"cc", "memory");
    __asm__ volatile("lock incq %0" : "+m"(*l->inc)::"cc", "memory");
    __asm__ volatile("lock addl $2, %0" : "+m"(*l->narrow)::"cc", "memory");
    uint64_t old = *l->cas;
    while (!__atomic_compare_exchange_n(l->cas, &old, old + 1, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
    }
    increment_wide(l->wide);
    unsigned char was;
    __asm__ volatile("lock btcq %2, %1; setc %0"
                     : "=q"(was), "+m"(*l->bits)
                     : "r"((uint64_t)index)
                     : "cc", "memory");
    if (was != (i & 1)) {
      return failed("bit %d was %d in round %d", index, was, i);
    }
  }
  return NULL;
}

const char *check_locked_counters(int scale) {
  char *p = shared_pages(4);
  struct locked l = {
      .rounds = 3000 * scale,
      .add = (void *)(p + 64),
      .xadd = (void *)(p + PAGE + 128),
      .inc = (void *)(p + 72),
      .cas = (void *)(p + 2 * PAGE - 8),
      .narrow = (void *)(p + 2 * PAGE + 4),
      .wide = (void *)(p + 3 * PAGE + 16),
      .bits = (void *)(p + 3 * PAGE + 2048),
  };
  const char *reason = on_all_cpus(locked_work, &l);
  if (reason != NULL) {
    return reason;
  }
  uint64_t n = (uint64_t)l.rounds * (uint64_t)cpu_count;
  uint64_t low = ((volatile uint64_t *)l.wide)[0];
  uint64_t high = ((volatile uint64_t *)l.wide)[1];
  if (*l.add != n || *l.xadd != n || *l.inc != n || *l.cas != n || *l.narrow != 2 * n || low != n ||
      high != 3 * n) {
    return failed("of %lu: add %lu xadd %lu inc %lu cmpxchg %lu addl/2 %u cmpxchg16b %lu %lu/3", n, *l.add,
                  *l.xadd, *l.inc, *l.cas, *l.narrow / 2, low, high / 3);
  }
  return NULL;
}

/* ---- plain increments under a futex mutex, LOCKed ones beside it */

struct mutexed {
  int rounds;
  pthread_mutex_t mutex;
  char gap[PAGE];
  volatile uint64_t plain;
  volatile uint64_t locked;
};

static const char *mutex_work(int index, void *argument) {
  struct mutexed *m = argument;
  (void)index;
  for (int i = 0; i < m->rounds; i++) {
    pthread_mutex_lock(&m->mutex);
    m->plain = m->plain + 1;
    pthread_mutex_unlock(&m->mutex);
    __asm__ volatile("lock incq %0" : "+m"(m->locked)::"cc", "memory");
  }
  return NULL;
}

const char *check_mutex_counter(int scale) {
  struct mutexed *m = shared_pages(3);
  m->rounds = 5000 * scale;
  pthread_mutex_init(&m->mutex, NULL);
  const char *reason = on_all_cpus(mutex_work, m);
  if (reason != NULL) {
    return reason;
  }
  uint64_t n = (uint64_t)m->rounds * (uint64_t)cpu_count;
  if (m->plain != n || m->locked != n) {
    return failed("of %lu: %lu under the mutex, %lu with LOCK", n, m->plain, m->locked);
  }
  return NULL;
}

/* ---- every CPU its own counter, all in the same page: no CPU may overwrite another's */

struct neighbours {
  int rounds;
  volatile uint8_t *bytes;
};

static const char *neighbour_work(int index, void *argument) {
  struct neighbours *n = argument;
  volatile uint8_t *own = n->bytes + index;
  volatile uint64_t *wide = (volatile uint64_t *)(n->bytes + 64) + index;
  for (int i = 0; i < n->rounds; i++) {
    if (*own != (uint8_t)i || *wide != (uint64_t)i) {
      return failed("CPU %d in round %d: byte %u, word %lu", cpus[index], i, *own, *wide);
    }
    *own = (uint8_t)(i + 1);
    *wide = (uint64_t)i + 1;
  }
  return NULL;
}

const char *check_false_sharing(int scale) {
  struct neighbours n = {200000 * scale, shared_pages(1)};
  return on_all_cpus(neighbour_work, &n);
}

/* ---- a spinlock on one page, what it guards on others and over a page boundary */

struct guarded {
  int rounds;
  int words;
  volatile uint32_t *lock;
  volatile uint64_t *counter;
  volatile uint64_t *crossing; /* unaligned, half of it on either page */
  volatile uint64_t *record;   /* several words around a page boundary */
};

static void spin_lock(volatile uint32_t *lock) {
  int spins = 0;
  while (__atomic_exchange_n(lock, 1, __ATOMIC_ACQUIRE) != 0) {
    while (*lock != 0) {
      __builtin_ia32_pause();
      if (++spins % 1000 == 0) {
        sched_yield(); /* the holder may have lost its CPU */
      }
    }
  }
}

static void spin_unlock(volatile uint32_t *lock) { __atomic_store_n(lock, 0, __ATOMIC_RELEASE); }

static const char *guarded_work(int index, void *argument) {
  struct guarded *g = argument;
  (void)index;
  const char *reason = NULL;
  for (int i = 0; i < g->rounds && reason == NULL; i++) {
    spin_lock(g->lock);
    uint64_t value = *g->counter;
    if (*g->crossing != value) {
      reason = failed("counter %lu, its twin over the page boundary %lu", value, *g->crossing);
    }
    for (int w = 0; w < g->words && reason == NULL; w++) {
      if (g->record[w] != mix(value + (uint64_t)w) && value != 0) {
        reason = failed("word %d of the record is not of round %lu", w, value);
      }
      g->record[w] = mix(value + 1 + (uint64_t)w);
    }
    *g->counter = value + 1;
    *g->crossing = value + 1;
    spin_unlock(g->lock);
  }
  return reason;
}

const char *check_spinlock_pages(int scale) {
  char *p = shared_pages(6);
  struct guarded g = {
      .rounds = 2000 * scale,
      .words = 16,
      .lock = (void *)(p + 512),
      .counter = (void *)(p + PAGE + 256),
      .crossing = (void *)(p + 3 * PAGE - 4),
      .record = (void *)(p + 5 * PAGE - 64),
  };
  const char *reason = on_all_cpus(guarded_work, &g);
  if (reason != NULL) {
    return reason;
  }
  uint64_t n = (uint64_t)g.rounds * (uint64_t)cpu_count;
  return *g.counter == n ? NULL : failed("%lu of %lu increments", *g.counter, n);
}

/* ---- lock words and a LOCKed counter that lie over page boundaries themselves */

struct crossing {
  int rounds;
  volatile uint32_t *lock;  /* let go by a LOCKed access */
  volatile uint32_t *plain; /* let go by a plain store */
  volatile uint64_t *counter;
  volatile uint64_t *guarded;
  volatile uint64_t *guarded_by_plain;
};

/* Takes the lock by XCHG with `value`; what else than that and 0 it saw in the word, or 0. */
static uint32_t take_crossing(volatile uint32_t *lock, uint32_t value) {
  int spins = 0;
  for (;;) {
    uint32_t taken = value;
    __asm__ volatile("xchgl %0, %1" : "+r"(taken), "+m"(*lock)::"memory");
    if (taken != value) {
      return taken;
    }
    if (++spins % 100 == 0) {
      sched_yield();
    }
  }
}

static const char *crossing_work(int index, void *argument) {
  struct crossing *c = argument;
  (void)index;
  for (int i = 0; i < c->rounds; i++) {
    __asm__ volatile("lock addq $1, %0" : "+m"(*c->counter)::"cc", "memory");
    uint32_t torn = take_crossing(c->lock, 0xffffffff);
    if (torn != 0) {
      return failed("lock word torn: %08x", torn);
    }
    *c->guarded = *c->guarded + 1;
    __asm__ volatile("lock andl $0, %0" : "+m"(*c->lock)::"cc", "memory");
    /* A plain store over two pages may be seen in halves, but here only the first byte changes. */
    torn = take_crossing(c->plain, 1);
    if (torn != 0) {
      return failed("lock word torn: %08x", torn);
    }
    *c->guarded_by_plain = *c->guarded_by_plain + 1;
    __asm__ volatile("movl $0, %0" : "=m"(*c->plain)::"memory");
  }
  return NULL;
}

const char *check_crossing_lock(int scale) {
  char *p = shared_pages(6);
  struct crossing c = {
      .rounds = 500 * scale,
      .lock = (void *)(p + PAGE - 2),
      .plain = (void *)(p + 4 * PAGE - 1),
      .counter = (void *)(p + 3 * PAGE - 3),
      .guarded = (void *)(p + 4 * PAGE + 8),
      .guarded_by_plain = (void *)(p + 5 * PAGE + 8),
  };
  *c.counter = 0xffffff00; /* carries from one page's bytes into the other's */
  const char *reason = on_all_cpus(crossing_work, &c);
  if (reason != NULL) {
    return reason;
  }
  uint64_t n = (uint64_t)c.rounds * (uint64_t)cpu_count;
  if (*c.counter != 0xffffff00 + n || *c.guarded != n || *c.guarded_by_plain != n) {
    return failed("of %lu: %lu with LOCK, %lu and %lu under the locks", n, *c.counter - 0xffffff00, *c.guarded,
                  *c.guarded_by_plain);
  }
  return NULL;
}
