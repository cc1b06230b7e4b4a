/*
 * Memory order: runs small programs of two to four CPUs on CPUs of different nodes and counts what came
 * out. The programs come as a module from the loader, machine code included; which outcomes x86 allows is
 * for the one who made it to say (jvm-vmm, org.pluribus.vmm.cli.litmus). In the manner of litmus7 (Alglave,
 * Maranget, Sarkar, Sewell, "Litmus: Running Tests against Hardware"), many instances of a test, each with
 * variables of its own, are run between two barriers.
 *
 * Rights to pages move slowly next to instructions. So that they move amid an instance and not only between
 * batches, batches differ: in the order of instances; in who has which page at first; some start each
 * instance at a time all CPUs agree on; some delay single operations.
 */
#include "payload.h"

/* What org.pluribus.vmm.cli.litmus.LitmusTest and LitmusProgram promise. */
#define MAX_ROLES 4
#define MAX_LOADS 4
#define MAX_VARIABLES 3
#define MAX_CASES 512
#define INSTANCES 256
#define SLOT_BITS 4
#define MAX_VALUE 15
#define MAGIC 0x6d74696c

struct role {
  u32 code, delayed_code; /* from the program's start */
  u32 loads;
  u32 first_slot; /* of an outcome */
};

struct test_case {
  u32 roles, variables;
  u32 several_pages;
  u32 batches;
  u32 variable_slot; /* of an outcome */
  u32 unused;
  struct role role[MAX_ROLES];
};

struct program {
  u32 magic, cases, instances, unused;
  struct test_case of[];
};

static const struct program *program;

/* ---- where things are: shared pages by number, which says the home, too */

#define LINE_WORDS 16 /* of 32 bits */
#define LINES_PER_PAGE (PAGE / 64)
/* A line or two or four for each instance on one page; on several pages a line for each on every page. */
#define MAX_GROUPS (INSTANCES * 4 / LINES_PER_PAGE)

enum { ARRIVED, RELEASE, TURN, FIRST_RESULT, FIRST_HISTOGRAM = FIRST_RESULT + MAX_ROLES };

/* Pages of variables come in groups, whose first pages have homes in turn; in every other group, two
 * variables have homes two apart: on two nodes that is the same one. */
#define GROUP_PAGES 9
#define PAGES (FIRST_HISTOGRAM + MAX_CASES + MAX_GROUPS * GROUP_PAGES)

static u32 *page_of_group(u64 group, u64 variable) {
  u64 first = FIRST_HISTOGRAM + MAX_CASES + group * GROUP_PAGES;
  return (u32 *)shared_page(first + variable * (1 + (group & 1)));
}

/* The pages of a case, as its CPUs need them at once. */
struct place {
  u32 *group[MAX_GROUPS][MAX_VARIABLES]; /* the page of each variable */
  u64 groups;
  u64 lines;                             /* of an instance on its page */
  /* What a role's registers held, and above it which batch that was in: no older one may show. */
  volatile u32 *results[MAX_ROLES];
};
#define RESULT_BITS (MAX_LOADS * SLOT_BITS)
#define RESULT_MASK ((1u << RESULT_BITS) - 1)

static void find_place(struct place *p, const struct test_case *t) {
  p->lines = t->several_pages || t->variables == 1 ? 1 : t->variables == 2 ? 2 : 4;
  p->groups = INSTANCES * p->lines / LINES_PER_PAGE;
  for (u64 group = 0; group < p->groups; group++) {
    for (u64 v = 0; v < MAX_VARIABLES; v++) {
      p->group[group][v] = t->several_pages ? page_of_group(group, v) : page_of_group(group, 0) + v * LINE_WORDS;
    }
  }
  for (u64 role = 0; role < MAX_ROLES; role++) {
    p->results[role] = (volatile u32 *)shared_page(FIRST_RESULT + role);
  }
}

static inline volatile u32 *variable_of(const struct place *p, u64 instance, u64 variable) {
  u64 line = instance * p->lines;
  return p->group[line / LINES_PER_PAGE][variable] + line % LINES_PER_PAGE * LINE_WORDS;
}

struct bucket {
  u64 outcome, count;
};
#define BUCKETS (PAGE / sizeof(struct bucket))

