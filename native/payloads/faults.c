/*
 * How long a touch of a page takes that another node has, as the guest sees it. One CPU of each node takes
 * its turn, while all others sleep: it touches each of a few pages that the CPU before it has written, and
 * reads the time before and after. The nodes' own times of the same faults are joined to these outside.
 */
#include "payload.h"

#define PAGES 32
/* Turns of each CPU whose times nobody wants: by then the nodes run compiled code. */
#define WARM_UP 16
#define LEAST_TURNS 4
#define MORE_TURNS_AT_100 12
#define MOST_TURNS (LEAST_TURNS + MORE_TURNS_AT_100)
/* Of a second: by then the CPU before has gone to sleep. */
#define SETTLING 5000

/* The turn that is on, from 1, on a page of its own; behind it, the pages. */
static volatile u64 *turn_word(void) { return shared_page(0); }
static volatile u64 *page_of(u64 i) { return shared_page(1 + i); }

struct touch {
  u64 page;   /* its address; bit 0: a write */
  u64 before; /* TSC */
  u64 ticks;
};

static struct touch touches[MAX_CPUS][MOST_TURNS * PAGES] __attribute__((aligned(PAGE)));
static u64 touch_count[MAX_CPUS] __attribute__((aligned(PAGE)));

/* The first CPU of each node takes turns, in the order of their numbers. */
static int takes_turns(u64 cpu) {
  for (u64 i = 0; i < cpu; i++) {
    if (cpus[i].node == cpus[cpu].node) {
      return 0;
    }
  }
  return 1;
}

static u32 apic_of_next(const struct cpu *me) {
  u64 i = me->index;
  do {
    i = (i + 1) % cpu_count;
  } while (!takes_turns(i));
  return cpus[i].apic_id;
}

/* How many CPUs of lower numbers take turns. */
static u64 takers(u64 below) {
  u64 n = 0;
  for (u64 i = 0; i < below; i++) {
    n += (u64)takes_turns(i);
  }
  return n;
}

/* All that came before is done, all that comes behind has not begun (SDM vol. 2, LFENCE). */
static inline void fence(void) { __asm__ volatile("lfence" ::: "memory"); }

static u64 timed_read(volatile u64 *word, struct touch *to) {
  fence();
  u64 before = read_tsc();
  fence();
  u64 value = *word;
  fence();
  u64 after = read_tsc();
  *to = (struct touch){(u64)word, before, after - before};
  return value;
}

static void timed_write(volatile u64 *word, u64 value, struct touch *to) {
  fence();
  u64 before = read_tsc();
  fence();
  *word = value;
  fence();
  u64 after = read_tsc();
  *to = (struct touch){(u64)word | 1, before, after - before};
}

static void check(const struct cpu *me, u64 page, u64 value, u64 turn) {
  if (value != turn - 1) {
    fail("CPU %u: page %u is of turn %u in turn %u", me->index, page, value, turn);
  }
}

/* Every other page is read first; all of them are written in the end, so that no other node has them. */
static void touch_all(const struct cpu *me, u64 turn, struct touch *to) {
  for (u64 i = 0; i < PAGES; i++) {
    volatile u64 *p = page_of(i);
    if (i & 1) {
      check(me, i, timed_read(&p[0], &to[i]), turn);
    } else {
      timed_write(&p[0], turn, &to[i]);
      check(me, i, p[1], turn);
      p[1] = turn;
    }
  }
  for (u64 i = 1; i < PAGES; i += 2) {
    page_of(i)[0] = page_of(i)[1] = turn;
  }
}

static void settle(void) {
  u64 start = read_tsc();
  while (read_tsc() - start < tsc_hz / SETTLING) {
    pause();
  }
}

static void await_turn(const struct cpu *me, u64 turn) {
  struct patience p;
  begin_waiting(&p);
  for (u64 now = *turn_word(); now != turn; now = *turn_word()) {
    kernel_call(halt_if_equal, (u64)turn_word(), now);
    look_at_clock(&p, me, "its turn");
  }
  settle();
}

static void work(struct cpu *me) {
  u64 count = takers(cpu_count), first = takers(me->index) + 1;
  if (count < 2 || !takes_turns(me->index)) {
    return;
  }
  u32 next = apic_of_next(me);
  u64 sampled = LEAST_TURNS + scaled(MORE_TURNS_AT_100);
  sampled = sampled < MOST_TURNS ? sampled : MOST_TURNS;
  if (me->index == 0) {
    *turn_word() = 1;
  }
  set_alarm(me);
  for (u64 i = 0; i < WARM_UP + sampled; i++) {
    u64 turn = i * count + first;
    if (turn > 1) {
      await_turn(me, turn);
      touch_all(me, turn, touches[me->index] + (i < WARM_UP ? 0 : i - WARM_UP) * PAGES);
    } else {
      for (u64 page = 0; page < PAGES; page++) {
        page_of(page)[0] = page_of(page)[1] = turn;
      }
    }
    *turn_word() = turn + 1;
    send_ipi(me, next, ICR_ASSERT | ICR_FIXED | VECTOR_IPI);
  }
  clear_alarm(me);
  touch_count[me->index] = sampled * PAGES;
}

/* A line "touch NODE ADDRESS BEFORE TICKS" for each, in hexadecimal; the address is odd for a write. */
static void report(void) {
  u64 sum = 0;
  for (u32 c = 0; c < cpu_count; c++) {
    for (u64 i = 0; i < touch_count[c]; i++) {
      const struct touch *t = &touches[c][i];
      say("touch %x %x %x %x", (u64)cpus[c].node, t->page, t->before, t->ticks);
    }
    sum += touch_count[c];
  }
  count("touches", sum);
}

const struct payload faults_payload = {"faults", work, report};
