/*
 * Memory order: small programs of two to four CPUs, repeated over many words at once, whose outcomes x86
 * forbids (SDM vol. 3, 9.2.3; Owens, Sarkar, Sewell, "A Better x86 Memory Model: x86-TSO"). x and y are on
 * pages of their own, which the CPUs take from each other. Names as in Alglave, Maranget, Tautschnig,
 * "Herding Cats".
 */
#include "payload.h"

#define MAX_ROLES 4
#define BATCHES_AT_100 60

/* So many instances of a test are in a batch, each with a cache line of every page. */
#define INSTANCES (PAGE / 64)
#define INSTANCE_STRIDE 8

/* One group of CPUs that run a test: pages of x and y, and of each role's results. */
struct place {
  volatile u64 *x, *y;
  volatile u64 *results[MAX_ROLES];
};
#define PAGES_OF_PLACE (2 + MAX_ROLES)

/* What the CPUs see of one instance. */
struct instance {
  volatile u64 *x, *y;
  volatile u64 *r; /* this role's results, two words */
};

struct outcome {
  u64 x, y;
  u64 r[MAX_ROLES][2];
};

struct test {
  const char *name;
  u32 roles;
  void (*role[MAX_ROLES])(const struct instance *i);
  int (*forbidden)(const struct outcome *o);
  int (*relaxed)(const struct outcome *o); /* allowed, but not sequentially consistent; may be NULL */
};

#define ROLE(name) static void name(const struct instance *i)
#define OUTCOME(name, condition) \
  static int name(const struct outcome *o) { return condition; }
#define FENCE() __asm__ volatile("mfence" ::: "memory")
/* Order of the compiler is program order: all accesses are volatile. */

/* SB: both store, then load the other's. */
ROLE(sb_x) { *i->x = 1; i->r[0] = *i->y; }
ROLE(sb_y) { *i->y = 1; i->r[0] = *i->x; }
ROLE(sb_x_fence) { *i->x = 1; FENCE(); i->r[0] = *i->y; }
ROLE(sb_y_fence) { *i->y = 1; FENCE(); i->r[0] = *i->x; }
ROLE(sb_x_locked) { exchange(i->x, 1); i->r[0] = *i->y; }
ROLE(sb_y_locked) { exchange(i->y, 1); i->r[0] = *i->x; }
OUTCOME(never, ((void)o, 0))
OUTCOME(both_missed, !o->r[0][0] && !o->r[1][0])

/* MP: data and flag. */
ROLE(mp_write) { *i->x = 1; *i->y = 1; }
ROLE(mp_read) { i->r[0] = *i->y; i->r[1] = *i->x; }
OUTCOME(flag_without_data, o->r[1][0] && !o->r[1][1])

/* LB: both load, then store what the other loads. */
ROLE(lb_x) { i->r[0] = *i->x; *i->y = 1; }
ROLE(lb_y) { i->r[0] = *i->y; *i->x = 1; }
OUTCOME(both_from_future, o->r[0][0] && o->r[1][0])

/* IRIW: two readers must agree on which of two independent stores came first. */
ROLE(iriw_x) { *i->x = 1; }
ROLE(iriw_y) { *i->y = 1; }
ROLE(iriw_xy) { i->r[0] = *i->x; i->r[1] = *i->y; }
ROLE(iriw_yx) { i->r[0] = *i->y; i->r[1] = *i->x; }
OUTCOME(readers_disagree, o->r[2][0] && !o->r[2][1] && o->r[3][0] && !o->r[3][1])

/* 2+2W: two stores each, in opposite order. */
ROLE(w22_xy) { *i->x = 1; *i->y = 2; }
ROLE(w22_yx) { *i->y = 1; *i->x = 2; }
OUTCOME(first_stores_last, o->x == 1 && o->y == 1)

/* R: a store overtaken by another CPU's store, and a fenced load. */
ROLE(r_write) { *i->x = 1; *i->y = 1; }
ROLE(r_read) { *i->y = 2; FENCE(); i->r[0] = *i->x; }
OUTCOME(r_stale, o->y == 2 && !o->r[1][0])

/* S: a load tells that a store is over that comes last all the same. */
ROLE(s_write) { *i->x = 2; *i->y = 1; }
ROLE(s_read) { i->r[0] = *i->y; *i->x = 1; }
OUTCOME(s_back, o->r[1][0] && o->x == 2)

/* CoRR: two loads of one word. */
ROLE(corr_write) { *i->x = 1; }
ROLE(corr_read) { i->r[0] = *i->x; i->r[1] = *i->x; }
OUTCOME(new_then_old, o->r[1][0] && !o->r[1][1])

