/*
 * Memory order between CPUs, as x86 promises it (Intel SDM volume 3, 9.2 "Memory Ordering"): stores
 * are seen in program order; loads are not reordered with loads; a load may pass an older store to
 * another place unless a fence is between.
 */
#define _GNU_SOURCE
#include "selftest.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>

static void relax(int *spins) {
  __builtin_ia32_pause();
  if (++*spins % 1000 == 0) {
    sched_yield();
  }
}

/* ---- message passing: whoever sees the flag sees the data written before it */

struct messages {
  int rounds;
  volatile uint64_t *data[2]; /* on pages of their own */
  volatile uint64_t *flag;
};

static const char *message_work(int index, void *argument) {
  struct messages *m = argument;
  if (index == 0) {
    for (uint64_t i = 1; i <= (uint64_t)m->rounds; i++) {
      *m->data[0] = i;
      *m->data[1] = mix(i);
      *m->flag = i;
    }
    return NULL;
  }
  int spins = 0;
  uint64_t last = 0;
  while (last < (uint64_t)m->rounds) {
    uint64_t flag = *m->flag;
    uint64_t second = *m->data[1];
    uint64_t first = *m->data[0];
    /* The second was written before the first of the next round. */
    if (flag < last || first < flag) {
      return failed("CPU %d: flag %lu after %lu, data %lu", cpus[index], flag, last, first);
    }
    if (flag == (uint64_t)m->rounds && second != mix(flag)) {
      return failed("CPU %d: the last flag is there but not its data", cpus[index]);
    }
    last = flag;
    relax(&spins);
  }
  return NULL;
}

const char *check_message_passing(int scale) {
  char *p = shared_pages(3);
  struct messages m = {100000 * scale, {(void *)(p + 64), (void *)(p + PAGE + 64)}, (void *)(p + 2 * PAGE)};
  return on_all_cpus(message_work, &m);
}

/* ---- store buffer: with a fence between store and load, one of two CPUs sees the other's store */

struct flags {
  int rounds;
  volatile uint64_t *mine[2];
  volatile uint64_t *seen[2];
  volatile uint64_t *done[2];
};

static const char *store_buffer_work(int index, void *argument) {
  struct flags *f = argument;
  int me;
  if (index == 0) {
    me = 0;
  } else if (index == cpu_count - 1) {
    me = 1;
  } else {
    return NULL;
  }
  int spins = 0;
  for (uint64_t i = 1; i <= (uint64_t)f->rounds; i++) {
    *f->mine[me] = i;
    if (i & 1) {
      __asm__ volatile("mfence" ::: "memory");
    } else {
      __asm__ volatile("lock addl $0, (%%rsp)" ::: "memory", "cc");
    }
    *f->seen[me] = *f->mine[!me];
    __atomic_store_n(f->done[me], i, __ATOMIC_SEQ_CST);
    while (__atomic_load_n(f->done[!me], __ATOMIC_SEQ_CST) < i) {
      relax(&spins);
    }
    /* Both are here: neither goes on before the other has looked. */
    if (*f->seen[0] < i && *f->seen[1] < i) {
      return failed("round %lu: neither CPU saw the other's store", i);
    }
    __atomic_store_n(f->done[me] + 1, i, __ATOMIC_SEQ_CST);
    while (__atomic_load_n(f->done[!me] + 1, __ATOMIC_SEQ_CST) < i) {
      relax(&spins);
    }
  }
  return NULL;
}

const char *check_store_buffer(int scale) {
  if (cpu_count == 1) {
    return NULL;
  }
  char *p = shared_pages(6);
  struct flags f = {
      200 * scale,
      {(void *)p, (void *)(p + PAGE)},
      {(void *)(p + 2 * PAGE), (void *)(p + 3 * PAGE)},
      {(void *)(p + 4 * PAGE), (void *)(p + 5 * PAGE)},
  };
  return on_all_cpus(store_buffer_work, &f);
}

/* ---- a ring: every CPU passes blocks on to the next, unaltered */

#define SLOTS 8
#define BLOCK_WORDS 64

struct ring {
  volatile uint64_t head;
  char gap[PAGE - 8];
  volatile uint64_t tail;
  char gap2[PAGE - 8];
  uint64_t slots[SLOTS][BLOCK_WORDS];
};

struct rings {
  int blocks;
  struct ring *of[MAX_CPUS];
};

static void put(struct ring *r, const uint64_t *block) {
  int spins = 0;
  while (r->head - r->tail == SLOTS) {
    relax(&spins);
  }
  memcpy(r->slots[r->head % SLOTS], block, sizeof r->slots[0]);
  __atomic_store_n(&r->head, r->head + 1, __ATOMIC_RELEASE);
}

static void take(struct ring *r, uint64_t *block) {
  int spins = 0;
  while (__atomic_load_n(&r->head, __ATOMIC_ACQUIRE) == r->tail) {
    relax(&spins);
  }
  memcpy(block, r->slots[r->tail % SLOTS], sizeof r->slots[0]);
  __atomic_store_n(&r->tail, r->tail + 1, __ATOMIC_RELEASE);
}

static const char *ring_work(int index, void *argument) {
  struct rings *rings = argument;
  struct ring *out = rings->of[index];
  struct ring *in = rings->of[(index + cpu_count - 1) % cpu_count];
  uint64_t block[BLOCK_WORDS];
  for (int b = 0; b < rings->blocks; b++) {
    if (index == 0) {
      for (int w = 0; w < BLOCK_WORDS; w++) {
        block[w] = mix((uint64_t)b * BLOCK_WORDS + (uint64_t)w);
      }
      put(out, block);
    }
    take(in, block);
    for (int w = 0; w < BLOCK_WORDS; w++) {
      if (block[w] != mix((uint64_t)b * BLOCK_WORDS + (uint64_t)w)) {
        return failed("CPU %d: word %d of block %d is wrong", cpus[index], w, b);
      }
    }
    if (index != 0) {
      put(out, block);
    }
  }
  return NULL;
}

const char *check_ring(int scale) {
  struct rings rings = {.blocks = 50 * scale};
  for (int i = 0; i < cpu_count; i++) {
    rings.of[i] = shared_pages((int)((sizeof(struct ring) + PAGE - 1) / PAGE));
  }
  return on_all_cpus(ring_work, &rings);
}