static struct bucket *histogram_of(u64 number) { return (struct bucket *)shared_page(FIRST_HISTOGRAM + number); }

/* ---- who runs a test, and when: the others sleep */

/* CPUs far apart, other ones from test to test. */
static u64 cpu_of_seat(u64 number, u64 seat) {
  const struct test_case *t = &program->of[number];
  return (number + seat * cpu_count / t->roles) % cpu_count;
}

/* This CPU's seat in a test; -1 if it has none. */
static int seat_of(const struct cpu *me, u64 number) {
  for (u32 seat = 0; seat < program->of[number].roles; seat++) {
    if (cpu_of_seat(number, seat) == me->index) {
      return (int)seat;
    }
  }
  return -1;
}

/* Of a second: so long a machine that breaks its word may hide what an interrupt tells of. */
#define LOOK_AFTER_INTERRUPT 200

/* Sleeps while the word has this value, until an interrupt. On a machine that is right, the word changes
 * before the interrupt comes; the tests have to get to their end on others, too, to tell what is wrong. */
static void sleep_while(volatile u64 *word, u64 value) {
  kernel_call(halt_if_equal, (u64)word, value);
  u64 until = read_tsc() + tsc_hz / LOOK_AFTER_INTERRUPT;
  while (*word == value && read_tsc() < until) {
    pause();
  }
}

/* Bounded by the host's time limit for the whole run only: others may be at it for long. */
static void await_turn(u64 number) {
  volatile u64 *turn = shared_page(TURN);
  for (u64 now = *turn; now < number; now = *turn) {
    sleep_while(turn, now);
  }
}

static void wake_up(const struct cpu *me, u64 other) {
  if (other != me->index) {
    send_ipi(me, cpus[other].apic_id, ICR_ASSERT | ICR_FIXED | VECTOR_IPI);
  }
}

/* Lets those go on who have a seat in the next test; all, when there is none. */
static void give_turn(const struct cpu *me, u64 number) {
  *shared_page(TURN) = number;
  for (u32 i = 0; i < cpu_count; i++) {
    if (number == program->cases || seat_of(&cpus[i], number) >= 0) {
      wake_up(me, i);
    }
  }
}

/* Of a second: by then, all have got the page that says so. */
#define LEAD 500

struct release {
  volatile u64 generation;
  volatile u64 start; /* TSC, the same for all */
};

/* A barrier of those who run a test; gives a time in the near future. Who waits sleeps: nodes may have fewer
 * cores than CPUs, and something to do to bring the others here. */
static u64 meet(const struct cpu *me, u64 number) {
  struct release *release = (struct release *)shared_page(RELEASE);
  volatile u64 *arrived = shared_page(ARRIVED);
  u64 generation = release->generation;
  u32 roles = program->of[number].roles;
  if (locked_add(arrived, 1) == roles - 1) {
    *arrived = 0;
    release->start = read_tsc() + tsc_hz / LEAD;
    release->generation = generation + 1;
    for (u32 seat = 0; seat < roles; seat++) {
      wake_up(me, cpu_of_seat(number, seat));
    }
  } else {
    /* Those who are faster may have met again, for another test, before this CPU looks. */
    struct patience p;
    begin_waiting(&p);
    while (release->generation == generation) {
      sleep_while(&release->generation, generation);
      look_at_clock(&p, me, "the other CPUs of a litmus test");
    }
  }
  return release->start;
}

/* ---- delays */

/* Turns of the delay loop in 100 microseconds; the same on all CPUs is good enough. */
static u64 turns_of_100us;

static void measure_delay(void) {
  u64 turns = 1 << 16, start = read_tsc(), left = turns;
  __asm__ volatile("1: sub $1, %0\n\tjnc 1b" : "+r"(left)::"cc");
  u64 ticks = read_tsc() - start;
  turns_of_100us = turns * (tsc_hz / 10000) / (ticks ? ticks : 1) + 1;
}

#define MOST_OPERATIONS 8
#define DELAYS (INSTANCES * MOST_OPERATIONS)
static u32 delays[MAX_CPUS][DELAYS] __attribute__((aligned(PAGE)));