/* RMW: one of two comes first, both count. */
ROLE(rmw_add) { i->r[0] = locked_add(i->x, 1); }
OUTCOME(not_atomic, o->x != 2 || o->r[0][0] + o->r[1][0] != 1)
ROLE(rmw_compare) { i->r[0] = (u64)compare_exchange(i->x, 0, 1); }
OUTCOME(not_one_winner, o->x != 1 || o->r[0][0] + o->r[1][0] != 1)
ROLE(rmw_exchange_1) { i->r[0] = exchange(i->x, 1); }
ROLE(rmw_exchange_2) { i->r[0] = exchange(i->x, 2); }
OUTCOME(chain_broken, !((o->x == 1 && o->r[0][0] == 2 && o->r[1][0] == 0) ||
                        (o->x == 2 && o->r[1][0] == 1 && o->r[0][0] == 0)))

static const struct test tests[] = {
    {"sb", 2, {sb_x, sb_y}, never, both_missed},
    {"sb_fence", 2, {sb_x_fence, sb_y_fence}, both_missed, NULL},
    {"sb_locked", 2, {sb_x_locked, sb_y_locked}, both_missed, NULL},
    {"mp", 2, {mp_write, mp_read}, flag_without_data, NULL},
    {"lb", 2, {lb_x, lb_y}, both_from_future, NULL},
    {"iriw", 4, {iriw_x, iriw_y, iriw_xy, iriw_yx}, readers_disagree, NULL},
    {"2_2w", 2, {w22_xy, w22_yx}, first_stores_last, NULL},
    {"r_fence", 2, {r_write, r_read}, r_stale, NULL},
    {"s", 2, {s_write, s_read}, s_back, NULL},
    {"corr", 2, {corr_write, corr_read}, new_then_old, NULL},
    {"rmw_add", 2, {rmw_add, rmw_add}, not_atomic, NULL},
    {"rmw_compare", 2, {rmw_compare, rmw_compare}, not_one_winner, NULL},
    {"rmw_exchange", 2, {rmw_exchange_1, rmw_exchange_2}, chain_broken, NULL},
};
#define TESTS (sizeof tests / sizeof *tests)

static u64 instances_run[MAX_CPUS][TESTS], relaxed_seen[MAX_CPUS];

static struct place place_of(u64 group) {
  u64 first = group * PAGES_OF_PLACE;
  struct place p = {shared_page(first), shared_page(first + 1), {0}};
  for (u64 role = 0; role < MAX_ROLES; role++) {
    p.results[role] = shared_page(first + 2 + role);
  }
  return p;
}

static void run_role(struct cpu *me, const struct test *t, const struct place *p, u32 role) {
  u64 r = next_random(me);
  for (u64 n = 0; n < INSTANCES; n++) {
    u64 word = n * INSTANCE_STRIDE;
    struct instance i = {p->x + word, p->y + word, p->results[role] + word};
    t->role[role](&i);
    /* Now and then one falls behind. */
    for (u64 delay = r >> n % 32 & 1 ? r >> 32 & 63 : 0; delay; delay--) {
      compiler_fence();
    }
  }
}

/* Judges a batch and clears it for the next. */
static void judge(struct cpu *me, const struct test *t, const struct place *p) {
  for (u64 n = 0; n < INSTANCES; n++) {
    u64 word = n * INSTANCE_STRIDE;
    struct outcome o = {p->x[word], p->y[word], {{0}}};
    p->x[word] = p->y[word] = 0;
    for (u32 role = 0; role < t->roles; role++) {
      for (u64 k = 0; k < 2; k++) {
        o.r[role][k] = p->results[role][word + k];
        p->results[role][word + k] = 0;
      }
    }
    if (t->forbidden(&o)) {
      fail("%s: forbidden outcome x=%u y=%u r0=%u,%u r1=%u,%u r2=%u,%u r3=%u,%u", t->name, o.x, o.y, o.r[0][0],
           o.r[0][1], o.r[1][0], o.r[1][1], o.r[2][0], o.r[2][1], o.r[3][0], o.r[3][1]);
    }
    relaxed_seen[me->index] += (u64)(t->relaxed && t->relaxed(&o));
  }
}

static void work(struct cpu *me) {
  for (u64 i = 0; i < TESTS; i++) {
    const struct test *t = &tests[i];
    /* CPUs of one role follow each other, so that a group's CPUs are far apart. */
    u64 groups = cpu_count / t->roles;
    if (groups == 0) {
      continue;
    }
    u32 role = (u32)(me->index / groups);
    struct place p = place_of(me->index % groups);
    for (u64 left = scaled(BATCHES_AT_100); left; left--) {
      barrier(me);
      if (role < t->roles) {
        run_role(me, t, &p, role);
      }
      barrier(me);
      if (role == left % t->roles) {
        judge(me, t, &p);
        instances_run[me->index][i] += INSTANCES;
      }
    }
  }
}

static void report(void) {
  u64 all = 0, relaxed = 0, run = 0;
  for (u64 i = 0; i < TESTS; i++) {
    u64 sum = 0;
    for (u32 c = 0; c < cpu_count; c++) {
      sum += instances_run[c][i];
    }
    run += sum != 0;
    all += sum;
  }
  for (u32 c = 0; c < cpu_count; c++) {
    relaxed += relaxed_seen[c];
  }
  count("litmus_tests", run);
  count("instances", all);
  count("sb_relaxed", relaxed);
}

const struct payload litmus_payload = {"litmus", work, report};