/* Half of the operations at once, a quarter soon, a quarter when a page may have come and gone. */
static void choose_delays(struct cpu *me) {
  u32 *to = delays[me->index];
  for (u64 i = 0; i < DELAYS; i++) {
    u64 r = next_random(me);
    u64 longest = r & 1 ? 0 : r & 2 ? turns_of_100us / 400 : turns_of_100us / 2;
    to[i] = (u32)((r >> 2) % (longest + 1));
  }
}

/* ---- a batch */

struct batch {
  u64 number;
  u64 step, offset;  /* of the instances' order; the step is odd */
  u64 delayed;       /* whether operations are */
  u64 period;        /* between instances, in TSC ticks, within which each CPU is late; 0: as they come */
  u64 first_owners;  /* 0: who judged last has all pages; 1: all share them; 2: each has some */
};

/* All CPUs come to the same. */
static struct batch choose_batch(u64 test_case, u64 number) {
  u64 r = mix(mix(seed + test_case) + number);
  static const u8 micros[4] = {0, 10, 50, 150};
  return (struct batch){
      .number = number,
      .step = r & 4 ? 1 : r >> 32 | 1,
      .offset = r >> 16,
      .delayed = r >> 3 & 1,
      .period = micros[r & 3] * (tsc_hz / 1000000),
      .first_owners = (r >> 4) % 3,
  };
}

/* Shares or spreads pages, on words that no instance has. */
static void take_pages(const struct test_case *t, const struct place *p, const struct batch *b, u32 role) {
  u64 pages = t->several_pages ? t->variables : 1;
  for (u64 group = 0; group < p->groups; group++) {
    for (u64 v = 0; v < pages; v++) {
      volatile u32 *unused = p->group[group][v] + LINE_WORDS - 1;
      if (b->first_owners == 1) {
        (void)*unused;
      } else if ((group + v + b->number) % t->roles == role) {
        *unused = 1;
      }
    }
  }
}

/* Executes an instance; returns its registers' values, SLOT_BITS each. */
static inline u32 execute(const struct place *p, const u8 *code, u64 loads, u64 instance, const u32 *delay) {
  volatile u32 *x = variable_of(p, instance, 0), *y = variable_of(p, instance, 1), *z = variable_of(p, instance, 2);
  register const u32 *d __asm__("r8") = delay;
  register u64 r0 __asm__("r9");
  register u64 r1 __asm__("r10");
  register u64 r2 __asm__("r11");
  register u64 r3 __asm__("r12");
  __asm__ volatile("call *%[code]"
                   : "=&r"(r0), "=&r"(r1), "=&r"(r2), "=&r"(r3), "+r"(d)
                   : [code] "b"(code), "D"(x), "S"(y), "d"(z)
                   : "rax", "rcx", "memory", "cc");
  u32 values[MAX_LOADS] = {(u32)r0, (u32)r1, (u32)r2, (u32)r3}, packed = 0;
  for (u64 i = 0; i < loads; i++) {
    packed |= (values[i] < MAX_VALUE ? values[i] : MAX_VALUE) << i * SLOT_BITS;
  }
  return packed;
}

/* Nobody means a time later than the lead: then this CPU's counter is not the one of who said it (a KVM in
 * software gives the guest the host's own, beside an emulated CPU of another node), and waiting makes no sense. */
static inline void await_time(u64 tsc) {
  if ((long)(tsc - read_tsc()) > (long)(tsc_hz / LEAD)) {
    return;
  }
  while ((long)(read_tsc() - tsc) < 0) {
  }
}

static void run_role(struct cpu *me, const struct test_case *t, const struct place *p, const struct batch *b,
                     u32 number, u64 start) {
  const struct role *role = &t->role[number];
  const u8 *code = (const u8 *)program + (b->delayed ? role->delayed_code : role->code);
  await_time(start);
  for (u64 i = 0; i < INSTANCES; i++) {
    u64 instance = (i * b->step + b->offset) % INSTANCES;
    if (b->period) {
      await_time(start + next_random(me) % b->period);
      start += b->period;
    }
    u32 values = execute(p, code, role->loads, instance, delays[me->index] + i * MOST_OPERATIONS);
    p->results[number][instance] = values | (u32)b->number << RESULT_BITS;
  }
}

static u64 outcome_of(const struct test_case *t, const struct place *p, u64 instance, u64 batch) {
  u64 outcome = 0;
  for (u32 r = 0; r < t->roles; r++) {
    u32 result = p->results[r][instance];
    if (result >> RESULT_BITS != (batch & RESULT_MASK)) {
      result = RESULT_MASK; /* of another batch: an outcome that no test has */
    }
    result &= (1u << t->role[r].loads * SLOT_BITS) - 1;
    outcome |= (u64)result << t->role[r].first_slot * SLOT_BITS;
  }
  for (u64 v = 0; v < t->variables; v++) {
    u64 value = *variable_of(p, instance, v);
    outcome |= (value < MAX_VALUE ? value : MAX_VALUE) << (t->variable_slot + v) * SLOT_BITS;
  }
  return outcome;
}

static void count_outcome(struct bucket *histogram, u64 outcome) {
  for (u64 i = 0; i < BUCKETS; i++) {
    if (histogram[i].outcome == outcome || !histogram[i].count) {
      histogram[i].outcome = outcome;
      histogram[i].count++;
      return;
    }
  }
  fail("litmus: more outcomes than any test can have");
}

/* Counts a batch's outcomes and clears the variables for the next. */
static void judge(u64 number, const struct place *p, u64 batch) {
  const struct test_case *t = &program->of[number];
  struct bucket *histogram = histogram_of(number);
  for (u64 i = 0; i < INSTANCES; i++) {
    count_outcome(histogram, outcome_of(t, p, i, batch));
    for (u64 v = 0; v < t->variables; v++) {
      *variable_of(p, i, v) = 0;
    }
  }
}

static void run_case(struct cpu *me, u64 number, u32 seat) {
  const struct test_case *t = &program->of[number];
  struct place p;
  find_place(&p, t);
  for (u64 i = 0; i < t->batches; i++) {
    struct batch b = choose_batch(number, i);
    u32 role = (seat + i) % t->roles;
    if (b.delayed) {
      choose_delays(me);
    }
    u64 start = meet(me, number);
    if (b.first_owners) {
      take_pages(t, &p, &b, role);
      start = meet(me, number);
    }
    run_role(me, t, &p, &b, role, start);
    meet(me, number);
    if (i % t->roles == seat) {
      judge(number, &p, i);
    }
  }
}

/* Whether pages that we use are the program's. */
static int overlaps_module(void) {
  u64 start = (u64)module_start, end = start + module_size;
  for (u64 node = 0; node < node_count; node++) {
    u64 last = PAGES / node_count * node_count + node;
    if ((u64)shared_page(node) < end && (u64)shared_page(last) + PAGE > start) {
      return 1;
    }
  }
  return 0;
}

static void load_program(void) {
  const struct program *p = module_start;
  if (!p || p->magic != MAGIC || p->instances != INSTANCES || p->cases > MAX_CASES) {
    fail("litmus: the loader gave no program that I know");
  }
  if (shared_pages() < PAGES + node_count || overlaps_module()) {
    fail("litmus: no room beside the program; give more memory");
  }
  measure_delay();
  program = p;
}

static void work(struct cpu *me) {
  if (me->index == 0) {
    load_program();
  }
  barrier(me);
  set_alarm(me);
  for (u64 number = 0; number < program->cases; number++) {
    int seat = seat_of(me, number);
    if (seat < 0) {
      continue;
    }
    await_turn(number);
    run_case(me, number, (u32)seat);
    meet(me, number);
    if (seat == 0) {
      give_turn(me, number + 1);
    }
  }
  await_turn(program->cases);
  clear_alarm(me);
}

/* A line "outcome CASE OUTCOME COUNT" for each, in hexadecimal. */
static void report(void) {
  u64 instances = 0;
  for (u64 number = 0; number < program->cases; number++) {
    const struct bucket *histogram = histogram_of(number);
    for (u64 i = 0; i < BUCKETS && histogram[i].count; i++) {
      say("outcome %x %x %x", number, histogram[i].outcome, histogram[i].count);
      instances += histogram[i].count;
    }
  }
  count("litmus_tests", program->cases);
  count("instances", instances);
}

const struct payload litmus_payload = {"litmus", work, report};
